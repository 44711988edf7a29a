"""Caches: filled once, shared, left behind by the last user, and honest about what goes wrong."""

from __future__ import annotations

import base64
import json
import secrets
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from support.controlplane import annotated_pods
from support.models import SECONDS
from support.pods import environment, pod_of, source_spec, volume
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.models import Models
    from support.operator import RunningOperator

pytestmark = pytest.mark.cluster

HUB = "hf://Qwen/Qwen3-0.6B"

ON_H100 = "accelerators: [H100-SXM-80GB]\n"
"""Two nodes with eight GPUs each."""

ON_A100 = "accelerators: [A100-SXM-80GB]\n"
"""One node with four GPUs: two models at a time."""

CLASS = "test-shared"
NARROW = "test-narrow"
"""Its volumes can be mounted on one node at a time."""


@pytest.fixture
def volumes(control_plane: ControlPlane) -> Iterator[None]:
    """Some volumes of storage classes without a provisioner; gone after the test."""
    tag = secrets.token_hex(3)
    objects = [
        made
        for name, modes, count in (
            (CLASS, ["ReadWriteMany", "ReadWriteOnce"], 4),
            (NARROW, ["ReadWriteOnce"], 1),
        )
        for made in (
            make_class(name),
            *(make_volume(name, f"{tag}-{n}", modes) for n in range(count)),
        )
    ]
    items = {"apiVersion": "v1", "kind": "List", "items": objects}
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(items))
    yield
    names = [f"{item['kind']}/{item['metadata']['name']}" for item in objects]
    control_plane.kubectl("delete", *names, "--wait=false", "--ignore-not-found")


def make_class(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": "kubernetes.io/no-provisioner",
    }


def make_volume(storage_class: str, tag: str, modes: list[str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"{storage_class}-{tag}"},
        "spec": {
            "capacity": {"storage": "20Gi"},
            "accessModes": modes,
            "storageClassName": storage_class,
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": "/nowhere"},
        },
    }


def cached(where: str = ON_A100, *, more: str = "", **model: object) -> str:
    claim = f"storageClassName: {CLASS}, accessModes: [ReadWriteMany]{more}"
    cache = f"cache: {{persistentVolumeClaim: {{{claim}}}}}\n"
    return source_spec("hf://Qwen/Qwen3-0.6B", where=where, **model) + cache


def names(models: Models, kind: str) -> list[str]:
    return models.room.names(kind)


def users(models: Models, kind: str) -> list[list[str]]:
    return [
        sorted(owner["name"] for owner in item["metadata"].get("ownerReferences", []))
        for item in models.room.get(kind)["items"]
    ]


def await_users(models: Models, wanted: list[list[str]]) -> None:
    for kind in ("jobs", "pvc"):
        until(
            lambda kind=kind: users(models, kind) == wanted,
            SECONDS,
            lambda kind=kind: f"{kind} should have users {wanted}: {users(models, kind)}",
        )


@pytest.mark.usefixtures("volumes")
def test_a_cache_is_filled_before_the_pods_start(models: Models) -> None:
    slow = {"test.qwen3.dev/complete-after": "3s"}
    with annotated_pods(models.room.cluster, models.room.namespace, slow):
        models.apply("cached", cached())
        told = models.await_condition("cached", "ModelCached", "False", "Downloading")
        assert "0 of 1 parts of hf://Qwen/Qwen3-0.6B" in told["message"]
        assert models.children("cached") == {}
        assert models.status("cached")["phase"] == "Provisioning"
        models.await_ready("cached")
    condition = models.condition("cached", "ModelCached")
    assert (condition["status"], condition["reason"]) == ("True", "WeightsCached")
    pod = pod_of(models, "cached")
    (claim,) = names(models, "pvc")
    assert volume(pod, "weights")["persistentVolumeClaim"] == {"claimName": claim, "readOnly": True}
    assert pod["containers"][0]["args"][0] == "/models/hf/Qwen/Qwen3-0.6B/default"
    assert environment(pod)["HF_HUB_OFFLINE"] == "1"
    assert ("Normal", "Downloading") in models.events("cached")


