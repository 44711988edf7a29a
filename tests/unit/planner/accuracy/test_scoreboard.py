"""The planner beside measured rows: what was promised, and that nothing gets worse."""

from __future__ import annotations

from statistics import median

import pytest

from support.accuracy import baseline
from support.accuracy.checking import complaints
from support.accuracy.comparing import Figure, compare, measured_parts
from support.accuracy.planned import warnings_of
from support.accuracy.rows import exclusions, launches, weight_files
from support.accuracy.scores import targets

COMPARISON = compare()
WEIGHTS = [figure for figure in COMPARISON.figures if figure.part == "weights"]
PLAIN = [figure for figure in WEIGHTS if figure.quantization in {"bf16", "fp16"}]
CACHE = [f for f in COMPARISON.figures if f.part == "kv" and f.is_stated]
JUDGED = [figure for figure in CACHE if not figure.is_fitted]
PUBLISHED = ("M1", "M2", "M3")
"""Rows that every planner is measured by."""


def named(part: str, *ids: str) -> list[Figure]:
    return [f for f in COMPARISON.figures if f.part == part and f.id in ids]


def test_the_page_and_the_readme_show_what_is_computed_and_no_median_got_worse() -> None:
    assert complaints(COMPARISON) == []


@pytest.mark.parametrize("figure", WEIGHTS, ids=lambda figure: figure.id)
def test_weights_per_gpu_are_within_one_percent_of_the_log(figure: Figure) -> None:
    assert abs(figure.error) <= 0.01


def test_16_bit_weights_are_within_a_thousandth_in_the_median_and_half_a_percent_at_worst() -> None:
    errors = [abs(figure.error) for figure in PLAIN]
    assert len(errors) >= 20
    assert median(errors) <= 0.001
    assert max(errors) <= 0.005


def test_the_cache_is_within_three_percent_of_the_published_rows() -> None:
    logs = [*named("kv", "M1-32K"), *named("kv", *PUBLISHED)]
    assert len(logs) == 4
    assert max(abs(figure.error) for figure in logs) <= 0.03


@pytest.mark.parametrize("figure", JUDGED, ids=lambda figure: figure.id)
def test_the_cache_is_within_an_eighth_of_every_judged_log(figure: Figure) -> None:
    assert abs(figure.error) <= 0.125


@pytest.mark.parametrize("known", [CACHE, JUDGED], ids=["stated", "judged"])
def test_about_nine_of_ten_logs_lie_inside_their_interval(known: list[Figure]) -> None:
    """Fewer is too sure of itself, all of them is too wide."""
    assert len(known) >= 24
    assert 0.85 <= sum(figure.is_inside is True for figure in known) / len(known) <= 0.97


def test_a_start_that_died_in_its_graphs_is_planned_with_a_warning() -> None:
    """V035 and V088 cannot be refused: K41, the layout, card and release of V088, started."""
    by_id = {launch.id: launch for launch in launches()}
    assert by_id["K41"].outcome == "starts"
    for name in ("V035", "V088", "K41"):
        told = warnings_of(by_id[name])
        assert told is not None
        assert any("CUDA graphs" in text and "--enforce-eager" in text for text in told), name


def test_a_gpu_alone_on_a_known_release_has_a_narrow_interval() -> None:
    widths = [f.width for f in JUDGED if f.width is not None]
    assert median(widths) <= 0.1


def test_a_first_start_that_lost_the_compilers_copy_lies_inside_though_far_off() -> None:
    """K14: a 24 GB card at a utilization of 0.45, where 0.74 GiB are half of the pool."""
    (lost,) = named("kv", "K14")
    assert lost.error > 0.4
    assert lost.is_inside


def test_bytes_per_token_are_exact() -> None:
    """Within what logs round: two decimals of the pool, and the smallest of several ranks."""
    errors = sorted(abs(f.error) for f in COMPARISON.figures if f.part == "token")
    assert len(errors) >= 12
    assert median(errors) <= 0.001
    assert errors[-1] <= 0.015


def test_the_promises_of_memory_are_kept() -> None:
    kept = {t.name: t.is_met for t in targets(COMPARISON)}
    assert kept == dict.fromkeys(kept, True)
    assert len(kept) == 9


def test_every_measured_part_of_every_row_is_compared_or_left_out_with_a_reason() -> None:
    compared = {(f.id, f.part) for f in COMPARISON.figures}
    compared |= {(v.id, "verdict") for v in COMPARISON.verdicts}
    left_out = {(one.id, one.part) for one in COMPARISON.left_out}
    for launch in launches():
        for part in measured_parts(launch):
            is_left = (launch.id, part) in left_out or (launch.id, "all") in left_out
            assert ((launch.id, part) in compared) is not is_left, (launch.id, part)
    for file in weight_files():
        assert ((file.id, "size") in compared) is not ((file.id, "size") in left_out), file.id


def test_every_exclusion_is_of_a_row_and_of_something_that_it_measured() -> None:
    parts = {launch.id: {*measured_parts(launch), "all"} for launch in launches()}
    parts |= {file.id: {"size"} for file in weight_files()}
    ids = [exclusion.id for exclusion in exclusions()]
    assert len(ids) == len(set(ids))
    for exclusion in exclusions():
        assert exclusion.id in parts, exclusion.id
        assert set(exclusion.parts) <= parts[exclusion.id], exclusion


def test_no_row_is_dropped() -> None:
    """What was gathered before stays: rows may be added, and left out with a reason."""
    assert len({launch.id for launch in launches()}) >= 115
    assert sum(launch.weights_gib is not None for launch in launches()) >= 39
    assert len({file.id for file in weight_files()}) >= 41
    assert len(COMPARISON.verdicts) >= 30


def test_what_is_fitted_is_not_judged() -> None:
    fitted = {figure.id for figure in COMPARISON.figures if figure.is_fitted}
    assert set(PUBLISHED) <= fitted
    assert all(launch.is_for_fitting for launch in launches() if launch.id in fitted)
    assert not any(figure.is_fitted for figure in named("kv", "V009", "N01"))
    assert not any(figure.is_fitted for figure in WEIGHTS)


def test_a_worse_median_is_named() -> None:
    now = baseline.measured(COMPARISON)
    name = "weights vllm tested"
    better = {**now, name: {**now[name], "median": now[name]["median"] / 2}}
    assert list(baseline.worsened(now, now)) == []
    (line,) = baseline.worsened(now, better)
    assert line.startswith(f"{name}: median")


def test_a_row_that_is_no_longer_compared_is_named() -> None:
    now = baseline.measured(COMPARISON)
    name = "weights vllm tested"
    more = {**now, name: {**now[name], "rows": now[name]["rows"] + 1}}
    (line,) = baseline.worsened(now, more)
    assert line == f"{name}: {now[name]['rows']} rows are compared; there were {more[name]['rows']}"
    without = {key: value for key, value in now.items() if key != name}
    (line,) = baseline.worsened(without, now)
    assert line.startswith(f"{name}: no row is compared any more")
