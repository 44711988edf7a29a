"""``-o html`` from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from support.model_folders import config_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

QUESTION = ("plan", "Qwen3-32B", "--hardware", "4xH100-SXM-80GB", "--concurrency", "16")


def test_the_page_shows_the_very_plan_and_the_command_that_made_it(qwen3: Run) -> None:
    status, page, said = qwen3(*QUESTION, "-o", "html")
    plan = json.loads(qwen3(*QUESTION, "-o", "json")[1])

    assert (status, said) == (0, "")
    assert page.startswith("<!DOCTYPE html>\n")
    assert f"{plan['memory']['kvCacheTokens']:,}" in page
    assert f"full at {plan['performance']['saturationConcurrency']:,}" in page
    assert " ".join((*QUESTION, "-o", "html")) in page
    for part in ("Pareto front", "Cost against volume", "Speed under load", "Memory of each of 4"):
        assert part in page


def test_no_plan_is_a_page_with_its_own_status(qwen3: Run) -> None:
    status, page, _ = qwen3("plan", "Qwen3-235B-A22B", "--hardware", "T4", "-o", "html")

    assert status == 3
    assert "Does not fit" in page
    assert "InsufficientGPUMemory" in page


@pytest.mark.parametrize(
    "arguments",
    [
        ("Qwen3-Embedding-8B", "--hardware", "1xL40S-48GB"),
        ("Qwen3-8B", "--hardware", "RaspberryPi5-8GB", "--explain"),
        ("Qwen3-32B", "--hardware", "any"),
        ("Qwen3-32B", "--hardware", "4xH100-SXM-80GB", "--tpot-ms", "30"),
        ("Qwen3-8B", "--hardware", "2x4xL40S-48GB", "--replicas", "3"),
    ],
)
def test_every_kind_of_answer_has_a_page(qwen3: Run, arguments: tuple[str, ...]) -> None:
    status, page, _ = qwen3("plan", *arguments, "-o", "html")

    assert status == 0
    assert page.endswith("</html>\n")
    assert page.isascii()


def test_a_folder_whose_name_is_markup_is_shown_as_it_is(qwen3: Run, tmp_path: Path) -> None:
    folder = tmp_path / "<script>alert(1)<"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config_of(load_catalog().model("Qwen3-0.6B"))))

    status, page, said = qwen3("plan", str(folder), "--hardware", "1xL40S-48GB", "-o", "html")

    assert (status, said) == (0, "")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;" in page


IMPORTED = """
import sys
from qwen3_planner.cli import main
main(sys.argv[1:])
drawn = [name for name in sys.modules if ".html" in name or name.endswith((".curves", ".drawing"))]
print(sorted(name for name in drawn if name.startswith("qwen3")), file=sys.stderr)
"""


@pytest.mark.thorough
@pytest.mark.parametrize("form", ["table", "json", "manifest"])
def test_only_pages_load_what_draws_them(form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, *QUESTION, "-o", form],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    assert done.stderr == "[]\n"
