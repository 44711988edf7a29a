"""How one installation reaches the hubs: mirror, proxy, authorities, or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.models import Models
from support.operator import RunningOperator, install
from support.pods import environment, pod_of, source_spec, volume

if TYPE_CHECKING:
    from pathlib import Path

    from support.controlplane import ControlPlane
    from support.room import Room

pytestmark = pytest.mark.cluster

SITE = {
    "QWEN3_OPERATOR_HF_ENDPOINT": "https://hf.example.com",
    "QWEN3_OPERATOR_HTTPS_PROXY": "http://proxy.example.com:3128",
    "QWEN3_OPERATOR_CA_CONFIG_MAP": "authorities",
    "QWEN3_OPERATOR_ALLOW_HOST_PATH": "true",
    "QWEN3_OPERATOR_IMAGE_REGISTRIES": "*=mirror.example.com:5000",
    "QWEN3_OPERATOR_IMAGE_PULL_SECRETS": "registry-access",
}
ON_NODE = "cache: {hostPath: {path: /var/lib/models}}\n"


ON_A100 = "accelerators: [A100-SXM-80GB]\n"


def test_the_sites_mirror_proxy_and_authorities_reach_the_pods(
    control_plane: ControlPlane, room: Room, tmp_path: Path
) -> None:
    models = Models(room)
    installation = install(control_plane, tmp_path, "mirror-system")
    with RunningOperator(installation, environment=SITE):
        models.apply("mirrored", source_spec("hf://Qwen/Qwen3-0.6B"))
        models.apply("on-node", source_spec("hf://Qwen/Qwen3-0.6B", where=ON_A100) + ON_NODE)
        models.await_ready("mirrored")
        pod = pod_of(models, "mirrored")
        models.await_ready("on-node")
        on_node, cached = pod_of(models, "on-node"), models.condition("on-node", "ModelCached")
        models.delete_all()
    variables = environment(pod)
    assert variables["HF_ENDPOINT"] == "https://hf.example.com"
    assert variables["HTTPS_PROXY"] == "http://proxy.example.com:3128"
    assert "127.0.0.1" in variables["NO_PROXY"]
    assert variables["SSL_CERT_FILE"] == "/etc/qwen3/ca/ca.crt"
    assert volume(pod, "ca")["configMap"]["name"] == "authorities"
    image = pod["containers"][0]["image"]
    assert image.startswith("mirror.example.com:5000/vllm/vllm-openai:v")
    assert pod["imagePullSecrets"] == [{"name": "registry-access"}]
    # A folder of the node, which this site allows: hubs' clients keep there what they fetch.
    folder = {"path": "/var/lib/models", "type": "Directory"}
    assert volume(on_node, "weights")["hostPath"] == folder
    assert environment(on_node)["HF_HUB_CACHE"] == "/models/huggingface"
    assert (cached["status"], cached["reason"]) == ("True", "FetchedByPods")


def test_an_offline_site_serves_what_is_mounted_and_refuses_hubs(
    control_plane: ControlPlane, room: Room, tmp_path: Path
) -> None:
    models = Models(room)
    installation = install(control_plane, tmp_path, "offline-system")
    with RunningOperator(installation, environment={"QWEN3_OPERATOR_OFFLINE": "true"}):
        models.apply("from-a-hub", source_spec("hf://Qwen/Qwen3-0.6B"))
        models.await_condition("from-a-hub", "ModelCached", "False", "HubOffline")
        assert models.children("from-a-hub") == {}
        models.apply("from-an-image", source_spec("oci://registry.example.com/qwen3:v1"))
        models.await_ready("from-an-image")
        models.delete_all()
