"""LoRA adapters beside a model: brought, looked over, counted, and waited for."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from support.models import SECONDS
from support.pods import pod_of, source_spec
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import ControlPlane
    from support.models import Models
    from support.operator import RunningOperator

pytestmark = pytest.mark.cluster

MARKER = "hf_MARKERthatNobodyMayRepeat"

KINDS = "q3d,deployments,replicasets,services,pods,events.events.k8s.io,jobs,pvc"

CLASS = "test-adapters"

PLAIN = source_spec("hf://Qwen/Qwen3-0.6B")


def adapted(*adapters: dict[str, Any], **more: object) -> str:
    return f"{PLAIN}lora: {json.dumps({'adapters': adapters, **more})}\n"


def on_hub(name: str, **more: object) -> dict[str, Any]:
    return {"name": name, "source": f"hf://team/{name}", **more}


def served(models: Models, name: str) -> list[str]:
    """Return the adapters that the pod's engine is told, as NAME=PATH."""
    arguments: list[str] = pod_of(models, name)["containers"][0]["args"]
    if "--lora-modules" not in arguments:
        return []
    at = arguments.index("--lora-modules") + 1
    return [word for word in arguments[at:] if "=/adapters" in word or "=/models" in word]


def before(models: Models, name: str) -> list[str]:
    """Name the containers that run before the engine."""
    return [one["name"] for one in pod_of(models, name).get("initContainers", [])]


def make_claim(name: str, storage_class: str = "nobody-has-it") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": "10Gi"}},
        },
    }


@pytest.fixture
def volume(control_plane: ControlPlane) -> Iterator[None]:
    """One volume of a storage class without a provisioner; gone after the test."""
    tag = secrets.token_hex(3)
    objects: list[dict[str, Any]] = [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": CLASS},
            "provisioner": "kubernetes.io/no-provisioner",
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{CLASS}-{tag}"},
            "spec": {
                "capacity": {"storage": "20Gi"},
                "accessModes": ["ReadWriteMany"],
                "storageClassName": CLASS,
                "hostPath": {"path": "/nowhere"},
            },
        },
    ]
    items = {"apiVersion": "v1", "kind": "List", "items": objects}
    control_plane.kubectl("apply", "-f", "-", input=json.dumps(items))
    yield
    names = [f"{item['kind']}/{item['metadata']['name']}" for item in objects]
    control_plane.kubectl("delete", *names, "--wait=false", "--ignore-not-found")


def test_adapters_come_with_the_pods_and_a_change_rolls_them(
    models: Models, operator: RunningOperator
) -> None:
    models.room.kubectl("create", "secret", "generic", "hub", f"--from-literal=HF_TOKEN={MARKER}")
    private = on_hub("support", revision="v2", rank=32, tokenSecretRef={"name": "hub"})
    models.apply("adapted", adapted(private))
    models.await_ready("adapted")
    assert served(models, "adapted") == ["support=/adapters/hub/hf/team/support/v2"]
    assert before(models, "adapted") == ["fetch-adapter-0", "check-adapters"]
    told = models.status("adapted")["plan"]["lora"]
    assert (told["slots"], told["rank"]) == (1, 32)
    assert told["adapters"] == [{"name": "support", "source": "hf://team/support"}]
    assert MARKER not in models.room.kubectl("get", KINDS, "-o", "yaml")
    assert MARKER not in operator.log

    first = models.status("adapted")["planHash"]
    models.apply("adapted", adapted(private, on_hub("sql", rank=8), maxLoras=1))
    until(
        lambda: models.status("adapted")["planHash"] != first,
        SECONDS,
        lambda: f"another list should be another plan: {models.status('adapted')}",
    )
    models.await_ready("adapted")
    until(
        lambda: len(models.pods("adapted")) == 1 and len(served(models, "adapted")) == 2,
        SECONDS,
        lambda: f"both should be served: {models.pods('adapted')}",
    )
    assert before(models, "adapted") == ["fetch-adapter-0", "fetch-adapter-1", "check-adapters"]
    assert models.status("adapted")["plan"]["lora"]["slots"] == 1


