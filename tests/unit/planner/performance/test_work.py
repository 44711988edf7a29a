"""Bytes and operations of a step are those of the tensors that the memory model lists."""

from __future__ import annotations

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.performance.gguf_work import gguf_work
from qwen3_planner.performance.work import StageWork, stage_works
from qwen3_planner.plan import Layout
from qwen3_planner.sizing.formats import BF16, WeightFormat
from qwen3_planner.sizing.gguf import stored_tensors
from support.performance.servers import AWQ, FP8


def work(model: str, fmt: WeightFormat = BF16, layout: Layout = Layout()) -> StageWork:  # noqa: B008 - frozen
    (only,) = stage_works(load_catalog().model(model), fmt, layout, 64)
    return only


def test_a_dense_model_reads_every_weight_but_the_embedding_rows() -> None:
    one = work("Qwen3-32B")
    assert one.dense_bytes + one.head_bytes == pytest.approx(2 * 31.98e9, rel=0.001)
    assert one.head_bytes == 151936 * 5120 * 2
    assert one.local_experts == 0


def test_arithmetic_does_not_depend_on_how_weights_are_stored() -> None:
    plain, blocks, packed = (work("Qwen3-14B", fmt) for fmt in (BF16, FP8, AWQ))
    assert plain.dense_flops == blocks.dense_flops == packed.dense_flops
    assert plain.dense_bytes > blocks.dense_bytes > packed.dense_bytes


def test_scales_are_read_with_the_weights() -> None:
    weights_alone = work("Qwen3-14B").dense_bytes / 2
    assert weights_alone * 1.0002 < work("Qwen3-14B", FP8).dense_bytes < weights_alone * 1.002


def test_ranks_share_weights_but_replicate_key_value_heads_beyond_their_number() -> None:
    per_token = {n: work("Qwen3-30B-A3B", layout=Layout(n)).kv_bytes for n in (1, 2, 4, 8)}
    assert per_token[1] == 4 * per_token[4]
    assert per_token[8] == per_token[4]


def test_few_tokens_visit_few_experts_and_many_visit_all() -> None:
    one = work("Qwen3-235B-A22B", FP8, Layout(4))
    assert one.experts_hit(1) == pytest.approx(8)
    assert one.experts_hit(2) == pytest.approx(128 * (1 - (1 - 8 / 128) ** 2))
    assert one.experts_hit(4096) == pytest.approx(128, rel=1e-6)


def test_expert_parallel_ranks_hold_whole_experts_and_fewer_of_them() -> None:
    shared, spread = (work("Qwen3-30B-A3B", layout=Layout(4, expert=e)) for e in (1, 4))
    assert spread.local_experts == 32
    assert spread.local_experts * spread.expert_bytes == shared.local_experts * shared.expert_bytes
    assert spread.expert_flops == pytest.approx(shared.expert_flops)


def test_only_the_last_stage_computes_logits() -> None:
    stages = stage_works(load_catalog().model("Qwen3-32B"), BF16, Layout(pipeline=4), 64)
    assert [stage.head_bytes > 0 for stage in stages] == [False, False, False, True]
    assert sum(stage.layers for stage in stages) == 64


def test_a_token_passes_the_parameters_that_are_called_active() -> None:
    one = work("Qwen3-30B-A3B")
    active = (one.token_flops + one.head_flops) / 2
    assert active == pytest.approx(3.04e9, rel=0.02)


def test_a_gguf_file_is_read_but_for_its_embedding() -> None:
    model = load_catalog().model("Qwen3-8B")
    (one,) = gguf_work(model, "Q4_K_M", Layout(), 64).devices
    read = [
        each.n_bytes
        for each in stored_tensors(model, "Q4_K_M")
        if each.tensor.role not in ("token_embd", "output_norm")
    ]
    assert one.dense_bytes + one.head_bytes == sum(read)


def test_a_tied_gguf_file_reads_its_embedding_as_the_head() -> None:
    model = load_catalog().model("Qwen3-0.6B")
    (one,) = gguf_work(model, "Q8_0", Layout(), 64).devices
    norm = 4 * model.hidden_size
    whole = sum(each.n_bytes for each in stored_tensors(model, "Q8_0"))
    assert one.head_bytes > 0
    assert one.dense_bytes + one.head_bytes == whole - norm


def test_gguf_layers_are_spread_over_devices_with_the_head_on_the_last() -> None:
    model = load_catalog().model("Qwen3-30B-A3B")
    (whole,) = gguf_work(model, "Q4_K_M", Layout(), 64).devices
    halves = gguf_work(model, "Q4_K_M", Layout(pipeline=2), 64).devices
    assert sum(half.dense_bytes for half in halves) == whole.dense_bytes
    assert [half.head_bytes for half in halves] == [0, whole.head_bytes]
    assert sum(half.expert_bytes for half in halves) == pytest.approx(whole.expert_bytes, rel=1e-6)


def test_layers_that_stay_on_the_host_are_read_there() -> None:
    model = load_catalog().model("Qwen3-8B")
    whole = gguf_work(model, "Q4_K_M", Layout(), 64)
    split = gguf_work(model, "Q4_K_M", Layout(host_layers=10), 64)
    assert whole.host is None
    assert split.host is not None
    assert split.host.layers == 10
    assert split.host.dense_bytes + split.devices[0].dense_bytes == whole.devices[0].dense_bytes


def test_experts_that_stay_on_the_host_leave_attention_on_the_device() -> None:
    model = load_catalog().model("Qwen3-30B-A3B")
    whole = gguf_work(model, "Q4_K_M", Layout(), 64).devices[0]
    split = gguf_work(model, "Q4_K_M", Layout(host_expert_layers=20), 64)
    assert split.host is not None
    assert split.host.dense_bytes == split.host.kv_bytes == 0
    assert split.devices[0].dense_bytes == whole.dense_bytes
    assert split.host.expert_bytes + split.devices[0].expert_bytes == pytest.approx(
        whole.expert_bytes, rel=1e-6
    )
