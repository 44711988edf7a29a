"""Plans, built with honest defaults: Qwen3-32B in bf16 on two H100."""

from __future__ import annotations

from typing import Any, cast

from qwen3_planner.plan import (
    Basis,
    Change,
    GpuMemory,
    Layout,
    Memory,
    Nearest,
    NoPlan,
    PlacedNode,
    Placement,
    Plan,
    Provenance,
    Refusal,
)
from qwen3_planner.units import GIB


def make_gpu(rank: int = 0, **figures: object) -> GpuMemory:
    """Return one GPU whose parts add up to its budget."""
    parts: dict[str, Any] = {
        "stage": 0,
        "weights_bytes": 32_845_000_000,
        "kv_cache_bytes": 42_939_000_000,
        "kv_needed_bytes": 5_368_709_120,
        "activation_bytes": 794_000_000,
        "graph_bytes": 375_000_000,
        "overhead_bytes": 1_267_000_000,
        "budget_bytes": 78_220_000_000,
        "device_bytes": 85_021_000_000,
    }
    return GpuMemory(rank=rank, **{**parts, **figures})


def make_memory(gpus: int = 2, **figures: object) -> Memory:
    """Return the memory of one replica on GPUs that are alike."""
    parts: dict[str, Any] = {
        "checkpoint_bytes": 65_524_246_528,
        "host_bytes": 16 * GIB,
        "per_gpu": tuple(make_gpu(rank) for rank in range(gpus)),
        "kv_cache_tokens": 327_600,
        "kv_cache_tokens_low": 320_256,
        "kv_cache_tokens_high": 334_944,
        "max_concurrency": 327_600 / 40_960,
    }
    return Memory(**{**parts, **figures})


def make_plan(**fields: object) -> Plan:
    """Return a plan; ``layout`` decides how many GPUs its memory and placement show."""
    layout = cast("Layout", fields.get("layout", Layout(tensor=2)))
    accelerator = str(fields.pop("accelerator", "H100-SXM-80GB"))
    nodes = tuple(PlacedNode(None, layout.gpus_per_node) for _ in range(layout.nodes_per_replica))
    parts: dict[str, Any] = {
        "variant": "Qwen3-32B",
        "parameters": 32_762_123_264,
        "source": "hf://Qwen/Qwen3-32B",
        "revision": None,
        "served_name": "Qwen3-32B",
        "engine": "vllm",
        "engine_version": "0.32.0",
        "quantization": "bf16",
        "kv_cache_dtype": "bf16",
        "max_model_len": 40_960,
        "replicas": 1,
        "layout": layout,
        "placement": Placement(accelerator, nodes),
        "memory": make_memory(layout.gpus_per_replica),
        "usd_per_hour": None,
        "provenance": (
            Provenance("memory.weights", Basis.EXACT, 0.0, "shapes of every tensor"),
            Provenance("memory.activation", Basis.FORMULA, 0.25, "vllm 0.32.0 model_runner.py"),
        ),
        "command": ("vllm", "serve", "Qwen/Qwen3-32B", "--tensor-parallel-size", "2"),
    }
    return Plan(**{**parts, **fields})


def make_refusal(**fields: object) -> Refusal:
    """Return a refusal for want of memory, with one fix."""
    parts: dict[str, Any] = {
        "rule": "InsufficientGPUMemory",
        "message": "Qwen3-32B in bf16 needs 62.5 GiB on the GPU; L40S-48GB has 40.8 GiB usable.",
        "quantization": "bf16",
        "layout": Layout(tensor=1),
        "accelerator": "L40S-48GB",
        "needed_bytes": 67_108_864_000,
        "available_bytes": 43_808_000_000,
        "fixes": (Change((("quantization", "fp8"),)),),
    }
    return Refusal(**{**parts, **fields})


def make_no_plan(**fields: object) -> NoPlan:
    """Return an answer that nothing fits, and what would."""
    parts: dict[str, Any] = {
        "variant": "Qwen3-32B",
        "parameters": 32_762_123_264,
        "source": "hf://Qwen/Qwen3-32B",
        "refusals": (make_refusal(),),
        "nearest": Nearest(Change((("quantization", "fp8"),)), make_plan(quantization="fp8")),
    }
    return NoPlan(**{**parts, **fields})
