"""What a page holds, as a parser reads it."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.plan import Plan
from qwen3_planner.report.html.markup import VOID
from qwen3_planner.report.html.plan_page import to_html
from support.page_builders import make_pictured, make_pictured_no_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGES = {"plan": to_html(make_pictured()), "no plan": to_html(make_pictured_no_plan())}


class Reader(HTMLParser):
    """Collects elements with their attributes, and fails where one is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said.append(data)

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.found if name == tag)


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return PAGES[str(request.param)]


def test_every_element_is_closed_and_every_id_is_unique(page: str) -> None:
    ids = [at["id"] for _, at in Reader(page).found if "id" in at]

    assert len(ids) == len(set(ids))


def test_what_names_an_element_exists(page: str) -> None:
    read = Reader(page)
    ids = {at.get("id") for _, at in read.found}
    named = [at["aria-labelledby"] for _, at in read.found if "aria-labelledby" in at]

    assert named
    assert {key for names in named if names for key in names.split()} <= ids


def test_pictures_are_described_and_tables_have_headers_with_scope(page: str) -> None:
    read = Reader(page)

    pictures = [at for at in read.all("svg") if at.get("role") == "img"]
    assert pictures
    assert all(at.get("aria-labelledby") for at in pictures)
    assert all(at.get("aria-hidden") for at in read.all("svg") if at.get("role") != "img")
    assert all(at.get("scope") in {"col", "row"} for at in read.all("th"))
    assert len(list(read.all("caption"))) == len(list(read.all("table")))


def test_a_page_asks_for_nothing(page: str) -> None:
    read = Reader(page)

    assert not [at for _, at in read.found if "src" in at]
    assert [at["href"] for at in read.all("link")] == ["data:,"]
    assert not [at for _, at in read.found if "style" in at or any(k[:2] == "on" for k in at)]


def test_the_policy_names_the_very_style_and_script(page: str) -> None:
    policy = next(at["content"] for at in Reader(page).all("meta") if "http-equiv" in at)
    assert policy is not None
    for name in ("style", "script"):
        (text,) = re.findall(rf"<{name}>(.*?)</{name}>", page, re.DOTALL)
        digest = b64encode(sha256(text.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")


def test_a_page_is_ascii_and_the_same_every_time(page: str) -> None:
    assert page.isascii()
    assert page in {to_html(make_pictured()), to_html(make_pictured_no_plan())}


def test_the_verdict_comes_first_with_every_part_of_the_plan_after_it() -> None:
    text = " ".join(" ".join(Reader(PAGES["plan"]).said).split())

    assert text.index("Qwen3-32B fits: bf16, TP 2, PP 2") < text.index("Not used by this plan")
    for part in ("Ranks 0-1, stage 0", "KV cache", "full at 96", "at most 2", "Pareto front",
                 "AttentionHeadDivisibility", "vllm serve", "qwen3 plan Qwen3-32B"):  # fmt: skip
        assert part in text


def test_no_plan_says_what_is_missing_and_what_would_fit() -> None:
    text = " ".join(" ".join(Reader(PAGES["no plan"]).said).split())

    assert "Qwen3-32B does not fit" in text
    assert "21.70 GiB of 62.50 GiB missing" in text
    assert "--quantization fp8" in text
    assert "Memory with --quantization fp8" in text


def test_the_parts_of_a_bar_fill_it() -> None:
    widths = re.findall(r'<rect x="([\d.]+)%" width="([\d.]+)%"[^>]*class="part', PAGES["plan"])
    ends = [float(x) + float(width) for x, width in widths]

    assert max(ends) == pytest.approx(100, abs=0.01)
    assert len(widths) == 12


def test_a_name_that_is_markup_is_escaped_everywhere() -> None:
    result = make_pictured().result
    assert isinstance(result, Plan)
    hostile = "</style></script><script>alert(1)</script>"
    plan = replace(result, variant=hostile, served_name=hostile, warnings=(hostile,))

    page = to_html(make_pictured(result=plan, command_line=(hostile,)))

    assert len(list(Reader(page).all("script"))) == 1
    assert page.count("&lt;script&gt;alert(1)") >= 5
