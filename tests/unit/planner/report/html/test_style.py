"""Colours are told apart by everybody: contrasts of WCAG 2.2, by day and by night."""

from __future__ import annotations

import pytest

from qwen3_planner.report.html.stacks import TEXTURES
from qwen3_planner.report.html.style import DARK, LIGHT, style_sheet

THEMES = {"day": LIGHT, "night": DARK}
TEXT = [
    *((ink, under) for ink in ("ink", "soft", "accent") for under in ("page", "card", "sunk")),
    ("good", "good-wash"),
    ("bad", "bad-wash"),
    ("warn", "warn-wash"),
    ("ink", "warn-wash"),
    *(("on-part", part) for part in ("weights", "kv", "activations", "graphs", "other")),
    *(("on-part", part) for part in ("there", "missing")),
]
SHAPES = ("weights", "kv", "activations", "graphs", "other", "there", "missing")
LINES = tuple(f"line{index}" for index in range(1, 6))


def contrast(one: str, other: str) -> float:
    first, second = sorted((_light(one), _light(other)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def _light(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "under"), TEXT)
def test_text_can_be_read(theme: str, ink: str, under: str) -> None:
    colours = THEMES[theme]

    assert contrast(colours[ink], colours[under]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", [*SHAPES, *LINES])
def test_shapes_stand_out_from_the_card(theme: str, name: str) -> None:
    colours = THEMES[theme]

    assert contrast(colours[name], colours["card"]) >= 3


def test_both_themes_have_the_same_colours_and_every_one_that_is_used() -> None:
    sheet = style_sheet()
    used = {part.split(")")[0] for part in sheet.split("var(--")[1:]}

    assert set(LIGHT) == set(DARK)
    assert used <= set(LIGHT)


def test_parts_are_told_apart_without_colour() -> None:
    drawn = [TEXTURES[kind] for kind in ("weights", "kv", "activations", "graphs", "other")]

    assert len(set(drawn)) == len(drawn)


def test_the_style_sheet_loads_nothing() -> None:
    assert "url(" not in style_sheet()
    assert "@import" not in style_sheet()
    assert style_sheet().isascii()
