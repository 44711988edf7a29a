from __future__ import annotations

from fractions import Fraction

import pytest

from qwen3_planner.inventory.quantities import parse_quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", Fraction(0)),
        (8, Fraction(8)),
        ("100m", Fraction(1, 10)),
        ("1.5", Fraction(3, 2)),
        ("1Ki", Fraction(1024)),
        ("1k", Fraction(1000)),
        ("1.5Gi", Fraction(3 * 2**29)),
        ("2G", Fraction(2 * 10**9)),
        ("1E", Fraction(10**18)),
        ("1Ei", Fraction(2**60)),
        ("1e3", Fraction(1000)),
        ("12E2", Fraction(1200)),
        ("5e-1", Fraction(1, 2)),
        ("-1", Fraction(-1)),
        (".5", Fraction(1, 2)),
    ],
)
def test_amounts_are_read_exactly(text: object, value: Fraction) -> None:
    assert parse_quantity(text) == value


@pytest.mark.parametrize("text", [None, "", "8 Gi", "Gi", "1GB", "1e9999", True, [], "1.2.3"])
def test_what_is_no_amount_is_none(text: object) -> None:
    assert parse_quantity(text) is None
