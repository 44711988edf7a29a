"""The API server is the judge of the CRD."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from qwen3_planner.api.conversion import parse
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.tensor_sizes import legal_tensor_sizes
from support.controlplane.errors import CommandError
from support.real_plans import status_plan
from support.refused_rules import BAD_RULES
from support.refused_shapes import BAD_SHAPES
from support.resources import GOOD, Bad, resource
from support.surrounded import AROUND_BAD, AROUND_GOOD
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.controlplane import ControlPlane

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
CRD = ROOT / "crds" / "serving.qwen3.dev_qwen3deployments.yaml"
CRD_NAME = "qwen3deployments.serving.qwen3.dev"
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))


@pytest.fixture(scope="module")
def cluster(control_plane: ControlPlane) -> ControlPlane:
    """The control plane with the CRD, as `kubectl apply -f crds/` puts it there."""
    control_plane.kubectl("apply", "--server-side", "--warnings-as-errors", "-f", CRD)
    control_plane.commands().await_established(CRD_NAME)
    until(
        lambda: "A Qwen3 model" in control_plane.kubectl("explain", "q3d"),
        30,
        "discovery does not show the new kind",
        ignore=(CommandError,),
    )
    return control_plane


@pytest.fixture
def apply(cluster: ControlPlane, namespace: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Apply a resource as a user does and return it as it was stored."""

    def apply(body: dict[str, Any]) -> dict[str, Any]:
        stored: dict[str, Any] = cluster.kubectl_json(
            "apply", f"--namespace={namespace}", "-f", "-", input=json.dumps(body)
        )
        return stored

    return apply


def refusal(cluster: ControlPlane, body: dict[str, Any]) -> str:
    """Return what `kubectl apply` says about a resource that must not pass."""
    with pytest.raises(CommandError) as caught:
        cluster.kubectl("apply", "--dry-run=server", "-f", "-", input=json.dumps(body))
    return caught.value.stderr


def test_the_definition_is_established_without_complaint(cluster: ControlPlane) -> None:
    conditions = {
        condition["type"]: condition["status"]
        for condition in cluster.kubectl_json("get", "crd", CRD_NAME)["status"]["conditions"]
    }

    assert conditions["Established"] == "True"
    assert conditions["NamesAccepted"] == "True"
    assert "NonStructuralSchema" not in conditions


@pytest.mark.parametrize("bad", [pytest.param(bad, id=bad.why) for bad in BAD_SHAPES])
def test_what_the_schema_forbids_is_refused(cluster: ControlPlane, bad: Bad) -> None:
    said = refusal(cluster, bad.body())

    assert bad.path in said
    assert bad.api_server in said


@pytest.mark.parametrize("bad", [pytest.param(bad, id=bad.why) for bad in BAD_RULES + AROUND_BAD])
def test_what_a_rule_forbids_is_refused_in_its_words(cluster: ControlPlane, bad: Bad) -> None:
    said = refusal(cluster, bad.body())

    assert bad.message in said
    if not bad.path.startswith("metadata"):  # the API server names no field of metadata in rules
        assert bad.path in said


@pytest.mark.parametrize("spec", GOOD + AROUND_GOOD)
def test_what_python_takes_the_api_server_takes(cluster: ControlPlane, spec: str) -> None:
    stored = cluster.kubectl_json(
        "apply", "--dry-run=server", "-f", "-", input=json.dumps(resource(spec))
    )

    assert parse(stored).spec == parse(resource(spec)).spec


@pytest.mark.parametrize("model", load_catalog().models, ids=lambda model: model.name)
def test_tensor_sizes_are_judged_by_the_shapes_of_the_variant(
    cluster: ControlPlane,
    model: Any,  # noqa: ANN401 - a row of the catalog
) -> None:
    candidates = range(1, 1 + max(2 * model.attention_heads, 8))
    bodies = [
        resource(f"parallelism: {{tensor: {size}}}", name=f"t{size}", variant=model.name)
        for size in candidates
    ]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies})

    with pytest.raises(CommandError) as caught:
        cluster.kubectl("apply", "--dry-run=server", "-f", "-", input=listed)

    accepted = tuple(
        size for size in candidates if f"/t{size} created" in caught.value.stdout.replace("\n", " ")
    )
    assert accepted == legal_tensor_sizes(model)
    assert f"{model.attention_heads} attention heads" in caught.value.stderr


