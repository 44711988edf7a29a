"""SGLang's defaults by version and device, against start-up logs that state or imply them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from qwen3_planner.engines.sglang import graph_sizes, kernels, semantics, tiers
from qwen3_planner.engines.sglang.fraction import (
    FRACTION_FORM,
    FractionForm,
    FractionQuestion,
    default_fraction,
    vision_factor,
)
from qwen3_planner.engines.sglang.graph_sizes import (
    DECODE_SIZES,
    PREFILL_GRAPHS,
    decode_sizes,
    prefill_sizes,
)
from qwen3_planner.engines.sglang.tiers import TIERS, tier_of
from qwen3_planner.engines.versions import Ruling, Version, parse_version, ruling_at

H100_MIB = 81_559
RTX_5080_MIB = 16_303
B200_MIB = 183_359


def fraction(version: str, memory_mib: int, *, tp: int = 1, pp: int = 1, data: int = 1) -> float:
    at = parse_version(version)
    tier = tier_of(ruling_at(TIERS, at).value, memory_mib)
    graphs = ruling_at(PREFILL_GRAPHS, at).value
    captured = graphs.on and (data == 1 or graphs.under_data) and (pp == 1 or graphs.under_pipeline)
    question = FractionQuestion(
        memory_mib=memory_mib,
        is_nvidia=True,
        tensor_ranks=tp,
        stages=pp,
        attention_data=data,
        chunked_prefill=tier.chunked_prefill,
        largest_decode=tier.largest_graph(tp),
        prefill_graphs=len(prefill_sizes(tier.chunked_prefill)) if captured else 0,
    )
    return default_fraction(ruling_at(FRACTION_FORM, at).value, question)


@pytest.mark.parametrize(
    ("version", "memory_mib", "ranks", "logged"),
    [
        ("0.4.6.post3", 49_140, 1, 0.88),  # github.com/xorbitsai/inference/issues/3481
        ("0.4.7.post1", H100_MIB, 1, 0.874),  # github.com/sgl-project/sglang/issues/7495
        ("0.4.10", RTX_5080_MIB, 1, 0.818),  # 104273 tokens on an RTX 5080, August 2025
        ("0.4.9.post2", B200_MIB, 8, 0.821),  # 6004242 tokens on B200 TP8, July 2025
        ("0.5.10.post1", B200_MIB, 1, 0.854),  # 992896 tokens of Qwen3-8B on a B200, April 2026
        ("0.5.19", H100_MIB, 1, 0.83),  # 392920 tokens of 30B-A3B-FP8 on an H100, August 2026
    ],
)
def test_the_default_share_is_the_one_that_start_up_logs_imply(
    version: str, memory_mib: int, ranks: int, logged: float
) -> None:
    assert fraction(version, memory_mib, tp=ranks) == pytest.approx(logged, abs=0.0006)


def test_each_release_that_changed_the_share_changes_it_here() -> None:
    shares = [
        fraction(version, B200_MIB)
        for version in ("0.4.6.post1", "0.4.6.post2", "0.4.7", "0.4.7.post1", "0.5.3", "0.5.10")
    ]
    assert len(set(shares)) == len(shares)


def test_more_ranks_leave_more_to_communication() -> None:
    for version in ("0.4.6.post1", "0.4.8", "0.5.2", "0.5.23"):
        alone, many = fraction(version, H100_MIB), fraction(version, H100_MIB, tp=8)
        assert many < alone


def test_attention_data_parallelism_reserves_more() -> None:
    assert fraction("0.5.23", H100_MIB, tp=8, data=8) < fraction("0.5.23", H100_MIB, tp=8)
    assert fraction("0.5.2", H100_MIB, tp=8, data=8) < fraction("0.5.2", H100_MIB, tp=8)


def test_stages_lose_their_prefill_graphs_only_where_a_release_says_so() -> None:
    assert ruling_at(PREFILL_GRAPHS, Version(0, 5, 10)).value.under_pipeline is False
    assert ruling_at(PREFILL_GRAPHS, Version(0, 5, 16)).value.under_pipeline is True
    assert ruling_at(PREFILL_GRAPHS, Version(0, 5, 23)).value.under_pipeline is False


def test_captured_sizes_are_those_of_the_logs() -> None:
    form = ruling_at(DECODE_SIZES, Version(0, 5, 10)).value
    assert len(decode_sizes(form, 512)) == 52  # "52/52" on a B200, April 2026
    assert len(prefill_sizes(16_384)) == 74  # "74/74" in the same log
    old = ruling_at(DECODE_SIZES, Version(0, 4, 6, 3)).value
    assert len(decode_sizes(old, 160)) == 23  # "0/23", github.com/xorbitsai/inference/issues/3481
    assert decode_sizes(old, 512)[-1] == 512
    assert len(decode_sizes(old, 512)) == 51  # "51/51" on B200 TP8, July 2025


def test_a_largest_batch_between_the_steps_is_captured_itself_since_0_5_10() -> None:
    before = ruling_at(DECODE_SIZES, Version(0, 5, 9)).value
    after = ruling_at(DECODE_SIZES, Version(0, 5, 10)).value
    assert decode_sizes(before, 100)[-1] == 96
    assert decode_sizes(after, 100)[-1] == 100


def test_a_vision_encoder_lowers_the_share() -> None:
    assert vision_factor(None, 1152) == pytest.approx(0.9248, abs=1e-4)
    assert vision_factor(27, 1152) < vision_factor(None, 1152) < 1


def test_every_tier_table_covers_every_device_in_order() -> None:
    for ruling in TIERS:
        bounds = [tier.below_mib for tier in ruling.value]
        assert bounds == sorted(bounds)
        assert bounds[-1] == tiers.UNBOUNDED
        assert tier_of(ruling.value, 1).chunked_prefill == 2048


def _tables() -> list[tuple[str, tuple[Ruling[object], ...]]]:
    found = []
    for module in (graph_sizes, kernels, semantics, tiers):
        for name, value in vars(module).items():
            if isinstance(value, tuple) and value and isinstance(value[0], Ruling):
                found.append((name, value))
    return [*found, ("FRACTION_FORM", FRACTION_FORM)]


def test_rulings_stand_in_order_and_name_where_they_were_read() -> None:
    tables = _tables()
    assert len(tables) > 15
    for name, rulings in tables:
        for earlier, later in pairwise(rulings):
            assert earlier.since < later.since, name
        for ruling in rulings:
            assert ruling.confidence in ("A", "B", "C"), name
            assert "sglang" in ruling.source or "QwenLM" in ruling.source, name


def test_every_form_of_the_share_is_in_force_in_some_release() -> None:
    assert {ruling.value for ruling in FRACTION_FORM} == set(FractionForm)
