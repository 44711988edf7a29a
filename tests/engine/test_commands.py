"""Every command that the planner renders, through vLLM's own parser into its configuration.

The GPU is described to vLLM as the catalog knows it, so that its defaults are those of the card.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_planner.candidates import pools_of
from qwen3_planner.engines.vllm.semantics import BLOCK_TOKENS
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import NoPlan
from qwen3_planner.planning import plan
from qwen3_planner.question import understand
from qwen3_planner.request import (
    Adapter,
    ChatSettings,
    EngineName,
    EngineTuning,
    KvCacheDtype,
    ParallelismWish,
    PlanRequest,
    Quantization,
    Workload,
)
from qwen3_planner.serving.registry import serving_of
from support.engine.commands import askable
from support.engine.environment import VLLM_VERSION
from support.engine.oracle import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.plan import Plan
    from support.engine.oracle import Oracle

pytestmark = pytest.mark.engine

HARDWARE = (
    "8xH100-SXM-80GB",
    "2x8xH100-SXM-80GB",
    "8xA100-SXM-80GB",
    "8xL4-24GB",
    "8xH200-SXM-141GB",
    "8xT4-16GB",
)
"""Each is asked of the engine as the GPU it names."""

KV_NAMES = {"bf16": ("auto", "bfloat16"), "fp16": ("auto", "float16"), "fp8": ("fp8", "fp8_e4m3")}


@dataclass(frozen=True, slots=True)
class Variation:
    """One way in which a request may differ from the plain one."""

    name: str
    fields: dict[str, Any] = field(default_factory=dict)


VARIATIONS = (
    Variation("plain"),
    Variation("short", {"max_model_len": 8192}),
    Variation("yarn-2", {"max_model_len": 65536}),
    Variation("yarn-4", {"max_model_len": 131072}),
    Variation("fp8-kv", {"kv_cache_dtype": KvCacheDtype.FP8}),
    Variation("tp2", {"parallelism": ParallelismWish(tensor=2)}),
    Variation("tp8", {"parallelism": ParallelismWish(tensor=8)}),
    Variation("pp2", {"parallelism": ParallelismWish(pipeline=2)}),
    Variation("tp2pp4", {"parallelism": ParallelismWish(tensor=2, pipeline=4)}),
    Variation("dp2", {"parallelism": ParallelismWish(data=2)}),
    Variation("ep4", {"parallelism": ParallelismWish(tensor=4, expert=4)}),
    Variation("dp4ep8", {"parallelism": ParallelismWish(tensor=2, data=4, expert=8)}),
    Variation("two-nodes", {"parallelism": ParallelismWish(tensor=8, pipeline=2)}),
    Variation("loaded", {"workload": Workload(64, 2048, 512), "max_model_len": 16384}),
    Variation("no-thinking", {"chat": ChatSettings(thinking=False)}),
    Variation("no-tools", {"chat": ChatSettings(tool_calling=False)}),
    Variation("share", {"tuning": EngineTuning(gpu_memory_utilization=0.85)}),
    Variation("few", {"tuning": EngineTuning(max_num_seqs=16)}),
    Variation("step", {"tuning": EngineTuning(max_num_batched_tokens=4096)}),
    Variation("both", {"tuning": EngineTuning(max_num_seqs=48, max_num_batched_tokens=1024)}),
    Variation("pool", {"tuning": EngineTuning(kv_cache_memory_bytes=4 * 2**30)}),
    Variation("eager", {"tuning": EngineTuning(enforce_eager=True)}),
    Variation("offload", {"tuning": EngineTuning(cpu_offload_gib=4.0)}),
    Variation("lora", {"tuning": EngineTuning(max_loras=4, max_lora_rank=32)}),
    Variation(
        "adapters",
        {
            "adapters": (
                Adapter("support", "hf://org/support", rank=16),
                Adapter("legal", "hf://org/legal", "v2", rank=40),
            )
        },
    ),
    Variation("drafts", {"tuning": EngineTuning(draft_model="Qwen3-0.6B", draft_tokens=3)}),
    Variation("renamed", {"served_name": "my-model", "revision": "main"}),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A request, the plan that answers it, and what the engine makes of its command."""

    name: str
    request: PlanRequest
    hardware: str
    plan: Plan
    made: dict[str, Any] | Refused

    def differences(self, expected: dict[str, Any]) -> list[str]:
        """Say where the engine's configuration is not what is expected."""
        if isinstance(self.made, Refused):
            return []  # told by a test of its own
        return [
            f"{self.name}: {key} is {self.made[key]}, planned {value}"
            for key, value in expected.items()
            if self.made[key] != value
        ]


