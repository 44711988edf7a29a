"""Random questions to the planner: mostly sensible, often without a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from hypothesis import strategies as st

from qwen3_planner.request import (
    EngineName,
    EngineTuning,
    KvCacheDtype,
    Objective,
    ParallelismWish,
    PlanRequest,
    Quantization,
    Targets,
    Workload,
)
from support.planner_builders import VARIANTS

GPUS = (
    "T4-16GB",
    "L4-24GB",
    "RTX-3090-24GB",
    "RTX-4090-24GB",
    "L40S-48GB",
    "A100-SXM-40GB",
    "A100-SXM-80GB",
    "H100-SXM-80GB",
    "H200-SXM-141GB",
    "B200-SXM-180GB",
    "MI300X-192GB",
)

T = TypeVar("T")

VERSIONS = {
    EngineName.VLLM: (
        "0.8.4",
        "0.8.5",
        "0.9.2",
        "0.11.0",
        "0.18",
        "0.21.0",
        "0.28.0",
        "0.32.0",
        "0.40.1.post2",
    ),
    EngineName.SGLANG: ("0.4.6.post1", "0.4.10", "0.5.1", "0.5.14", "0.5.23"),
    EngineName.LLAMACPP: ("b5092", "b6887", "b11549"),
}

RELATIVES = (
    "Qwen3-Coder-30B-A3B-Instruct",
    "Qwen3-VL-8B-Instruct",
    "Qwen3-Next-80B-A3B-Instruct",
    "Qwen3-Embedding-0.6B",
    "Qwen3-Reranker-4B",
)


def maybe(values: st.SearchStrategy[int]) -> st.SearchStrategy[int | None]:
    return st.none() | values


def mostly(usual: T, other: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Draw what nobody asked for two times out of three."""
    return st.integers(0, 2).flatmap(lambda n: other if n == 2 else st.just(usual))


gpu_pools = st.builds(
    lambda nodes, gpus, name: f"{nodes}x{gpus}x{name}",
    st.integers(1, 4),
    st.sampled_from((1, 2, 3, 4, 8)),
    st.sampled_from(GPUS),
)

small_machines = st.sampled_from(("1x1xRaspberryPi5-8GB", "2x1xApple-M2-Pro-32GB"))

hardware_texts = st.lists(
    gpu_pools | gpu_pools | gpu_pools | small_machines,
    min_size=1,
    max_size=2,
    unique_by=lambda text: text.split("x", 2)[2],
).map(",".join)

wishes = st.builds(
    ParallelismWish,
    tensor=maybe(st.integers(1, 16)),
    pipeline=maybe(st.integers(1, 4)),
    data=maybe(st.sampled_from((1, 2))),
    expert=maybe(st.sampled_from((1, 2, 4, 8, 16))),
)

loads = st.builds(
    Workload,
    concurrency=st.sampled_from((1, 2, 7, 64, 1000)),
    input_tokens=maybe(st.sampled_from((1, 1000, 30000, 200000))),
    output_tokens=maybe(st.sampled_from((1, 500, 9000))),
)

tunings = st.builds(
    EngineTuning,
    gpu_memory_utilization=st.none() | st.sampled_from((0.3, 0.5, 0.85, 0.95)),
    max_num_seqs=maybe(st.sampled_from((1, 32, 256, 4096))),
    max_num_batched_tokens=maybe(st.sampled_from((64, 2048, 16384))),
)

targets = st.builds(
    Targets,
    ttft_ms=maybe(st.sampled_from((5, 200, 5000))),
    tpot_ms=maybe(st.sampled_from((1, 15, 100))),
    output_tokens_per_second=maybe(st.sampled_from((10, 1000, 100000))),
    requests_per_second=st.none() | st.sampled_from((0.1, 5.0, 200.0)),
)

engines = st.sampled_from(
    [(engine, version) for engine, listed in VERSIONS.items() for version in (None, *listed)]
)


def _on(engine: tuple[EngineName, str | None], request: PlanRequest) -> PlanRequest:
    wanted = request.targets
    if "Embedding" in request.model or "Reranker" in request.model:  # they generate nothing
        wanted = Targets(ttft_ms=wanted.ttft_ms)
    return replace(request, engine=engine[0], engine_version=engine[1], targets=wanted)


_requests = st.builds(
    PlanRequest,
    model=st.sampled_from((*VARIANTS, *RELATIVES)),
    quantization=mostly(Quantization.AUTO, st.sampled_from(list(Quantization))),
    kv_cache_dtype=mostly(KvCacheDtype.AUTO, st.sampled_from(list(KvCacheDtype))),
    parallelism=mostly(ParallelismWish(), wishes),
    replicas=mostly(1, st.sampled_from((2, 5))),
    max_model_len=mostly(None, st.sampled_from((16, 1000, 8192, 40960, 65536, 131072, 200000))),
    workload=mostly(Workload(), loads),
    tuning=mostly(EngineTuning(), tunings),
    targets=mostly(Targets(), targets),
    objective=mostly(Objective.COST, st.sampled_from(list(Objective))),
    replicas_are_open=st.booleans(),
    accelerators=mostly(
        (), st.lists(st.sampled_from(GPUS), min_size=1, max_size=2, unique=True).map(tuple)
    ),
    max_gpus=mostly(None, st.sampled_from((1, 2, 4, 8))),
    max_nodes_per_replica=mostly(None, st.just(1)),
)

requests = st.builds(_on, mostly((EngineName.AUTO, None), engines), _requests)