def test_three_does_not_divide_sixty_four_heads(cluster: ControlPlane) -> None:
    said = refusal(cluster, resource("parallelism: {tensor: 3}"))

    assert "spec.parallelism.tensor" in said
    assert "64 attention heads, which tensor must divide" in said
    assert "use 1, 2, 4, 8, 16, 32 or 64" in said


def test_a_dense_model_has_no_experts(cluster: ControlPlane) -> None:
    said = refusal(cluster, resource("parallelism: {tensor: 2, expert: 2}"))

    assert "only variants with experts (-A3B, -A22B, -A35B) take expert: leave it out" in said


def test_a_stage_needs_a_layer(cluster: ControlPlane) -> None:
    said = refusal(cluster, resource("parallelism: {pipeline: 65}"))

    assert "64 layers: it cannot be cut into more stages" in said


def test_defaults_appear_in_what_is_stored(
    apply: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    assert apply(resource())["spec"] == {
        "model": {"variant": "Qwen3-32B"},
        "engine": {"name": "auto"},
        "quantization": "auto",
        "objective": "cost",
        "kvCacheDtype": "auto",
        "workload": {"concurrency": 1},
        "replicas": 1,
        "replan": "WhenBroken",
        "rollout": {"surge": "WhenFree", "onFailure": "RollBack"},
        "service": {"type": "ClusterIP", "port": 8000, "headless": False},
        "suspend": False,
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_applies(cluster: ControlPlane, namespace: str, example: Path) -> None:
    cluster.kubectl(
        "apply",
        "--validate=strict",
        "--warnings-as-errors",
        f"--namespace={namespace}",
        "-f",
        example,
    )

    assert parse(yaml.safe_load(example.read_text("utf-8")))


def test_there_is_an_example_of_each_kind() -> None:
    assert [path.stem for path in EXAMPLES] == [
        "qwen3-0.6b",
        "qwen3-14b-from-an-image",
        "qwen3-235b-bf16-a100",
        "qwen3-30b-a3b",
        "qwen3-32b-cached",
        "qwen3-32b",
        "qwen3-8b-behind-a-gateway",
        "qwen3-8b-modelscope",
        "qwen3-8b-scaled",
    ]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        pytest.param(
            "q3d", ["A Qwen3 model, served on the GPUs that the cluster really has."], id="kind"
        ),
        pytest.param(
            "q3d.spec",
            ["model <Object> -required-", "enum: auto, bf16, fp16", "Default: WhenBroken"],
            id="spec",
        ),
        pytest.param(
            "q3d.spec.parallelism.tensor",
            ["GPUs that share each layer; must divide the model's attention heads."],
            id="nested",
        ),
        pytest.param("q3d.spec.engine.env.valueFrom", ["secretKeyRef <Object>"], id="in a list"),
        pytest.param("q3d.status", ["plan <Object>", "planHash <string>"], id="status"),
    ],
)
def test_explain_reads_well(cluster: ControlPlane, path: str, words: list[str]) -> None:
    text = " ".join(cluster.kubectl("explain", path).split())

    assert [word for word in words if word not in text] == []
    assert "<empty>" not in text