@pytest.fixture(scope="module")
def rows(
    catalog: Catalog,
    oracle_on: Callable[[str], Oracle],
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Row]:
    """Every plan of the product with what the engine makes of its command."""
    folder = tmp_path_factory.mktemp("models")
    found = []
    for name, request, hardware in _requests(catalog):
        try:
            answer = plan(request, parse_hardware(hardware, catalog), catalog)
        except SpecError:  # a draft model with another vocabulary, adapters on a pooling model
            continue
        if isinstance(answer, NoPlan):
            continue
        command = askable(answer, catalog, folder)
        made = oracle_on(answer.placement.accelerator).configure(command.words, command.env)
        found.append(Row(name, request, hardware, answer, made))
    return found


def _requests(catalog: Catalog) -> Iterator[tuple[str, PlanRequest, str]]:
    for model in catalog.models:
        known = {row.quantization for row in catalog.checkpoints_of(model.name)}
        formats = [q for q in Quantization if q.value in known and not q.is_gguf]
        for quantization, hardware in itertools.product(formats, HARDWARE):
            base = PlanRequest(model.name, engine=EngineName.VLLM, quantization=quantization)
            yield f"{model.name} {quantization} on {hardware}", base, hardware
        base = PlanRequest(model.name, engine=EngineName.VLLM, quantization=Quantization.BF16)
        for variation in VARIATIONS:
            hardware = "2x8xH100-SXM-80GB" if variation.name == "two-nodes" else HARDWARE[0]
            request = replace(base, **variation.fields)
            yield f"{model.name} {variation.name}", request, hardware


def test_every_rendered_command_makes_a_configuration(rows: list[Row]) -> None:
    refused = [
        f"{row.name}: {' '.join(row.plan.command)}: {row.made.text}"
        for row in rows
        if isinstance(row.made, Refused)
    ]
    assert refused == []
    assert len(rows) > 500  # else the product has shrunk unseen
    assert {row.plan.engine_version for row in rows} == {VLLM_VERSION}


def test_the_configuration_is_the_plan(rows: list[Row]) -> None:
    wrong = []
    for row in rows:
        layout = row.plan.layout
        wrong += row.differences(
            {
                "max_model_len": row.plan.max_model_len,
                "tensor": layout.tensor,
                "pipeline": layout.pipeline,
                "data": layout.data,
                "expert_parallel": layout.expert > 1,
                "nnodes": layout.nodes_per_replica,
            }
        )
        cache = None if isinstance(row.made, Refused) else row.made["kv_cache_dtype"]
        if cache is not None and cache not in KV_NAMES[row.plan.kv_cache_dtype]:
            wrong.append(f"{row.name}: KV {cache}, planned {row.plan.kv_cache_dtype}")
    assert wrong == []


def test_what_is_left_to_the_engine_is_what_is_planned_with(
    catalog: Catalog, rows: list[Row]
) -> None:
    wrong = []
    for row in rows:
        inventory = parse_hardware(row.hardware, catalog)
        question = understand(row.request, inventory, catalog)
        (pool,) = pools_of(inventory, ())
        setting = serving_of(EngineName.VLLM).setting(question, pool)
        wrong += row.differences(
            {
                "utilization": setting.utilization,
                "max_num_batched_tokens": setting.batch.tokens,
                "max_num_seqs": setting.batch.seqs,
                "block_size": BLOCK_TOKENS,
            }
        )
    assert wrong == []


def test_settings_of_the_user_reach_the_engine(rows: list[Row]) -> None:
    wrong = []
    for row in rows:
        tuning, room = row.request.tuning, row.plan.lora
        wrong += row.differences(
            {
                "kv_cache_memory_bytes": tuning.kv_cache_memory_bytes,
                "cpu_offload_gib": tuning.cpu_offload_gib or 0.0,
                "enforce_eager": tuning.enforce_eager or False,
                "max_loras": room.slots if room else None,
                "max_lora_rank": room.rank if room else None,
                "served_names": row.plan.served_name,
            }
        )
    assert wrong == []
