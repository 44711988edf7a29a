"""llama.cpp's buffers against what llama.cpp itself states."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen3_planner.plan import Layout
from qwen3_planner.request import KvCacheDtype
from qwen3_planner.sizing.gguf import file_bytes, stored_tensors, tensor_bytes
from qwen3_planner.sizing.kv_cache import kv_bytes_per_32
from qwen3_planner.sizing.llamacpp import (
    Cache,
    Placed,
    cache_for,
    device_of_layer,
    place,
    state_bytes,
    token_bytes,
    weigh,
)
from qwen3_planner.sizing.llamacpp_compute import (
    Pass,
    cpu_compute_bytes,
    gpu_compute_bytes,
    host_compute_bytes,
)
from qwen3_planner.units import MIB, round_up
from support.gguf_geometries import GEOMETRIES, a_model

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import GgufWeights, ModelArchitecture

ROWS = Path(__file__).with_name("llama_memory.csv")
"""Buffers that llama.cpp b11549 states (llama_get_memory_breakdown, no_alloc) for files of these
geometries on the CPU and on one to four stand-in GPUs whose buffers are aligned as CUDA's; flash
attention on. Lists of bytes are by GPU."""

MODELS = {model.name: model for model in GEOMETRIES}


@dataclass(frozen=True)
class Row:
    """One run of llama.cpp."""

    text: dict[str, str]

    def number(self, name: str) -> int:
        return int(self.text[name])

    def numbers(self, name: str) -> list[int]:
        return [int(part) for part in self.text[name].split(";")] if self.text[name] else []

    @property
    def layout(self) -> Layout:
        return Layout(
            pipeline=max(1, self.number("gpus")),
            host_layers=self.number("host_layers"),
            host_expert_layers=self.number("host_expert_layers"),
        )

    @property
    def cache(self) -> Cache:
        slots, context = self.number("slots"), self.number("context")
        if self.number("unified"):
            return Cache(slots, context, context, unified=True)
        each = round_up(round_up(context, 256) // slots, 256)
        return Cache(slots, slots * each, each, unified=False)

    @property
    def load(self) -> Pass:
        tokens = min(self.number("physical_batch"), self.cache.total)
        logits = min(self.number("logits"), tokens)
        return Pass(tokens, logits, self.cache.reach, self.cache.total)

    @property
    def placed(self) -> Placed:
        model = MODELS[self.text["model"]]
        weights = weights_of(model, self.text["file_type"])
        return place(model, weights, self.layout, on_gpu=self.number("gpus") > 0)

    def cache_bytes(self, attention_layers: int, recurrent_layers: int) -> int:
        model = MODELS[self.text["model"]]
        dtype = {"f16": KvCacheDtype.FP16, "q8_0": KvCacheDtype.Q8_0}[self.text["kv_cache"]]
        each = token_bytes(model, attention_layers, kv_bytes_per_32(dtype))
        return self.cache.total * each + state_bytes(model, recurrent_layers, self.cache.slots)


@lru_cache
def weights_of(model: ModelArchitecture, file_type: str) -> GgufWeights:
    stored = stored_tensors(model, file_type)
    tensors = ((each.tensor.name, each.n_bytes) for each in stored)
    return weigh(tensors, model.layers, file_bytes(model, file_type))


@lru_cache
def rows() -> tuple[Row, ...]:
    with ROWS.open(encoding="ascii") as file:
        return tuple(Row(text) for text in csv.DictReader(file))


def test_weights_lie_where_llama_cpp_puts_them() -> None:
    for row in rows():
        placed = row.placed
        assert placed.host == row.number("host_model_bytes"), row
        for mine, stated in zip(placed.gpus, row.numbers("gpu_model_bytes"), strict=False):
            # CUDA pads the last row of a tensor whose rows are no multiple of 512
            assert mine == pytest.approx(stated, rel=2e-6), row


def test_cache_and_recurrent_state_are_exact_on_every_device() -> None:
    for row in rows():
        placed = row.placed
        host = row.cache_bytes(placed.host_attention_layers, placed.host_recurrent_layers)
        assert host == row.number("host_context_bytes"), row
        for gpu, stated in enumerate(row.numbers("gpu_context_bytes")):
            layers = placed.attention_layers[gpu], placed.recurrent_layers[gpu]
            assert row.cache_bytes(*layers) == stated, row


def compute_errors(*, gpus: range, on_host: bool) -> list[float]:
    errors = []
    for row in rows():
        if row.number("gpus") not in gpus or row.layout.keeps_layers_on_host != on_host:
            continue
        model = MODELS[row.text["model"]]
        for gpu, stated in enumerate(row.numbers("gpu_compute_bytes")):
            mine = gpu_compute_bytes(model, row.load, row.placed, row.layout, gpu)
            errors.append(abs(mine - stated) / stated)
    return sorted(errors)


@pytest.mark.parametrize(
    ("gpus", "on_host", "runs", "median", "worst"),
    [
        pytest.param(range(1, 2), False, 90, 0.0001, 0.003, id="one GPU holds every layer"),
        pytest.param(range(2, 5), False, 192, 0.02, 0.05, id="several GPUs"),
        pytest.param(range(1, 5), True, 57, 0.02, 0.18, id="layers stay on the host"),
    ],
)
def test_compute_buffers_of_gpus(
    gpus: range,
    on_host: bool,  # noqa: FBT001 - a parameter of the cases above
    runs: int,
    median: float,
    worst: float,
) -> None:
    errors = compute_errors(gpus=gpus, on_host=on_host)
    assert len(errors) == runs
    assert errors[len(errors) // 2] <= median
    assert errors[-1] <= worst


def test_compute_buffers_of_the_host() -> None:
    errors = []
    for row in rows():
        model, gpus = MODELS[row.text["model"]], row.number("gpus")
        if gpus == 0:
            mine = cpu_compute_bytes(model, row.load)
        else:
            copies = 1 if row.layout.keeps_layers_on_host else gpus
            mine = host_compute_bytes(model, row.load, copies)
        if row.text["model"] != "Next-80B" or not row.layout.host_layers:
            errors.append(abs(mine / row.number("host_compute_bytes") - 1))
    errors.sort()
    assert errors[len(errors) // 2] <= 0.0001
    assert errors[-1] <= 0.035


def test_nothing_is_lost_between_the_devices() -> None:
    model = a_model("Qwen3-32B")
    weights = weights_of(model, "Q4_K_M")
    for layout in (Layout(), Layout(pipeline=3), Layout(host_layers=20), Layout(host_layers=65)):
        placed = place(model, weights, layout, on_gpu=True)
        assert sum(placed.gpus) + placed.host == tensor_bytes(model, "Q4_K_M")


def test_a_tied_head_is_held_twice_beside_a_gpu() -> None:
    model = a_model("Qwen3-4B")
    weights = weights_of(model, "Q8_0")
    placed = place(model, weights, Layout(), on_gpu=True)
    assert placed.gpus[0] == tensor_bytes(model, "Q8_0")
    assert placed.host == weights.embedding
    assert place(model, weights, Layout(), on_gpu=False).host == tensor_bytes(model, "Q8_0")


@given(st.integers(1, 100), st.integers(1, 8), st.data())
def test_layers_are_shared_out_in_order_and_evenly(
    layers: int, gpus: int, data: st.DataObject
) -> None:
    host = data.draw(st.integers(0, layers))
    where = device_of_layer(layers, gpus, host)
    assert where[:host] == (None,) * host
    offloaded = [device for device in where[host:] if device is not None]
    assert len(offloaded) == layers + 1 - host
    assert offloaded == sorted(offloaded)
    counts = [offloaded.count(gpu) for gpu in range(gpus)]
    assert max(counts) - min(counts) <= 1


@given(st.integers(1, 64), st.integers(1, 300_000), st.integers(1, 300_000))
def test_a_cache_holds_the_whole_load_and_sharing_never_costs(
    slots: int, context: int, request: int
) -> None:
    request_tokens = min(request, context)
    shared = cache_for(slots, context, request_tokens, can_share=True)
    parted = cache_for(slots, context, request_tokens, can_share=False)
    assert shared.reach >= context
    assert shared.total >= slots * request_tokens
    assert shared.total <= parted.total


@given(st.integers(1, 200_000), st.integers(1, 200_000), st.sampled_from(sorted(MODELS)))
def test_a_longer_context_never_takes_less(one: int, other: int, name: str) -> None:
    model = MODELS[name]
    less, more = sorted((one, other))
    placed = place(model, weights_of(model, "Q4_K_M"), Layout(), on_gpu=True)

    def buffers(tokens: int) -> list[int]:
        load = Pass(512, 1, tokens, tokens)
        gpu = gpu_compute_bytes(model, load, placed, Layout(), 0)
        return [gpu, cpu_compute_bytes(model, load), host_compute_bytes(model, load, 1)]

    assert all(a <= b for a, b in zip(buffers(less), buffers(more), strict=True))


@given(st.integers(0, 64), st.integers(0, 64))
def test_a_layer_more_on_the_host_never_takes_more_of_the_gpu(one: int, other: int) -> None:
    model = a_model("Qwen3-32B")
    weights = weights_of(model, "Q4_K_M")
    less, more = sorted((one, other))
    here = place(model, weights, Layout(host_layers=less), on_gpu=True)
    there = place(model, weights, Layout(host_layers=more), on_gpu=True)
    assert there.gpus[0] <= here.gpus[0]
    assert there.host >= here.host


@pytest.mark.parametrize(
    ("name", "slots", "tokens", "logged_mib"),
    [
        # llama-server on an RTX 5090: "context" of its memory breakdown, cache and states together
        ("Qwen3-Next-80B-A3B-Instruct", 4, 4096, 397),
        ("Qwen3-Next-80B-A3B-Instruct", 4, 100_096, 2647),
        ("Qwen3-Next-80B-A3B-Instruct", 4, 262_144, 6445),
        # llama_kv_cache: size = 3072.00 MiB ( 32768 cells,  48 layers,  4/1 seqs)
        ("Qwen3-30B-A3B", 4, 32_768, 3072),
    ],
)
def test_caches_of_public_logs(name: str, slots: int, tokens: int, logged_mib: int) -> None:
    model = a_model(name)
    attention = model.full_attention_layers()
    cache = tokens * token_bytes(model, attention, kv_bytes_per_32(KvCacheDtype.FP16))
    assert (cache + state_bytes(model, model.layers - attention, slots)) // MIB == logged_mib
