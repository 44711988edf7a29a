"""One browser for all tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.browser import Browser

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with Browser() as running:
        yield running
