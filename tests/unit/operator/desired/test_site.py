"""What an installation decides about images: where they come from, and with which Secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_operator.desired.pod_template import make_pod_template
from qwen3_operator.desired.pool import Pool
from qwen3_operator.desired.site import mirrored, site_for
from qwen3_planner.api.conversion import parse
from qwen3_planner.catalog.loading import load_catalog
from support.plan_builders import make_plan

if TYPE_CHECKING:
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.catalog.rows import EngineRelease

SITE = site_for({}, load_catalog())
POOL = Pool(
    "H100-SXM-80GB", "nvidia.com/gpu", (("nvidia.com/gpu.product", "In", ("NVIDIA-H100",)),)
)
DIGEST = "sha256:" + "0" * 64
ONE = {"*": "mirror.example.com:5000"}
EACH = {"docker.io": "harbor.example.com/dockerhub", "ghcr.io": "harbor.example.com/ghcr"}


def resource(**spec: object) -> Qwen3Deployment:
    return parse(
        {
            "apiVersion": "serving.qwen3.dev/v1alpha1",
            "kind": "Qwen3Deployment",
            "metadata": {"name": "m", "namespace": "ns", "uid": "u"},
            "spec": {"model": {"variant": "Qwen3-32B"}, **spec},
        }
    )


@pytest.mark.parametrize(
    ("image", "registries", "taken"),
    [
        pytest.param(
            "vllm/vllm-openai:v0.9.0",
            ONE,
            "mirror.example.com:5000/vllm/vllm-openai:v0.9.0",
            id="no registry is Docker Hub",
        ),
        pytest.param(
            "docker.io/lmsysorg/sglang:v0.5.9",
            ONE,
            "mirror.example.com:5000/lmsysorg/sglang:v0.5.9",
            id="Docker Hub by its name",
        ),
        pytest.param(
            "ghcr.io/ggml-org/llama.cpp:server-b11549",
            ONE,
            "mirror.example.com:5000/ggml-org/llama.cpp:server-b11549",
            id="another registry goes",
        ),
        pytest.param(
            f"ghcr.io/ggml-org/llama.cpp:server@{DIGEST}",
            ONE,
            f"mirror.example.com:5000/ggml-org/llama.cpp:server@{DIGEST}",
            id="tag and digest stay",
        ),
        pytest.param(
            "python:3.13", ONE, "mirror.example.com:5000/library/python:3.13", id="official"
        ),
        pytest.param(
            "localhost/engine:1", ONE, "mirror.example.com:5000/engine:1", id="localhost is one"
        ),
        pytest.param(
            "registry.local:5000/engine:1",
            {"registry.local:5000": "mirror.example.com"},
            "mirror.example.com/engine:1",
            id="a registry with a port",
        ),
        pytest.param(
            "vllm/vllm-openai:v0.9.0",
            EACH,
            "harbor.example.com/dockerhub/vllm/vllm-openai:v0.9.0",
            id="a project for each registry",
        ),
        pytest.param(
            "ghcr.io/a/b:1", EACH | ONE, "harbor.example.com/ghcr/a/b:1", id="a name beats *"
        ),
        pytest.param("quay.io/a/b:1", EACH, "quay.io/a/b:1", id="not named, no *: as it is"),
        pytest.param(
            "mirror.example.com:5000/vllm/vllm-openai:v1",
            ONE,
            "mirror.example.com:5000/vllm/vllm-openai:v1",
            id="what is there stays",
        ),
        pytest.param("vllm/vllm-openai:v1", {}, "vllm/vllm-openai:v1", id="no mirror"),
    ],
)
def test_an_image_is_taken_from_the_mirror(
    image: str, registries: dict[str, str], taken: str
) -> None:
    assert mirrored(image, registries) == taken


@pytest.mark.parametrize("engine", load_catalog().engines, ids=lambda engine: engine.name)
def test_every_image_of_the_catalog_keeps_its_path_and_its_tag(engine: EngineRelease) -> None:
    for _, image in engine.images:
        moved = mirrored(image, ONE)
        assert moved.startswith("mirror.example.com:5000/")
        assert moved.removeprefix("mirror.example.com:5000/") == image.removeprefix("ghcr.io/")


def test_only_what_the_catalog_names_is_moved() -> None:
    plan = make_plan(engine="vllm", engine_version="0.32.0")
    moved = replace(SITE, image_registries=ONE)
    own = replace(
        site_for({"vllm": "docker.io/me/vllm:v{version}"}, load_catalog()), image_registries=ONE
    )

    assert moved.image(plan) == "mirror.example.com:5000/vllm/vllm-openai:v0.32.0"
    assert own.image(plan) == "docker.io/me/vllm:v0.32.0"
    written_out = {"version": "0.32.0", "image": "docker.io/me/vllm:mine"}
    template = make_pod_template(resource(engine=written_out), plan, moved, POOL)
    assert template["spec"]["containers"][0]["image"] == "docker.io/me/vllm:mine"


def test_the_sites_pull_secrets_come_after_the_resources_own_and_once() -> None:
    site = replace(SITE, image_pull_secrets=("site", "shared"))
    own = resource(imagePullSecrets=[{"name": "own"}, {"name": "shared"}])

    template = make_pod_template(own, make_plan(), site, POOL)
    plain = make_pod_template(resource(), make_plan(), SITE, POOL)

    names = [secret["name"] for secret in template["spec"]["imagePullSecrets"]]
    assert names == ["own", "shared", "site"]
    assert "imagePullSecrets" not in plain["spec"]
