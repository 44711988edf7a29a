"""Every page of fixed values is drawn as it was: byte by byte, on every machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.report.html.plan_page import to_html
from support.page_builders import make_pictured, make_pictured_no_plan

if TYPE_CHECKING:
    from golden.conftest import Golden

HERE = Path(__file__).parent
PAGES = {
    "plan": to_html(make_pictured()),
    "no-plan": to_html(make_pictured_no_plan()),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_drawn_as_it_was(name: str, golden: Golden) -> None:
    golden.check(HERE / f"{name}.out.html", PAGES[name])