STATUS = {
    "observedGeneration": 1,
    "phase": "Ready",
    "replicas": 2,
    "readyReplicas": 1,
    "selector": "serving.qwen3.dev/deployment=q",
    "endpoint": "http://q.default.svc:8000/v1",
    "layout": "tp2",
    "gpu": "2x H100-SXM-80GB",
    "memory": "30.6/72.8 GiB",
    "available": "1/2",
    "plan": {
        "schema": "plan/v1",
        "engine": {"name": "vllm", "version": "0.32.0"},
        "quantization": "bf16",
        "maxModelLen": 40960,
        "memory": {"perGpu": [{"rank": 0, "weightsBytes": 32767049728}]},
    },
    "conditions": [
        {
            "type": "Ready",
            "status": "False",
            "reason": "ModelLoading",
            "message": "One of two replicas loads its weights.",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ],
}


def write_status(cluster: ControlPlane, namespace: str, status: dict[str, Any]) -> None:
    """Write as the operator does: a merge patch would drop the nulls of placement.nodes."""
    patch = json.dumps([{"op": "add", "path": "/status", "value": status}])
    cluster.kubectl(
        "patch",
        "q3d",
        "q",
        f"--namespace={namespace}",
        "--subresource=status",
        "--type=json",
        "--patch",
        patch,
    )


def test_the_table_tells_model_layout_and_why(
    cluster: ControlPlane,
    namespace: str,
    apply: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    apply(resource("replicas: 2"))
    write_status(cluster, namespace, STATUS)

    head, row = cluster.kubectl("get", "q3d", f"--namespace={namespace}").splitlines()
    wide_head, wide_row = cluster.kubectl(
        "get", "q3d", f"--namespace={namespace}", "-o", "wide"
    ).splitlines()

    assert head.split() == [
        *("NAME", "MODEL", "ENGINE", "QUANT", "LAYOUT"),
        *("READY", "REASON", "REPLICAS", "AGE"),
    ]
    assert row.split()[:-1] == [
        *("q", "Qwen3-32B", "vllm", "bf16", "tp2"),
        *("False", "ModelLoading", "1/2"),
    ]
    assert wide_head.split()[-4:] == ["URL", "CONTEXT", "GPU", "MEMORY"]
    for shown in ("http://q.default.svc:8000/v1", "40960", "2x H100-SXM-80GB", "30.6/72.8 GiB"):
        assert shown in wide_row


def test_a_user_cannot_write_the_status_with_the_spec(
    apply: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    stored = apply({**resource(), "status": {"phase": "Ready"}})

    assert stored["status"] == {"observedGeneration": -1}, "the default, until the operator looks"


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(("Qwen3-32B", "2xH100-SXM-80GB", "bf16"), id="a plan"),
        pytest.param(("Qwen3-30B-A3B", "2x8xH100-SXM-80GB", "auto"), id="a mixture of experts"),
        pytest.param(("Qwen3-235B-A22B", "4xA100-SXM-80GB", "bf16"), id="no plan"),
    ],
)
def test_a_real_plan_is_stored_whole(
    cluster: ControlPlane,
    namespace: str,
    apply: Callable[[dict[str, Any]], dict[str, Any]],
    question: tuple[str, str, str],
) -> None:
    apply(resource())
    status = {**STATUS, "plan": status_plan(*question)}
    write_status(cluster, namespace, status)

    stored = cluster.kubectl_json("get", "q3d", "q", f"--namespace={namespace}")

    assert stored["status"] == status


def test_scale_reads_and_writes_replicas(
    cluster: ControlPlane,
    namespace: str,
    apply: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    apply(resource())
    write_status(cluster, namespace, STATUS)

    cluster.kubectl("scale", "q3d", "q", f"--namespace={namespace}", "--replicas=3")

    path = f"/apis/serving.qwen3.dev/v1alpha1/namespaces/{namespace}/qwen3deployments/q/scale"
    scale = json.loads(cluster.kubectl("get", "--raw", path))
    assert scale["spec"]["replicas"] == 3
    assert scale["status"] == {"replicas": 2, "selector": "serving.qwen3.dev/deployment=q"}


def test_scaling_beyond_the_allowed_gpus_is_refused(
    cluster: ControlPlane,
    namespace: str,
    apply: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    apply(resource("maxGpus: 4\nparallelism: {tensor: 2}"))

    with pytest.raises(CommandError) as caught:
        cluster.kubectl("scale", "q3d", "q", f"--namespace={namespace}", "--replicas=3")

    assert "takes more GPUs than maxGpus allows" in caught.value.stderr


def test_wait_and_the_category_all_know_the_kind(
    cluster: ControlPlane,
    namespace: str,
    apply: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    apply(resource())
    ready = [{**STATUS["conditions"][0], "status": "True", "reason": "Ready"}]  # type: ignore[index]
    write_status(cluster, namespace, {**STATUS, "conditions": ready})

    said = cluster.kubectl(
        "wait", "--for=condition=Ready", "q3d/q", f"--namespace={namespace}", "--timeout=10s"
    )

    assert "condition met" in said
    assert "qwen3deployment.serving.qwen3.dev/q" in cluster.kubectl(
        "get", "all", f"--namespace={namespace}"
    )
