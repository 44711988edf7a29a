"""Measured speeds as rows: read, split into fitted and tested ones, and predicted."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.rows import Accelerator, AcceleratorClass
from qwen3_planner.performance.gguf_work import gguf_work
from qwen3_planner.performance.load import (
    Limits,
    Load,
    Server,
    Stage,
    alone_seconds,
    closed_loop,
)
from qwen3_planner.performance.machine import device_class, format_class, machine_of
from qwen3_planner.performance.work import StageWork, stage_works
from qwen3_planner.plan import Layout
from qwen3_planner.request import Quantization
from qwen3_planner.sizing.formats import WeightFormat, WeightKind, format_of
from qwen3_planner.sizing.gguf import tensor_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.performance.efficiency import Efficiency

FOLDER = Path(__file__).parents[2] / "unit/planner/accuracy/performance"
"""Where the rows are."""

BF16_KV = 64
"""Bytes of 32 elements of the KV cache where a row does not say otherwise."""

EVERY = 3
"""Of the rows of a group and weight format, ordered by the hash of their ids, each third is kept
out of the fit."""

MEASURES = (
    "tpot_ms",
    "ttft_ms",
    "output_tokens_per_s",
    "prompt_and_output_tokens_per_s",
    "decode_tokens_per_s",
    "prompt_tokens_per_s",
)
"""What a row may state. ``prompt_and_output_tokens_per_s`` is how Qwen's own table defines speed:
(prompt + generated tokens) / time of one request."""


@dataclass(frozen=True)
class Row:
    """One measured run, and the server that it describes.

    Attributes:
        id: unique.
        engine: that was measured.
        version: of it; empty where not stated.
        model: the architecture.
        weights: class of the weight format.
        device: class of the device.
        kind: dense or moe.
        group: of rows that are fitted together.
        layout: of the replica.
        load: of the run.
        server: without efficiencies.
        measured: by measure.
        is_tested: whether it is kept out of the fit.
        is_excluded: whether it is neither fitted nor tested; the row's note says why.
        source: where it was read.
    """

    id: str
    engine: str
    version: str
    model: ModelArchitecture
    weights: str
    device: str
    kind: str
    group: str
    layout: Layout
    load: Load
    server: tuple[tuple[StageWork, ...], Any, Limits, int]
    measured: dict[str, float]
    is_tested: bool
    is_excluded: bool
    source: str
    raw: dict[str, Any] = field(repr=False, default_factory=dict)


@lru_cache(maxsize=1)
def read_rows() -> tuple[Row, ...]:
    """Read every row and settle which are tested."""
    raw = json.loads((FOLDER / "rows.json").read_text())
    rows = [_row(each) for each in raw]
    tested = {row.id for row in rows if row.raw.get("only_tested") and not row.is_excluded}
    for part in sorted({(row.group, row.weights) for row in rows}):
        mine = sorted(
            (
                row
                for row in rows
                if (row.group, row.weights) == part
                and not row.is_excluded
                and not row.raw.get("only_tested")
            ),
            key=lambda row: sha256(row.id.encode()).hexdigest(),
        )
        tested |= {row.id for place, row in enumerate(mine) if place % EVERY == EVERY - 1}
    return tuple(replace(row, is_tested=row.id in tested) for row in rows)


def an_efficiency_server(row: Row, efficiency: Efficiency) -> Server:
    """Put a row's server together with efficiencies."""
    works, machine, limits, data = row.server
    return Server(
        tuple(Stage(work, machine, efficiency) for work in works),
        efficiency,
        limits,
        data,
        is_pipelined=row.engine != "llamacpp",
        subject=(row.model.name, row.raw["device"]),
    )


def predicted(row: Row, efficiency: Efficiency) -> dict[str, float]:
    """Return what the model says of each thing that the row states."""
    server = an_efficiency_server(row, efficiency)
    load = row.load
    if "prompt_tokens_per_s" in row.measured:
        seconds = alone_seconds(server, load.input_tokens)
        return {"prompt_tokens_per_s": load.input_tokens / seconds}
    service = closed_loop(server, load)
    whole = service.ttft_s + (load.output_tokens - 1) * service.tpot_s
    said = {
        "tpot_ms": 1000.0 * service.tpot_s,
        "ttft_ms": 1000.0 * service.ttft_s,
        "output_tokens_per_s": service.output_tokens_per_s,
        "prompt_and_output_tokens_per_s": (load.input_tokens + load.output_tokens) / whole,
        "decode_tokens_per_s": 1.0 / service.decode_s,
    }
    return {name: said[name] for name in row.measured}


def residuals(row: Row, efficiency: Efficiency) -> dict[str, float]:
    """Return log(computed / measured) of each thing that the row states."""
    said = predicted(row, efficiency)
    return {name: log(said[name] / row.measured[name]) for name in row.measured}


def is_first(name: str) -> bool:
    """Whether a measure hangs on the time to the first token."""
    return name in ("ttft_ms", "prompt_tokens_per_s")


