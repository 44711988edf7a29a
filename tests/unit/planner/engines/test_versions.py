"""Versions and the rulings that hold for ranges of them."""

from __future__ import annotations

import pytest

from qwen3_planner.engines import Version, parse_version
from qwen3_planner.engines.versions import Ruling, ruling_at
from qwen3_planner.errors import SpecError


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("0.32", "0.32.0"),
        ("0.32.0", "0.32.0"),
        ("0.8.5.post1", "0.8.5.post1"),
        ("v0.9.2", "0.9.2"),
        ("b5401", "b5401"),
    ],
)
def test_a_version_is_read_as_people_write_it(typed: str, said: str) -> None:
    assert str(parse_version(typed)) == said


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "latest",
        "0",
        "0.32.0rc1",
        "0.32.",
        "0.-1",
        "1.2.3.4",
        "\u0660.\u0663",
        "b",
        "b0",
        "b12.3",
    ],
)
def test_anything_else_is_refused_as_typed(typed: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_version(typed)
    assert caught.value.field == "--engine-version"
    assert caught.value.value == typed


def test_a_post_release_follows_its_base() -> None:
    assert Version(0, 8, 5) < parse_version("0.8.5.post1") < Version(0, 8, 6)


def test_builds_are_ordered_by_their_number() -> None:
    assert parse_version("b999") < parse_version("b5401") < parse_version("b11549")


def test_a_ruling_holds_until_the_next() -> None:
    rulings = (Ruling("old", Version(0, 8), "s", "A"), Ruling("new", Version(0, 22), "s", "A"))
    values = [ruling_at(rulings, parse_version(v)).value for v in ("0.1", "0.21.9", "0.22", "9.0")]
    assert values == ["old", "old", "new", "new"]
