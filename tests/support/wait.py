"""Wait for a condition, never for a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class WaitTimeoutError(AssertionError):
    """A condition did not come true in time; an assertion, so that pytest shows it as a failure."""


def until(
    probe: Callable[[], T | None],
    timeout: float,
    message: str | Callable[[], str],
    *,
    interval: float = 0.05,
    ignore: tuple[type[Exception], ...] = (),
) -> T:
    """Call `probe` until it returns something truthy, and return that.

    The probe is called at least once and once more after the time is over, so that a slow machine
    is never blamed for a condition that holds. `ignore` names exceptions that mean "not yet".

    Raises:
        WaitTimeoutError: with `message`, the last value and the last ignored exception.
    """
    deadline = time.monotonic() + timeout
    while True:
        late = time.monotonic() >= deadline
        value, problem = _ask(probe, ignore)
        if value:
            return value
        if late:
            text = message() if callable(message) else message
            seen = f"last error: {problem!r}" if problem else f"last value: {value!r}"
            raise WaitTimeoutError(f"{text} (waited {timeout:g} s; {seen})")
        time.sleep(min(interval, max(0.0, deadline - time.monotonic())))


def _ask(
    probe: Callable[[], T | None], ignore: tuple[type[Exception], ...]
) -> tuple[T | None, Exception | None]:
    try:
        return probe(), None
    except ignore as error:
        return None, error
