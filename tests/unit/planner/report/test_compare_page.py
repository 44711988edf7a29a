"""A comparison as a page: both bills drawn, the crossings marked, nothing asked of the network."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from qwen3_planner.catalog.figures import ApiPrice
from qwen3_planner.catalog.loading import load_api_prices, load_catalog, load_purchase_prices
from qwen3_planner.cli import main
from qwen3_planner.comparing.comparing import compare
from qwen3_planner.comparing.comparison import Comparison
from qwen3_planner.comparing.wish import Wish
from qwen3_planner.economics.hosts import Usage
from qwen3_planner.economics.rates import Paying, PriceLists
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.report.html.compare_page import compare_html
from qwen3_planner.request import PlanRequest

if TYPE_CHECKING:
    import pytest

CATALOG = load_catalog()
HOSTS = tuple(row for row in load_api_prices() if row.variant == "Qwen3-32B")
TODAY = date(2026, 11, 23)


def page_of(hosts: tuple[ApiPrice, ...] = HOSTS, requests: int | None = 300_000) -> str:
    lists = PriceLists(CATALOG.prices, load_purchase_prices())
    paying = Paying(usd_per_gpu_hour=3.5)
    wish = Wish(Usage(1024, 256, 1000), hosts, paying, lists, requests_per_day=requests)
    here = parse_hardware("2xH100-SXM-80GB", CATALOG)
    found = compare(PlanRequest("Qwen3-32B"), here, CATALOG, wish)
    assert isinstance(found, Comparison)
    return compare_html(found, TODAY, ("qwen3", "compare-api"))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags_of(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(page)
    return parser.found


def test_each_mode_draws_own_gpus_and_hosts_and_marks_where_they_cross() -> None:
    tags = tags_of(page_of())
    assert sum(tag == "svg" and attributes.get("role") == "img" for tag, attributes in tags) == 2
    lines = [a for tag, a in tags if tag == "path" and (a.get("class") or "").startswith("series")]
    assert len(lines) == 2 * (1 + 4)
    marks = [a for tag, a in tags if tag == "circle" and a.get("class") == "mark"]
    asked = [a for tag, a in tags if tag == "circle" and a.get("class") == "mark hollow"]
    assert len(marks) >= 2
    assert len(asked) == 2


def test_the_stairs_rise_upright() -> None:
    page = page_of()
    path = re.search(r'<path d="M([^"]+)" class="series line1"', page)
    assert path is not None
    places = [tuple(map(float, pair.split())) for pair in path[1].split("L")]
    rises = [
        (x, last)
        for (x, y), (last, below) in zip(places[1:], places, strict=False)
        if y < below - 5
    ]
    assert rises
    assert all(abs(x - last) < 0.2 for x, last in rises)


def test_every_host_is_listed_with_source_and_old_prices_warn() -> None:
    page = page_of()
    for host in HOSTS:
        assert host.provider in page
        assert host.source in page
    assert "144 days old" in page
    assert "buy tokens" in page.lower()


def test_a_page_loads_nothing_and_a_hostile_name_stays_text() -> None:
    hostile = ApiPrice("x", "<script>alert(1)</script>", 1.0, 2.0, "list", "2026-11-01")
    page = page_of((hostile,), None)
    assert "<script>alert" not in page
    policies = [a.get("content") or "" for tag, a in tags_of(page) if tag == "meta"]
    assert any("default-src 'none'" in policy for policy in policies)
    loading = {"link", "img", "iframe", "object", "video", "audio", "embed"}
    for tag, attributes in tags_of(page):
        assert tag not in loading or attributes.get("href") == "data:,"
        assert not (attributes.get("src") or "").startswith("http")
    page.encode("ascii")


def test_the_command_writes_a_page_for_what_fits_and_for_what_does_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = main(["compare-api", "Qwen3-8B", "--hardware", "1xL40S-48GB", "-o", "html"])
    assert (status, capsys.readouterr().out.startswith("<!DOCTYPE html>")) == (0, True)
    status = main(["compare-api", "Qwen3-235B-A22B", "--hardware", "1xL4-24GB", "-o", "html"])
    out = capsys.readouterr().out
    assert (status, "does not fit" in out) == (3, True)