@pytest.mark.usefixtures("volumes")
def test_two_resources_download_once_and_survive_the_deletion_of_the_first(models: Models) -> None:
    models.apply("first", cached())
    models.await_ready("first")
    (job,) = models.room.get("jobs")["items"]
    models.apply("second", cached())
    models.await_ready("second")
    await_users(models, [["first", "second"]])
    assert models.room.get("jobs")["items"][0]["metadata"]["uid"] == job["metadata"]["uid"]
    models.delete("first")
    models.await_gone("first")
    await_users(models, [["second"]])
    models.await_ready("second")
    assert names(models, "jobs") == [job["metadata"]["name"]]
    models.delete("second")
    await_users(models, [])


@pytest.mark.usefixtures("volumes")
def test_who_stops_using_a_cache_leaves_it_and_the_last_one_clears_up(models: Models) -> None:
    models.apply("stays", cached())
    models.apply("leaves", cached())
    models.await_ready("stays")
    models.await_ready("leaves")
    await_users(models, [["leaves", "stays"]])
    models.apply("leaves", source_spec("hf://Qwen/Qwen3-0.6B", where=ON_A100))
    models.await_condition("leaves", "ModelCached", "True", "FetchedByPods")
    await_users(models, [["stays"]])
    models.apply("stays", source_spec("hf://Qwen/Qwen3-0.6B", where=ON_A100))
    await_users(models, [])
    models.await_ready("stays")


@pytest.mark.usefixtures("volumes")
def test_a_retained_claim_outlives_its_users_and_another_revision_is_another_job(
    models: Models,
) -> None:
    models.apply("keeper", cached(more=", retain: true", revision="v1"))
    models.await_ready("keeper")
    (claim,) = names(models, "pvc")
    models.delete("keeper")
    until(lambda: names(models, "jobs") == [], SECONDS, "the Job should go with its last user")
    assert names(models, "pvc") == [claim]
    models.apply("keeper", cached(more=", retain: true", revision="v1"))
    models.await_ready("keeper")
    assert names(models, "pvc") == [claim]


def make_claim(name: str, mode: str, storage_class: str = CLASS) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": [mode],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }


def on_claim(name: str, where: str = ON_A100) -> str:
    cache = f"cache: {{persistentVolumeClaim: {{claimName: {name}}}}}\n"
    return source_spec("hf://Qwen/Qwen3-0.6B", where=where) + cache


@pytest.mark.usefixtures("volumes")
def test_an_existing_claim_is_waited_for_filled_and_never_owned(models: Models) -> None:
    models.apply("mine", on_claim("models"))
    models.await_condition("mine", "ModelCached", "False", "ClaimNotFound")
    assert names(models, "jobs") == []
    models.room.apply(make_claim("models", "ReadWriteMany"))
    models.await_ready("mine")
    assert users(models, "pvc") == [[]]
    assert users(models, "jobs") == [["mine"]]
    models.delete("mine")
    until(lambda: names(models, "jobs") == [], SECONDS, "the Job should go")
    assert names(models, "pvc") == ["models"]


@pytest.mark.usefixtures("volumes")
def test_a_claim_for_one_node_is_refused_to_replicas_on_several(models: Models) -> None:
    models.room.apply(make_claim("narrow", "ReadWriteOnce", NARROW))
    spec = on_claim("narrow", where="accelerators: [RTX-4090-24GB]\n")
    models.apply("spread", f"{spec}replicas: 2\n")
    told = models.await_condition("spread", "Ready", "False", "AccessModeTooNarrow")
    assert "ReadWriteMany" in told["message"]
    assert names(models, "jobs") == []
    models.apply("spread", spec)
    models.await_ready("spread")


def test_a_claim_without_a_volume_says_what_is_missing(models: Models) -> None:
    spec = source_spec("hf://Qwen/Qwen3-0.6B", where=ON_A100)
    models.apply("unbound", f"{spec}cache: {{persistentVolumeClaim: {{}}}}\n")
    told = models.await_condition("unbound", "ModelCached", "False", "ClaimNotBound")
    assert "storageClassName" in told["message"]


