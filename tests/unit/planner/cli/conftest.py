from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwen3_planner.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def qwen3(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(arguments)
        said = capsys.readouterr()
        return status, said.out, said.err

    return run