def rows_of(group: str, rows: Iterable[Row] | None = None) -> tuple[Row, ...]:
    """Return the usable rows of a group."""
    chosen = read_rows() if rows is None else rows
    return tuple(row for row in chosen if row.group == group and not row.is_excluded)


def _row(raw: dict[str, Any]) -> Row:
    model = load_catalog().model(raw["model"])
    accelerator = _accelerator(raw["device"])
    fmt = _format(raw["model"], raw["quantization"])
    layout = Layout(**raw["layout"])
    device = _fit_device(raw["engine"], accelerator)
    kind = "moe" if model.is_moe else "dense"
    stages = _stages(raw, model, fmt, layout)
    limits = raw["limits"]
    measured = dict(raw["measured"])
    load = Load(raw["input_tokens"], raw["output_tokens"], raw["concurrency"])
    if "tpot_ms" in measured and "ttft_ms" in measured and "output_tokens_per_s" not in measured:
        seconds = measured["ttft_ms"] + (load.output_tokens - 1) * measured["tpot_ms"]
        measured["output_tokens_per_s"] = 1000.0 * load.concurrency * load.output_tokens / seconds
    return Row(
        id=raw["id"],
        engine=raw["engine"],
        version=raw["version"],
        model=model,
        weights=format_class(fmt),
        device=device,
        kind=kind,
        group=f"{raw['engine']}/{device}/{kind}",
        layout=layout,
        load=load,
        server=(
            stages,
            machine_of(accelerator, fmt, layout, has_experts=model.is_moe),
            Limits(limits["sequences"], limits["step_tokens"], limits["kv_tokens"]),
            layout.data,
        ),
        measured=measured,
        is_tested=False,
        is_excluded="not fitted" in raw.get("note", ""),
        source=raw["source"],
        raw=raw,
    )


def _fit_device(engine: str, accelerator: Accelerator) -> str:
    """Group the cards of one vendor under llama.cpp: each has a handful of rows."""
    device = device_class(accelerator)
    is_nvidia = engine == "llamacpp" and accelerator.vendor == "nvidia"
    return "any" if is_nvidia and device != "pascal" else device


def _stages(
    raw: dict[str, Any], model: ModelArchitecture, fmt: WeightFormat, layout: Layout
) -> tuple[StageWork, ...]:
    if raw["engine"] != "llamacpp":
        return stage_works(model, fmt, layout, raw.get("kv_bytes_per_32", BF16_KV))
    file_type = raw["quantization"].removeprefix("gguf:")
    stages = gguf_work(model, file_type, layout, BF16_KV).devices
    share = raw.get("file_bytes", 0) / tensor_bytes(model, file_type) or 1.0
    return tuple(
        replace(
            work,
            dense_bytes=round(work.dense_bytes * share),
            head_bytes=round(work.head_bytes * share),
            expert_bytes=round(work.expert_bytes * share),
        )
        for work in stages
    )


def _format(model: str, quantization: str) -> WeightFormat:
    """Return the format of the catalog's checkpoint, else the usual one of that name."""
    wanted = Quantization(quantization)
    for checkpoint in load_catalog().checkpoints_of(model):
        if checkpoint.quantization == wanted:
            return format_of(checkpoint)
    kinds = {
        Quantization.BF16: WeightFormat(wanted, WeightKind.PLAIN),
        Quantization.FP8: WeightFormat(wanted, WeightKind.FP8_BLOCK, 128, 128),
        Quantization.AWQ_INT4: WeightFormat(wanted, WeightKind.INT4_GROUP, group_size=128),
        Quantization.GPTQ_INT4: WeightFormat(wanted, WeightKind.INT4_GROUP, group_size=128),
        Quantization.GPTQ_INT8: WeightFormat(wanted, WeightKind.INT8_GROUP, group_size=128),
    }
    return kinds.get(wanted, WeightFormat(wanted, WeightKind.GGUF))


@lru_cache(maxsize=64)
def _accelerator(name: str) -> Accelerator:
    """Return the catalog's card, else one of those that only these rows know."""
    known = {row.name: row for row in load_catalog().accelerators}
    if name in known:
        return known[name]
    extra = json.loads((FOLDER / "devices.json").read_text())[name]
    return Accelerator(
        name=name,
        vendor=extra["vendor"],
        device_class=AcceleratorClass(extra["device_class"]),
        architecture=extra["architecture"],
        compute_capability=None,
        resource="",
        product_labels=(),
        memory_mib=0,
        usable_memory_mib=0,
        usable_relative_error=0.0,
        usable_source="",
        memory_gb_per_s=extra["memory_gb_per_s"],
        bf16_tflops=extra.get("fp16_tflops"),
        fp16_tflops=extra.get("fp16_tflops"),
        fp8_tflops=None,
        int8_tops=None,
        fp4_tflops=None,
        link_gb_per_s=0.0,
        pcie_gb_per_s=None,
        tdp_w=None,
        confidence="C",
        source=extra["source"],
        as_of="2026-11-23",
    )