@pytest.mark.usefixtures("volumes")
@pytest.mark.parametrize(
    ("code", "words", "reason", "fix"),
    [
        (41, "huggingface.co answers 401", "ModelSourceUnauthorized", "tokenSecretRef"),
        (43, "61.0 GiB are to come and 9.0 are free", "ModelTransferOutOfSpace", "larger"),
    ],
)
def test_a_download_that_cannot_succeed_is_a_condition_and_no_crash_loop(
    models: Models, code: int, words: str, reason: str, fix: str
) -> None:
    behaviour = {"test.qwen3.dev/exit-code": str(code), "test.qwen3.dev/exit-message": words}
    models.room.kubectl("create", "secret", "generic", "hub", "--from-literal=HF_TOKEN=refused")
    with annotated_pods(models.room.cluster, models.room.namespace, behaviour):
        models.apply("failing", cached(tokenSecretRef={"name": "hub"}))
        told = models.await_condition("failing", "Ready", "False", reason)
    assert words in told["message"]
    assert fix in told["message"]
    pods = models.room.get("pods", "--selector=serving.qwen3.dev/cache")["items"]
    assert len(pods) == 1
    assert models.children("failing") == {}
    assert "tried again by itself" in told["message"]
    # Somebody mends it: the same Secret with another token, a larger volume. No Job is deleted.
    (failed,) = models.room.get("jobs")["items"]
    models.room.kubectl("delete", "secret", "hub")
    models.room.kubectl("create", "secret", "generic", "hub", "--from-literal=HF_TOKEN=mended")
    models.await_ready("failing")
    (job,) = models.room.get("jobs")["items"]
    assert job["metadata"]["name"] == failed["metadata"]["name"]
    assert job["metadata"]["uid"] != failed["metadata"]["uid"]


@pytest.mark.usefixtures("volumes")
def test_another_token_is_tried_at_once(models: Models) -> None:
    behaviour = {"test.qwen3.dev/exit-code": "41"}
    with annotated_pods(models.room.cluster, models.room.namespace, behaviour):
        models.apply("private", cached(tokenSecretRef={"name": "old"}))
        models.await_condition("private", "ModelCached", "False", "ModelSourceUnauthorized")
    models.apply("private", cached(tokenSecretRef={"name": "new"}))
    models.await_ready("private")


SECRETS = {name: f"hf_{name}MARKERthatNobodyMayRepeat" for name in ("hub", "key", "proxy", "lora")}
"""Values by the name of their Secret; the key in it is `value`."""

EVERY_REFERENCE = """
apiKeySecretRef: {name: key, key: value}
imagePullSecrets: [{name: hub}]
engine:
  name: %s
  env:
  - {name: HTTPS_PROXY, valueFrom: {secretKeyRef: {name: proxy, key: value}}}
"""

WITH_AN_ADAPTER = """
lora:
  adapters:
  - {name: a, source: "hf://team/a", rank: 8, tokenSecretRef: {name: lora, key: value}}
"""


@pytest.mark.usefixtures("volumes")
def test_no_secret_is_told_by_any_child_status_event_metric_or_log(
    models: Models, operator: RunningOperator
) -> None:
    for name, value in SECRETS.items():
        literal = f"--from-literal=value={value}"
        models.room.kubectl("create", "secret", "generic", name, literal)
    token = {"name": "hub", "key": "value"}
    adapted = f"{EVERY_REFERENCE % 'vllm'}{WITH_AN_ADAPTER}"
    models.apply("adapted", cached(where=ON_H100, tokenSecretRef=token) + adapted)
    models.apply(
        "other", source_spec(HUB, where=ON_H100, tokenSecretRef=token) + EVERY_REFERENCE % "sglang"
    )
    repeating = {
        "test.qwen3.dev/exit-code": "41",
        "test.qwen3.dev/exit-message": f"401 for Authorization: Bearer {SECRETS['hub']}",
    }
    models.await_ready("adapted")
    models.await_ready("other")
    with annotated_pods(models.room.cluster, models.room.namespace, repeating):
        models.apply("refused", cached(where=ON_H100, revision="private", tokenSecretRef=token))
        models.await_condition("refused", "Ready", "False", "ModelSourceUnauthorized")
    told = {
        "children": everything_in(models),
        "statuses": models.room.kubectl("get", "q3d", "-o", "yaml"),
        "events": models.room.kubectl("get", "events.events.k8s.io", "-o", "yaml"),
        "log": operator.log,
        "metrics": metrics_of(operator),
    }
    assert all(told.values()), {where: len(text) for where, text in told.items()}
    for name, value in SECRETS.items():
        encoded = base64.b64encode(value.encode()).decode().rstrip("=")
        assert [w for w, text in told.items() if value in text or encoded in text] == [], name
    assert "secretKeyRef" in told["children"]


