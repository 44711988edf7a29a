"""Golden files: what was written once and read by a person is what is written for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite golden files with what the code says now; read the diff before committing",
    )


@dataclass(frozen=True)
class Golden:
    """Compares text with a file, or rewrites the file when asked to."""

    update: bool

    def check(self, path: Path, actual: str) -> None:
        if self.update:
            path.write_text(actual, encoding="utf-8")
        assert path.is_file(), f"{path.name} is missing: pytest {path.parent} --update-golden"
        assert actual == path.read_text(encoding="utf-8"), (
            f"{path.name} differs: if that is meant, pytest {path.parent} --update-golden"
        )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden(update=bool(request.config.getoption("--update-golden")))
