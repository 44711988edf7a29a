"""Figures that tests tell: at the end of what pytest prints, from whichever process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PROPERTY = "told"
"""Name under which a test's report carries a line."""


class Tell(Protocol):
    """Tells one thing, of one line or more."""

    def __call__(self, text: str, /) -> None:
        """Have it printed when all tests are over, whether this one passes or not."""


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Tell:
    """What a test tells whoever reads pytest's output."""

    def recording(text: str) -> None:
        record_property(PROPERTY, text)

    return recording


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have told."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            lines = [text for name, text in report.user_properties if name == PROPERTY]
            if lines and report.when == "call":
                terminalreporter.write_line("")
                terminalreporter.write_line("\n".join(lines))