def test_a_claim_with_an_adapter_is_waited_for(models: Models) -> None:
    models.apply("waiting", adapted({"name": "legal", "source": "pvc://tuned/legal", "rank": 8}))
    told = models.await_condition("waiting", "ModelCached", "False", "ClaimNotFound")
    assert "spec.lora.adapters lie on tuned" in told["message"]
    assert models.children("waiting") == {}
    models.room.apply(make_claim("tuned"))
    until(
        lambda: ("Deployment", "waiting") in models.children("waiting"),
        SECONDS,
        lambda: f"it should start by itself: {models.status('waiting')}",
    )
    deployment = models.children("waiting")["Deployment", "waiting"]
    pod = deployment["spec"]["template"]["spec"]
    assert "legal=/adapters/pvc/tuned/legal" in pod["containers"][0]["args"]
    assert [one["name"] for one in pod["initContainers"]] == ["check-adapters"]


def test_adapters_that_come_while_the_engine_runs_move_no_pod(
    models: Models, operator: RunningOperator
) -> None:
    models.room.kubectl("create", "secret", "generic", "key", f"--from-literal=api-key={MARKER}")
    room = {"maxLoras": 4, "maxLoraRank": 32, "runtimeLoading": True}
    key = "apiKeySecretRef: {name: key}\n"
    models.apply("moving", adapted(on_hub("support", rank=8), **room) + key)
    models.await_ready("moving")
    pod = pod_of(models, "moving")
    engine, sidecar = pod["containers"]
    assert served(models, "moving") == []
    assert engine["args"][engine["args"].index("--middleware") + 1] == "adapter_guard.LocalOnly"
    held = {variable["name"]: variable.get("valueFrom") for variable in sidecar["env"]}
    assert held["QWEN3_API_KEY"] == {"secretKeyRef": {"name": "key", "key": "api-key"}}
    assert "http://127.0.0.1:8000" in sidecar["args"]
    (uid,) = [one["metadata"]["uid"] for one in models.pods("moving")]

    models.apply("moving", adapted(on_hub("sql", revision="v3"), **room) + key)

    def listed() -> list[dict[str, str]]:
        data = models.room.get("configmap", "moving-adapters")["data"]
        return list(json.loads(data["adapters.json"]))

    wanted = [{"name": "sql", "source": "hf://team/sql", "revision": "v3"}]
    until(lambda: listed() == wanted, SECONDS, lambda: f"the list should change: {listed()}")
    models.await_condition("moving", "Ready", "True")
    assert models.status("moving")["plan"]["lora"]["adapters"][0]["name"] == "sql"
    assert [one["metadata"]["uid"] for one in models.pods("moving")] == [uid]
    assert MARKER not in models.room.kubectl("get", f"{KINDS},configmaps", "-o", "yaml")
    assert MARKER not in operator.log
    models.delete("moving")
    until(
        lambda: "moving-adapters" not in models.room.names("configmaps"),
        SECONDS,
        "the list should go with its model",
    )


@pytest.mark.usefixtures("volume")
def test_a_cache_holds_adapters_beside_the_weights(models: Models) -> None:
    models.room.apply(make_claim("models", CLASS))
    cache = "cache: {persistentVolumeClaim: {claimName: models}}\n"
    models.apply("cached", adapted(on_hub("support", rank=8)) + cache)
    models.await_ready("cached")
    jobs = {
        job["spec"]["template"]["spec"]["containers"][0]["args"][1]: job["metadata"]
        for job in models.room.get("jobs")["items"]
    }
    assert set(jobs) == {"hf://Qwen/Qwen3-0.6B", "hf://team/support"}
    assert served(models, "cached") == ["support=/models/hf/team/support/default"]
    assert before(models, "cached") == ["check-adapters"]

    models.apply("cached", PLAIN + cache)
    gone = jobs["hf://team/support"]["name"]
    until(
        lambda: gone not in models.room.names("jobs"),
        SECONDS,
        "the Job of an adapter that nobody wants should go",
    )
    assert jobs["hf://Qwen/Qwen3-0.6B"]["name"] in models.room.names("jobs")


def test_nonsense_about_adapters_is_refused_at_once_or_in_the_status(models: Models) -> None:
    models.apply("large", adapted(on_hub("support", rank=500), maxLoras=900))
    told = models.await_condition("large", "PlanFeasible", "False", "InsufficientGPUMemory")
    assert "spec.lora.maxLoras: " in told["message"]
    models.apply("odd", adapted(on_hub("support", rank=8), maxLoraRank=17))
    told = models.await_condition("odd", "SpecValid", "False")
    assert "spec.lora.maxLoraRank: 17: is not a rank of slots in vllm" in told["message"]
