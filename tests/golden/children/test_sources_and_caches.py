"""Every source with every kind of cache: where the engine finds the weights, who brings them."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen3_planner.errors import SpecError
from support.children import children_of, shared_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from golden.conftest import Golden

HERE = Path(__file__).parent

SOURCES = {
    "left out": None,
    "hf": "hf://Qwen/Qwen3-8B",
    "modelscope": "modelscope://Qwen/Qwen3-8B",
    "pvc": "pvc://models/qwen3/8b",
    "oci": "oci://registry.example.com/qwen3:8b#weights",
}

CACHES: dict[str, dict[str, Any] | None] = {
    "none": None,
    "a claim that is made": {"persistentVolumeClaim": {}},
    "a claim that exists": {"persistentVolumeClaim": {"claimName": "cache"}},
    "hostPath": {"hostPath": {"path": "/var/lib/models"}},
    "emptyDir": {"emptyDir": {"sizeLimit": "20Gi"}},
    "image": {"image": {"reference": "registry.example.com/cache:1", "folder": "w"}},
}

ENGINES = ("vllm", "sglang", "llamacpp")


def case_of(source: str | None, cache: dict[str, Any] | None, engine: str) -> dict[str, Any]:
    model = {"variant": "Qwen3-8B", **({"source": source} if source else {})}
    spec: dict[str, Any] = {"model": model, "engine": {"name": engine}, "maxModelLen": 16384}
    if engine == "llamacpp":
        spec["quantization"] = "gguf:Q4_K_M"
        if source and "://Qwen/" in source:
            model["source"] = f"{source}-GGUF"
    if cache is not None:
        spec["cache"] = cache
    metadata = {"name": "q", "namespace": "team-a", "uid": "1", "generation": 1}
    return {
        "resource": {
            "apiVersion": "serving.qwen3.dev/v1alpha1",
            "kind": "Qwen3Deployment",
            "metadata": metadata,
            "spec": spec,
        },
        "nodes": [{"name": "l40s-0", "product": "L40S-48GB", "gpus": 1}],
    }


def told(case: dict[str, Any]) -> str:
    """Say in a line what a pod mounts, reads and asks, and what is made beside it."""
    try:
        deployment = children_of(case)[0]
    except SpecError as error:
        return f"refused: {error}"
    pod = deployment["spec"]["template"]["spec"]
    engine = pod["containers"][0]
    mounts = [v for v in pod["volumes"] if v["name"] == "weights"]
    kinds = [", ".join(sorted(set(volume) - {"name"})) for volume in mounts] or ["nothing"]
    env = {one["name"]: one.get("value") for one in engine["env"]}
    asks = "asks no hub" if env.get("HF_HUB_OFFLINE") == "1" else "asks the hub"
    if engine["command"][-1].endswith("llama-server"):
        asks = "asks the hub" if "--hf-repo" in engine["args"] else "asks no hub"
    made = " and ".join(child["kind"] for child in shared_of(case)) or "nothing"
    return f"mounts {kinds[0]}; reads {model_in(engine)}; {asks}; made: {made}"


def model_in(engine: dict[str, Any]) -> str:
    words: list[str] = engine["args"]
    for flag in ("--model-path", "--model", "--hf-repo"):
        if flag in words:
            return words[words.index(flag) + 1]
    return words[0]


def lines() -> Iterator[str]:
    for engine, (source, url), (cache, spec) in product(ENGINES, SOURCES.items(), CACHES.items()):
        yield f"{engine}, source {source}, cache {cache}: {told(case_of(url, spec, engine))}"


def test_every_source_goes_with_every_cache_as_it_did(golden: Golden) -> None:
    golden.check(HERE / "sources-and-caches.out.txt", "\n".join(lines()) + "\n")
