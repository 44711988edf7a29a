"""Variants are ordered by published scores, compared benchmark by benchmark."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qwen3_planner.catalog.choosing import Score, load_choosing
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.recommend.need import PROFILES, Need, mode_of, unfit_for
from qwen3_planner.recommend.quality import ordered


def score(variant: str, benchmark: str, value: float) -> Score:
    return Score(variant, "thinking", benchmark, value, "card", "2026-11-23")


def names(scores: list[Score], variants: str, benchmarks: tuple[str, ...]) -> str:
    keys = [(name, "thinking") for name in variants]
    sizes = {name: ord(name) for name in variants}
    return "".join(key[0] for key, _ in ordered(keys, scores, benchmarks, sizes))


def test_the_deciding_benchmark_orders_whom_it_knows() -> None:
    scores = [score("a", "x", 10.0), score("b", "x", 30.0), score("c", "x", 20.0)]
    assert names(scores, "abc", ("x",)) == "bca"


def test_another_benchmark_places_who_lacks_it_before_the_first_it_beats() -> None:
    scores = [score("a", "x", 30.0), score("b", "x", 20.0), score("c", "x", 10.0)]
    scores += [score("a", "y", 9.0), score("b", "y", 5.0), score("c", "y", 1.0)]
    scores += [score("d", "y", 6.0)]
    assert names(scores, "abcd", ("x", "y")) == "adbc"
    assert names([*scores, score("e", "y", 0.5)], "abcde", ("x", "y")) == "adbce"


def test_who_has_no_score_stands_last_the_largest_first() -> None:
    assert names([score("a", "x", 1.0)], "abc", ("x",)) == "acb"


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=8, unique=True))
def test_on_one_benchmark_the_order_is_that_of_the_scores(values: list[float]) -> None:
    scores = [score(chr(97 + place), "x", value) for place, value in enumerate(values)]
    variants = "".join(row.variant for row in scores)
    best = sorted(scores, key=lambda row: -row.score)
    assert names(scores, variants, ("x",)) == "".join(row.variant for row in best)


def test_scores_that_ship_are_of_known_variants_in_modes_they_have() -> None:
    catalog = load_catalog()
    known = {row.name: row for row in catalog.models}
    seen = set()
    for row in load_choosing().scores:
        model = known[row.variant]
        assert row.mode in {mode_of(model, thinks=True), mode_of(model, thinks=False)}
        assert 0 < row.score <= 100
        assert row.source.startswith("https://")
        assert row.as_of
        key = (row.variant, row.mode, row.benchmark)
        assert key not in seen
        seen.add(key)


def test_every_need_but_vision_has_scores_that_order_its_variants() -> None:
    scored = {row.benchmark for row in load_choosing().scores}
    unscored = {n for n in Need if not any(b in scored for b in PROFILES[n].benchmarks)}
    assert unscored == {Need.VISION}


def test_every_variant_does_for_some_need() -> None:
    for model in load_catalog().models:
        assert any(unfit_for(model, need) is None for need in Need), model.name
