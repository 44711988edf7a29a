"""Where an engine in a container finds its weights, and its leader where a replica spans nodes."""

from __future__ import annotations

from typing import Final

from qwen3_planner.errors import SpecError
from qwen3_planner.request import MODEL_MOUNT_PATH

LEADER_ADDRESS: Final = "$(LEADER_ADDRESS)"
"""Address of rank 0 where a replica spans nodes; whoever starts the ranks fills it in."""

HUGGING_FACE: Final = "hf"
MODELSCOPE: Final = "modelscope"
CLAIM: Final = "pvc"
IMAGE: Final = "oci"

HUBS: Final = (HUGGING_FACE, MODELSCOPE)
"""Schemes of sources from which an engine fetches its weights by itself."""

VOLUMES: Final = (CLAIM, IMAGE)
"""Schemes of sources that are mounted: nothing is fetched."""

MODELSCOPE_SWITCHES: Final = {
    "vllm": ("VLLM_USE_MODELSCOPE", "true"),
    "sglang": ("SGLANG_USE_MODELSCOPE", "true"),
    "llamacpp": ("MODEL_ENDPOINT", "https://www.modelscope.cn/"),
}
"""What makes each engine fetch from ModelScope. Source: vLLM 0.32.0 ``vllm/envs.py``, PyPI sglang
0.5.23 ``sglang/srt/environ.py``, ggml-org/llama.cpp README.md (MODEL_ENDPOINT)."""

_CHOICES = (
    "hf://organization/name",
    "modelscope://organization/name",
    "pvc://claim/path",
    "oci://image#folder",
)


def scheme_of(source: str) -> str:
    """Return what kind of place a source is.

    >>> scheme_of("hf://Qwen/Qwen3-32B"), scheme_of("oci://registry.local/qwen:1"), scheme_of("x")
    ('hf', 'oci', '')
    """
    scheme, separator, _ = source.partition("://")
    return scheme if separator else ""


def is_on_hub(source: str) -> bool:
    """Whether an engine fetches such weights by itself."""
    return scheme_of(source) in HUBS


def is_on_volume(source: str) -> bool:
    """Whether such weights are mounted, complete, with the container."""
    return scheme_of(source) in VOLUMES


def is_same_source(one: str, other: str) -> bool:
    """Whether two sources hold the same files: Qwen uploads to both hubs under one name.

    >>> is_same_source("hf://Qwen/Qwen3-8B", "modelscope://Qwen/Qwen3-8B")
    True
    >>> is_same_source("hf://me/Qwen3-8B", "modelscope://me/Qwen3-8B")
    False
    """
    return one == other or (_of_qwen(one) is not None and _of_qwen(one) == _of_qwen(other))


def _of_qwen(source: str) -> str | None:
    repository = source.partition("://")[2]
    return repository if is_on_hub(source) and repository.startswith("Qwen/") else None


def image_of_weights(source: str) -> tuple[str, str]:
    """Split ``oci://image#folder`` into the image and the folder in it; empty: its root.

    >>> image_of_weights("oci://registry.local:5000/qwen3-32b:v1#models/main")
    ('registry.local:5000/qwen3-32b:v1', 'models/main')
    """
    image, _, folder = source.removeprefix(f"{IMAGE}://").partition("#")
    return image, folder.strip("/")


def cached_folder(source: str, revision: str | None) -> str:
    """Return the folder of a source in a cache, relative to the cache.

    >>> cached_folder("hf://Qwen/Qwen3-32B", None), cached_folder("hf://me/q", "refs/pr/1")
    ('hf/Qwen/Qwen3-32B/default', 'hf/me/q/refs_pr_1')
    """
    name = "".join(c if c.isalnum() or c in "-._" else "_" for c in revision or "default")
    return f"{scheme_of(source)}/{source.partition('://')[2]}/{name}"


def located(source: str, revision: str | None, weights_at: str | None) -> str:
    """Return where the engine finds the weights of a source: there, or where they were brought to.

    >>> located("hf://Qwen/Q", None, None), located("hf://Qwen/Q", "v1", "/models/")
    ('hf://Qwen/Q', 'file:///models/hf/Qwen/Q/v1')
    >>> located("hf://Qwen/Q", "v1", "/models/14b"), located("pvc://c/q", None, "/models/")
    ('file:///models/14b', 'pvc://c/q')
    """
    if weights_at is None or not is_on_hub(source):
        return source
    below = cached_folder(source, revision) if weights_at.endswith("/") else ""
    return f"file://{weights_at}{below}"


def model_argument(source: str) -> str:
    """Turn the URL of the weights into what an engine takes as model.

    >>> model_argument("hf://Qwen/Qwen3-32B"), model_argument("pvc://weights/Qwen3-32B")
    ('Qwen/Qwen3-32B', '/models/Qwen3-32B')
    >>> model_argument("oci://registry.local/qwen3-32b:v1"), model_argument("oci://q:1#32b")
    ('/models', '/models/32b')
    >>> model_argument("file:///home/me/tuned")  # a folder on the machine that plans
    '/home/me/tuned'

    Raises:
        SpecError: the scheme is not one that this release serves from.
    """
    scheme, rest = scheme_of(source), source.partition("://")[2]
    if scheme in HUBS and rest.strip("/"):
        return rest
    if scheme == "file" and rest.startswith("/"):
        return rest
    if scheme == CLAIM:
        claim, _, path = rest.partition("/")
        if claim:
            return f"{MODEL_MOUNT_PATH}/{path}".rstrip("/")
    if scheme == IMAGE and rest:
        return f"{MODEL_MOUNT_PATH}/{image_of_weights(source)[1]}".rstrip("/")
    raise SpecError("source", source, "is not a source that this release serves from", _CHOICES)


def source_environment(source: str, engine: str) -> tuple[tuple[str, str], ...]:
    """Return the environment that follows from where the weights are.

    Weights on a volume are complete, so no hub is asked for them.

    >>> source_environment("pvc://weights/q", "vllm"), source_environment("hf://Qwen/Q", "vllm")
    ((('HF_HUB_OFFLINE', '1'),), ())
    >>> source_environment("modelscope://Qwen/Q", "sglang")
    (('SGLANG_USE_MODELSCOPE', 'true'),)
    """
    if scheme_of(source) == MODELSCOPE:
        return (MODELSCOPE_SWITCHES[engine],)
    if is_on_volume(source) and engine != "llamacpp":  # it asks no hub for a file it is given
        return (("HF_HUB_OFFLINE", "1"),)
    return ()
