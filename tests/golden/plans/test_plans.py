"""Every ``NAME.in.yaml`` is one command line; what it prints is compared with ``NAME.out.*``.

An input holds ``args`` (a list), ``exit`` (the status, 0 if absent) and, where the command reads
files, ``files`` (name: text), which are written into the folder the command runs in.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from qwen3_planner.cli import main

if TYPE_CHECKING:
    from golden.conftest import Golden

HERE = Path(__file__).parent
DAY = "1795392000"
"""23 November 2026: prices are judged old or not on that day."""

INPUTS = sorted(HERE.glob("*.in.yaml"))
ENDINGS = {"json": ".out.json", "yaml": ".out.yaml", "manifest": ".out.yaml"}


@pytest.mark.parametrize(
    "path", [pytest.param(p, id=p.name.removesuffix(".in.yaml")) for p in INPUTS]
)
def test_the_command_line_says_what_it_said(
    path: Path,
    golden: Golden,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", DAY)
    for name, text in case.get("files", {}).items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    status = main([str(word) for word in case["args"]])

    said = capsys.readouterr()
    assert status == case.get("exit", 0), said.err
    name = path.name.removesuffix(".in.yaml")
    if said.out:
        golden.check(HERE / f"{name}{_ending(case['args'])}", said.out)
    if said.err:
        golden.check(HERE / f"{name}.out.err", said.err)
    assert said.out or said.err


def _ending(args: list[str]) -> str:
    form = args[args.index("-o") + 1] if "-o" in args else "table"
    return ENDINGS.get(form, ".out.txt")


def test_no_output_is_left_of_an_input_that_is_gone() -> None:
    names = {path.name.removesuffix(".in.yaml") for path in INPUTS}

    orphans = [
        path.name for path in HERE.glob("*.out.*") if path.name.split(".out.")[0] not in names
    ]

    assert orphans == []
