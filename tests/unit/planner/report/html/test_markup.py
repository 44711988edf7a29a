from __future__ import annotations

import pytest

from qwen3_planner.report.html.markup import Markup, escape, join, tag


def test_text_is_escaped_and_markup_is_not() -> None:
    assert tag("p", "<b>", Markup("<i>x</i>")) == "<p>&lt;b&gt;<i>x</i></p>\n"


def test_attributes_are_escaped_too() -> None:
    said = tag("a", href="\"><script>'")

    assert said == '<a href="&quot;&gt;&lt;script&gt;&#39;"></a>'


@pytest.mark.parametrize("control", ["\0", "\x1b", "\x0b", "\x7f", "\x9f"])
def test_control_characters_cannot_enter_a_page(control: str) -> None:
    assert escape(f"a{control}b") == "a\ufffdb"


def test_escaping_twice_changes_nothing() -> None:
    once = escape("<&>")

    assert escape(once) == once
    assert isinstance(join("<", once), Markup)
