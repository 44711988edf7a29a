"""The KV pool: blocks, tokens and bytes of each rank, divided by vLLM's own code.

A plan says what is left on each GPU and what pool comes of it; vLLM is given the same command and
the same memory, builds the attention layers of each stage, and must come to the same pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import NoPlan
from qwen3_planner.planning import plan
from qwen3_planner.request import (
    EngineName,
    KvCacheDtype,
    ParallelismWish,
    PlanRequest,
    Quantization,
)
from support.engine.commands import askable
from support.engine.oracle import Refused

if TYPE_CHECKING:
    from qwen3_planner.plan import GpuMemory, Plan
    from support.engine.rig import Rig

pytestmark = pytest.mark.engine

H100, A100, L4 = "8xH100-SXM-80GB", "8xA100-SXM-80GB", "8xL4-24GB"
FP8 = KvCacheDtype.FP8


@dataclass(frozen=True, slots=True)
class Case:
    """A model on some GPUs.

    Attributes:
        model: catalog name.
        hardware: short form.
        tensor: ranks of a stage.
        pipeline: stages.
        context: tokens; None: what the planner finds.
        cache: element type of the KV cache.
    """

    model: str
    hardware: str
    tensor: int = 1
    pipeline: int = 1
    context: int | None = None
    cache: KvCacheDtype = KvCacheDtype.AUTO

    def __str__(self) -> str:
        return f"{self.model} on {self.hardware} tp{self.tensor} pp{self.pipeline}"


CASES = (
    Case("Qwen3-0.6B", L4),
    Case("Qwen3-4B", L4, 2, context=32000),
    Case("Qwen3-8B", A100, 1, 3),  # 36 layers on 3 stages
    Case("Qwen3-8B", H100, context=100000, cache=FP8),
    Case("Qwen3-8B", H100, context=20001),  # no multiple of a block
    Case("Qwen3-14B", H100, 2, 3),  # 40 layers: 13, 14, 13
    Case("Qwen3-14B", A100, 8, context=131072),
    Case("Qwen3-32B", H100, 2),
    Case("Qwen3-32B", H100, 4, 2, 20001, FP8),
    Case("Qwen3-30B-A3B", H100),
    Case("Qwen3-30B-A3B", A100, 8),  # 4 KV heads on 8 ranks
    Case("Qwen3-30B-A3B", A100, 2, 4, 16384),
    Case("Qwen3-235B-A22B", "16xH100-SXM-80GB", 4, 4),  # 94 layers: 23, 24, 24, 23
    Case("Qwen3-Next-80B-A3B-Instruct", H100, 4),
    Case("Qwen3-VL-8B-Instruct", H100, 2),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_engine_divides_the_planned_memory_into_the_planned_pool(case: Case, rig: Rig) -> None:
    answer = _plan(case, rig)
    stages = _stages(answer)
    command = askable(answer, rig.catalog, rig.folder)
    ranks = [stage * case.tensor for stage in range(case.pipeline)]
    pool = rig.oracle(answer.placement.accelerator).kv_pool(
        command.words, ranks, [_left(gpu) for gpu in stages], command.env
    )
    assert not isinstance(pool, Refused), pool
    assert pool["tokens"] == answer.memory.kv_cache_tokens
    assert pool["bytes_per_rank"] == [gpu.kv_cache_bytes for gpu in stages]
    assert round(pool["concurrency"], 2) == pytest.approx(answer.memory.max_concurrency, abs=0.011)


@pytest.mark.parametrize(
    "case", [Case("Qwen3-8B", H100, context=20000), Case("Qwen3-30B-A3B", H100, 2, context=20000)]
)
def test_one_request_and_the_null_block_are_the_least_that_starts(case: Case, rig: Rig) -> None:
    answer = _plan(case, rig)
    command = askable(answer, rig.catalog, rig.folder)
    oracle = rig.oracle(answer.placement.accelerator)
    needed = answer.memory.per_gpu[0].kv_needed_bytes
    enough = oracle.kv_pool(command.words, [0], [needed], command.env)
    assert not isinstance(enough, Refused), enough
    short = oracle.kv_pool(command.words, [0], [needed - 1], command.env)
    assert isinstance(short, Refused)
    assert short.says("To serve at least one request with the model's max seq len (20000)")


def _plan(case: Case, rig: Rig) -> Plan:
    request = PlanRequest(
        case.model,
        engine=EngineName.VLLM,
        quantization=Quantization.BF16,
        kv_cache_dtype=case.cache,
        parallelism=ParallelismWish(tensor=case.tensor, pipeline=case.pipeline),
        max_model_len=case.context,
    )
    answer = plan(request, parse_hardware(case.hardware, rig.catalog), rig.catalog)
    assert not isinstance(answer, NoPlan), answer
    return answer


def _stages(answer: Plan) -> list[GpuMemory]:
    """Return the first GPU of each stage; the others of a stage are alike."""
    return [
        next(gpu for gpu in answer.memory.per_gpu if gpu.stage == stage)
        for stage in range(answer.layout.pipeline)
    ]


def _left(gpu: GpuMemory) -> int:
    """Return what is left for the KV pool, as the engine's start-up would find it."""
    used = gpu.weights_bytes + gpu.activation_bytes + gpu.graph_bytes + gpu.overhead_bytes
    return gpu.budget_bytes - used
