"""Real starts on the CPU: weights of every worker and KV tokens are the planner's, to the byte.

Few layers, small widths and a small vocabulary; heads, KV heads and experts as the variants have
them. The KV pool is 1 GiB per worker, its blocks are 128 tokens as on every CPU.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.plan import Layout
from qwen3_planner.request import KvCacheDtype
from qwen3_planner.sizing.formats import BF16
from qwen3_planner.sizing.kv_cache import kv_bytes_per_32, kv_shape, token_bytes
from qwen3_planner.sizing.weights import stage_layers
from qwen3_planner.units import GIB
from support.engine.agreement import difference, places
from support.engine.model_folders import write_model
from support.engine.starting import CPU_BLOCK_TOKENS, KV_SPACE_GIB, start_each

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog, ModelArchitecture
    from support.engine.environment import EngineEnvironment
    from support.engine.rig import Rig
    from support.engine.starting import Started

pytestmark = pytest.mark.engine


@dataclass(frozen=True, slots=True)
class Case:
    """A model in small, a layout, a context."""

    variant: str
    layers: int
    layout: Layout
    max_model_len: int


CASES = (
    Case("Qwen3-14B", 2, Layout(2), 1000),  # 40 heads; no multiple of a block
    Case("Qwen3-32B", 3, Layout(1, 2), 2048),  # 2 layers and 1: the larger stage decides
    Case("Qwen3-30B-A3B", 2, Layout(2, expert=2), 4096),  # 64 whole experts each
)
KV_WIDTH = kv_bytes_per_32(KvCacheDtype.BF16)


def in_small(model: ModelArchitecture, layers: int) -> ModelArchitecture:
    """Keep heads and experts, shrink everything else."""
    return replace(
        model,
        layers=layers,
        hidden_size=256,
        intermediate_size=512,
        moe_intermediate_size=64 if model.is_moe else 0,
        vocab_size=1024,
        max_position_embeddings=4096,
    )


@pytest.fixture(scope="module")
def started(
    engine: EngineEnvironment, catalog: Catalog, tmp_path_factory: pytest.TempPathFactory
) -> dict[Case, Started]:
    """Every case, started one after the other in one process."""
    folder = tmp_path_factory.mktemp("starting")
    options = []
    for case in CASES:
        model = in_small(catalog.model(case.variant), case.layers)
        options.append(
            {
                "model": str(write_model(folder / case.variant, model)),
                "tensor_parallel_size": case.layout.tensor,
                "pipeline_parallel_size": case.layout.pipeline,
                "enable_expert_parallel": case.layout.expert > 1,
                "max_model_len": case.max_model_len,
            }
        )
    return dict(zip(CASES, start_each(engine, options, folder), strict=True))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.variant} {case.layout}")
def test_every_worker_holds_exactly_the_planned_tensors(
    case: Case, started: dict[Case, Started], rig: Rig
) -> None:
    model = in_small(rig.catalog.model(case.variant), case.layers)
    workers = started[case].workers
    assert len(workers) == case.layout.gpus_per_replica
    for place, held in zip(places(case.layout), workers, strict=True):
        both = difference(rig.planned("H100-SXM-80GB", model, BF16, case.layout, place), held)
        assert not both.planner_only, str(both)
        assert not both.engine_only, str(both)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.variant} {case.layout}")
def test_the_log_names_the_planned_kv_tokens(
    case: Case, started: dict[Case, Started], catalog: Catalog
) -> None:
    model, layout = in_small(catalog.model(case.variant), case.layers), case.layout
    shape = kv_shape(model, layout.tensor, KV_WIDTH, CPU_BLOCK_TOKENS)
    most = max(stage_layers(model.layers, layout.pipeline))
    block = CPU_BLOCK_TOKENS * token_bytes(model, layout.tensor, most, KV_WIDTH)
    blocks = KV_SPACE_GIB * GIB // block
    found = started[case]
    assert found.block_tokens == CPU_BLOCK_TOKENS
    assert found.blocks == blocks
    assert found.logged_tokens == shape.logged_tokens(blocks, case.max_model_len)