def everything_in(models: Models) -> str:
    """Return all objects of the namespace but Secrets, and pods whose last words a test planted."""
    kinds = models.room.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name")
    wanted = [kind for kind in kinds.split() if kind != "secrets"]
    items = json.loads(models.room.kubectl("get", ",".join(wanted), "-o", "json"))["items"]
    planted = "test.qwen3.dev/exit-message"
    return json.dumps([i for i in items if planted not in i["metadata"].get("annotations", {})])


def metrics_of(operator: RunningOperator) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{operator.health_port}/metrics") as answer:
        return str(answer.read().decode())


@pytest.mark.usefixtures("volumes")
def test_modelscope_is_cached_kept_in_the_pod_and_replaced_by_an_image(models: Models) -> None:
    ours = "modelscope://Qwen/Qwen3-0.6B"
    claim = f"{{storageClassName: {CLASS}, accessModes: [ReadWriteMany]}}"
    kinds = {
        "claimed": f"persistentVolumeClaim: {claim}",
        "in-the-pod": "emptyDir: {sizeLimit: 20Gi}",
        "in-an-image": "image: {reference: 'registry.example.com/qwen3:1', folder: w}",
    }
    for name, cache in kinds.items():
        models.apply(name, f"{source_spec(ours, where=ON_H100)}cache: {{{cache}}}\n")
    for name in kinds:
        models.await_ready(name)
    (job,) = models.room.get("jobs")["items"]
    fetch = job["spec"]["template"]["spec"]["containers"][0]["args"]
    assert fetch[:4] == ["fetch", ours, "--to", "/cache/modelscope/Qwen/Qwen3-0.6B/default"]
    reads = {name: pod_of(models, name)["containers"][0]["args"][0] for name in kinds}
    assert reads == {
        "claimed": "/models/modelscope/Qwen/Qwen3-0.6B/default",
        "in-the-pod": "Qwen/Qwen3-0.6B",
        "in-an-image": "/models/w",
    }
    assert environment(pod_of(models, "in-the-pod"))["VLLM_USE_MODELSCOPE"] == "true"


def test_a_folder_of_the_node_is_refused_unless_it_is_allowed(models: Models) -> None:
    spec = source_spec("hf://Qwen/Qwen3-0.6B")
    models.apply("on-node", f"{spec}cache: {{hostPath: {{path: /var/lib/models}}}}\n")
    models.await_condition("on-node", "ModelCached", "False", "HostPathNotAllowed")
    assert models.children("on-node") == {}


def test_a_cache_in_an_image_and_in_the_pod(models: Models) -> None:
    spec = source_spec("hf://Qwen/Qwen3-0.6B", where=ON_A100)
    image = "{reference: 'registry.example.com/qwen3:1', folder: w}"
    models.apply("in-an-image", f"{spec}cache: {{image: {image}}}\n")
    models.apply("in-the-pod", f"{spec}cache: {{emptyDir: {{sizeLimit: 20Gi}}}}\n")
    models.await_ready("in-an-image")
    models.await_ready("in-the-pod")
    pod = pod_of(models, "in-an-image")
    assert volume(pod, "weights")["image"]["reference"] == "registry.example.com/qwen3:1"
    assert pod["containers"][0]["args"][0] == "/models/w"
    assert volume(pod_of(models, "in-the-pod"), "cache")["emptyDir"] == {"sizeLimit": "20Gi"}


@pytest.mark.usefixtures("volumes")
def test_the_cache_of_what_worked_stays_until_its_successor_works(models: Models) -> None:
    models.apply("turning", cached())
    models.await_ready("turning")
    (old,) = names(models, "pvc")
    room, engine = models.room, pod_of(models, "turning")["containers"][0]["image"]
    never = {"test.qwen3.dev/ready-after": "never"}
    with annotated_pods(room.cluster, room.namespace, never, image=engine):
        models.apply("turning", cached(revision="v2"))
        models.await_condition("turning", "Ready", "False", "ModelLoading")
    assert len(names(models, "pvc")) == 2
    assert "deletionTimestamp" not in room.get("pvc", old)["metadata"]
    room.kubectl("annotate", "pods", "--all", "--overwrite", "test.qwen3.dev/ready-after=100ms")
    until(lambda: old not in names(models, "pvc"), SECONDS, "nobody uses the old cache any more")
