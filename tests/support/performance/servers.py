"""Servers with honest defaults, from the catalog that ships."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.performance.efficiency import efficiency_of
from qwen3_planner.performance.gguf_work import gguf_work
from qwen3_planner.performance.load import Limits, Server, Stage
from qwen3_planner.performance.machine import device_class, format_class, machine_of
from qwen3_planner.performance.work import stage_works
from qwen3_planner.plan import Layout
from qwen3_planner.request import Quantization
from qwen3_planner.sizing.formats import BF16, WeightFormat, WeightKind

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Accelerator

FP8 = WeightFormat(Quantization.FP8, WeightKind.FP8_BLOCK, 128, 128)
AWQ = WeightFormat(Quantization.AWQ_INT4, WeightKind.INT4_GROUP, group_size=128)

NVFP4 = WeightFormat(Quantization.NVFP4, WeightKind.NVFP4_GROUP, group_size=16)

FORMATS = {"bf16": BF16, "fp8": FP8, "awq-int4": AWQ, "nvfp4": NVFP4}

PLENTY = 10**9
"""KV tokens that no load of these tests fills."""


def a_server(  # noqa: PLR0913 - each is a fact of its own
    model: str = "Qwen3-32B",
    accelerator: str | Accelerator = "H100-SXM-80GB",
    *,
    quantization: str = "bf16",
    engine: str = "vllm",
    layout: Layout = Layout(2),  # noqa: B008 - frozen
    kv_tokens: int = PLENTY,
    sequences: int = 1024,
    step_tokens: int = 8192,
    kv_bytes_per_32: int = 64,
) -> Server:
    card = load_catalog().accelerator(accelerator) if isinstance(accelerator, str) else accelerator
    variant, fmt = load_catalog().model(model), FORMATS[quantization]
    row = efficiency_of(
        load_catalog().efficiencies,
        engine,
        parse_version("0.32.0" if engine == "vllm" else "0.5.10"),
        device=device_class(card),
        weights=format_class(fmt),
        kind="moe" if variant.is_moe else "dense",
        subject=(model, card.name),
    )
    assert row is not None
    machine = machine_of(card, fmt, layout, has_experts=variant.is_moe)
    works = stage_works(variant, fmt, layout, kv_bytes_per_32)
    return Server(
        tuple(Stage(work, machine, row) for work in works),
        row,
        Limits(sequences, step_tokens, kv_tokens),
        layout.data,
        subject=(model, card.name),
    )


def a_gguf_server(model: str, accelerator: str, file_type: str = "Q4_K_M") -> Server:
    """Put a model on one device of llama.cpp's."""
    card, variant = load_catalog().accelerator(accelerator), load_catalog().model(model)
    fmt = WeightFormat(Quantization(f"gguf:{file_type}"), WeightKind.GGUF)
    row = efficiency_of(
        load_catalog().efficiencies,
        "llamacpp",
        parse_version("b11549"),
        device=device_class(card),
        weights=format_class(fmt),
        kind="moe" if variant.is_moe else "dense",
        subject=(model, card.name),
    )
    assert row is not None
    machine = machine_of(card, fmt, Layout(), has_experts=variant.is_moe)
    works = gguf_work(variant, file_type, Layout(), 64).devices
    stages = tuple(Stage(work, machine, row) for work in works)
    limits = Limits(1, 512, PLENTY)
    return Server(stages, row, limits, is_pipelined=False, subject=(model, card.name))


@lru_cache(maxsize=1)
def gpus() -> tuple[str, ...]:
    """Names of every GPU of the catalog."""
    return tuple(row.name for row in load_catalog().accelerators if row.device_class == "gpu")
