"""Laws of the repository itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("source_root", ["operator", "planner"])
def test_source_roots_are_never_packages(source_root: str) -> None:
    assert not (ROOT / source_root / "__init__.py").exists()


def test_the_standard_library_operator_module_wins_from_the_repository_root() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "import operator; print(operator.itemgetter)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "operator.itemgetter" in shown.stdout


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = (ROOT / ".ci" / "run").read_text().split("exec ")[-1].strip()
    assert command == "make test"
    assert f"\n{command}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("package", ["operator/qwen3_operator", "planner/qwen3_planner"])
def test_packages_say_that_they_are_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").exists()
