from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwen3_planner.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(autouse=True)
def on_a_day_when_prices_are_young(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prices of the catalog warn when they are old: no test may depend on today."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")  # 23 November 2026


@pytest.fixture
def qwen3(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run
