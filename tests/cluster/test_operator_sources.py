"""Where weights come from: each kind of source, and the site's way to the hubs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.controlplane import H100_SXM_80GB, NodeSpec
from support.pods import environment, pod_of, source_spec, volume

if TYPE_CHECKING:
    from support.controlplane import ControlPlane
    from support.models import Models

pytestmark = pytest.mark.cluster


def cached(models: Models, name: str) -> tuple[str, str]:
    condition = models.condition(name, "ModelCached")
    return condition["status"], condition["reason"]


def test_weights_come_from_hugging_face_at_a_revision_with_a_token(models: Models) -> None:
    models.room.kubectl("create", "secret", "generic", "hub", "--from-literal=HF_TOKEN=t")
    source = source_spec("hf://Qwen/Qwen3-0.6B", revision="c1899de", tokenSecretRef={"name": "hub"})
    models.apply("from-hf", source)
    models.await_ready("from-hf")
    pod = pod_of(models, "from-hf")
    arguments = pod["containers"][0]["args"]
    assert arguments[:3] == ["Qwen/Qwen3-0.6B", "--revision", "c1899de"]
    assert environment(pod)["HF_TOKEN"] == {"secretKeyRef": {"name": "hub", "key": "HF_TOKEN"}}
    assert cached(models, "from-hf") == ("True", "FetchedByPods")


def test_weights_come_from_modelscope(models: Models) -> None:
    models.apply("from-modelscope", source_spec("modelscope://Qwen/Qwen3-0.6B", revision="master"))
    models.await_ready("from-modelscope")
    pod = pod_of(models, "from-modelscope")
    assert environment(pod)["VLLM_USE_MODELSCOPE"] == "true"
    assert cached(models, "from-modelscope") == ("True", "FetchedByPods")


def test_weights_are_mounted_from_a_claim(models: Models) -> None:
    models.room.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "weights"},
            "spec": {
                "accessModes": ["ReadOnlyMany"],
                "resources": {"requests": {"storage": "10Gi"}},
            },
        }
    )
    models.apply("from-a-claim", source_spec("pvc://weights/qwen3/0.6b"))
    models.await_condition("from-a-claim", "ModelCached", "True", "WeightsMounted")
    pod = models.children("from-a-claim")["Deployment", "from-a-claim"]["spec"]["template"]["spec"]
    assert volume(pod, "weights")["persistentVolumeClaim"]["claimName"] == "weights"
    assert pod["containers"][0]["args"][0] == "/models/qwen3/0.6b"


def test_weights_are_mounted_from_an_image(models: Models) -> None:
    models.apply("from-an-image", source_spec("oci://registry.example.com/qwen3:v1#0.6b"))
    models.await_ready("from-an-image")
    pod = pod_of(models, "from-an-image")
    assert volume(pod, "weights")["image"]["reference"] == "registry.example.com/qwen3:v1"
    assert pod["containers"][0]["args"][0] == "/models/0.6b"
    assert cached(models, "from-an-image") == ("True", "WeightsMounted")


def test_an_image_is_refused_where_no_node_can_mount_it(
    models: Models, control_plane: ControlPlane
) -> None:
    labels = {"test.qwen3.dev/pool": "old"}
    old = NodeSpec("old", H100_SXM_80GB, gpus=1, labels=labels, runtime="containerd://1.7.27")
    control_plane.add_nodes(old)
    try:
        models.apply(
            "refused",
            source_spec(
                "oci://registry.example.com/qwen3:v1", where=f"nodeSelector: {json.dumps(labels)}\n"
            ),
        )
        condition = models.await_condition("refused", "Ready", "False", "ImageVolumeUnsupported")
        assert "containerd 1.7.27 is older than 2.1" in condition["message"]
        assert cached(models, "refused") == ("False", "ImageVolumeUnsupported")
        assert models.condition("refused", "PlanFeasible")["status"] == "True"
        assert models.children("refused") == {}
    finally:
        models.delete_all()
        control_plane.remove_nodes("old")
