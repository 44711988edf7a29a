"""Pages in a real browser: readable on a phone, by night and on paper, and asking for nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.cli import main
from qwen3_planner.plan import Plan
from qwen3_planner.report.html.plan_page import to_html
from support.browser import Window
from support.page_builders import make_pictured, make_pictured_no_plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.browser import Browser, Page

    Open = Callable[[str, Window], Page]

pytestmark = pytest.mark.browser

PHONE, DESK = Window(390, 844), Window(1280, 900)
WINDOWS = {
    "phone": PHONE,
    "phone-dark": replace(PHONE, is_dark=True),
    "desk": DESK,
    "desk-dark": replace(DESK, is_dark=True),
    "paper": Window(794, 1123, media="print"),
}
PAGES = {
    "plan": to_html(make_pictured()),
    "no-plan": to_html(make_pictured_no_plan()),
}
HOSTILE = "<script>document.title='broken'</script>\"'><img src=x onerror=alert(1)>"

NARROW_TEXT = """[...document.querySelectorAll("svg text")].filter((text) => {
  const inner = text.getBoundingClientRect(), outer = text.closest("svg").getBoundingClientRect();
  return inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1
    || inner.bottom > outer.bottom + 1;
}).map((text) => text.textContent)"""

FAINT_TEXT = """(() => {
  const rgb = (said) => said.match(/[0-9.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const one = node.parentElement;
    const hidden = one.closest("svg, script") || !one.checkVisibility() || !node.data.trim();
    if (hidden) continue;
    const [a, b] = [light(rgb(getComputedStyle(one).color)), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) faint.push(`${node.data.trim()}: ${ratio.toFixed(2)}`);
  }
  return faint;
})()"""


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Open:
    def show(document: str, window: Window) -> Page:
        path = tmp_path / "page.html"
        path.write_text(document, encoding="ascii")
        page = browser.open(path.as_uri(), window)
        page.screenshot(tmp_path / "page.png")
        return page

    return show


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_its_window_and_is_readable(open_page: Open, name: str, window: Window) -> None:
    page = open_page(PAGES[name], window)

    assert page.evaluate("document.documentElement.scrollWidth") <= window.width
    assert page.evaluate(NARROW_TEXT) == []
    assert page.evaluate(FAINT_TEXT) == []
    assert page.problems == []
    assert page.requests == []


@pytest.mark.parametrize("name", PAGES)
def test_night_and_day_look_different_and_say_the_same(open_page: Open, name: str) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    day, night = (open_page(PAGES[name], replace(DESK, is_dark=dark)) for dark in (False, True))

    assert day.evaluate(colour) != night.evaluate(colour)
    assert day.evaluate("document.body.innerText") == night.evaluate("document.body.innerText")


def test_the_verdict_is_seen_without_scrolling_and_the_charts_are_drawn(open_page: Open) -> None:
    page = open_page(PAGES["plan"], PHONE)

    assert page.evaluate("document.querySelector('h1').getBoundingClientRect().bottom") < 200
    assert "Qwen3-32B fits" in page.evaluate("document.querySelector('h1').innerText")
    charts = "[...document.querySelectorAll('svg[role=img]')]"
    assert page.evaluate(f"{charts}.every((one) => one.getBoundingClientRect().height > 50)")
    assert page.evaluate(f"{charts}.length") == 5


@pytest.mark.parametrize("window", [PHONE, DESK], ids=["phone", "desk"])
def test_letters_in_charts_are_as_large_as_those_beside_them(
    open_page: Open, window: Window
) -> None:
    page = open_page(PAGES["plan"], window)

    sizes = page.evaluate(
        "[...document.querySelectorAll('.chart text')].map((t) => t.getBoundingClientRect().height)"
    )

    assert min(sizes) > 10
    assert max(sizes) < 24


def test_without_scripts_everything_is_there(open_page: Open) -> None:
    page = open_page(PAGES["plan"], replace(DESK, scripts=False))

    assert page.evaluate("document.querySelector('label.search').checkVisibility()") is False
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    rows = "[...document.querySelectorAll('#refused-rows tbody tr')]"
    assert page.evaluate(f"{rows}.every((row) => row.checkVisibility())")
    assert page.evaluate("document.querySelectorAll('button:not([hidden])').length") == 0


def test_the_refusals_can_be_searched(open_page: Open) -> None:
    page = open_page(PAGES["plan"], DESK)

    page.evaluate(
        "(() => { const box = document.querySelector('[data-search]'); box.value = 'nvfp4 newer';"
        " box.dispatchEvent(new Event('input')); })()"
    )

    shown = "[...document.querySelectorAll('#refused-rows tbody tr:not([hidden]) th')]"
    assert page.evaluate(f"{shown}.map((one) => one.textContent)") == ["nvfp4 tp1 on L40S-48GB"]
    assert page.evaluate("document.getElementById('refused-rows-count').textContent") == "1 shown"


def test_on_paper_nothing_stays_folded(open_page: Open) -> None:
    page = open_page(PAGES["plan"], WINDOWS["paper"])

    heights = page.evaluate(
        "[...document.querySelectorAll('details table')]"
        ".map((one) => one.checkVisibility() && one.getBoundingClientRect().height)"
    )

    assert len(heights) == 4
    assert min(heights) > 50


def test_names_that_are_markup_stay_names(open_page: Open) -> None:
    result = make_pictured().result
    assert isinstance(result, Plan)
    plan = replace(
        result,
        variant=HOSTILE,
        source=HOSTILE,
        served_name=HOSTILE,
        warnings=(HOSTILE,),
        command=("vllm", HOSTILE),
    )
    page = open_page(to_html(make_pictured(result=plan, command_line=("qwen3", HOSTILE))), PHONE)

    assert page.evaluate("document.title").startswith(HOSTILE)
    assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.evaluate("document.querySelectorAll('script').length") == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE.width
    assert (page.problems, page.requests) == ([], [])


def test_what_a_script_would_do_the_policy_forbids(open_page: Open) -> None:
    slipped = PAGES["plan"].replace(
        "</h1>", "</h1><script>document.title='broken'</script><img src='https://example.org/a'>"
    )
    page = open_page(slipped, DESK)

    assert page.evaluate("document.title") != "broken"
    assert any("Content Security Policy" in problem for problem in page.problems)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("plan", "Qwen3-235B-A22B", "--hardware", "2x8xH100-SXM-80GB", "--explain"), 0),
        (("plan", "Qwen3-32B", "--hardware", "any"), 0),
        (("plan", "Qwen3-8B", "--hardware", "RaspberryPi5-8GB"), 0),
        (("plan", "Qwen3-235B-A22B", "--hardware", "4xA100-SXM-80GB", "--quantization", "bf16"), 3),
        (("compare-api", "Qwen3-32B", "--hardware", "2xH100-SXM-80GB"), 0),
        (
            (
                *("compare-api", "Qwen3-32B", "--hardware", "2xH100-SXM-80GB"),
                *("--thinking-tokens", "1500", "--requests-per-day", "20000"),
            ),
            0,
        ),
    ],
    ids=["two nodes", "any hardware", "Raspberry Pi", "no plan", "hosts", "thinking"],
)
def test_real_answers_fit_a_phone(
    open_page: Open,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    status: int,
) -> None:
    assert main([*arguments, "-o", "html"]) == status
    page = open_page(capsys.readouterr().out, PHONE)

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE.width
    assert page.evaluate(NARROW_TEXT) == []
    assert page.evaluate(FAINT_TEXT) == []
    assert (page.problems, page.requests) == ([], [])
