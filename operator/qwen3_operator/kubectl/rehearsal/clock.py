"""Time that stands still while there is work, and jumps to the next timer when there is none."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Call:
    """A call that was asked for and can be called off."""

    def __init__(self, back: Callable[[], object]) -> None:
        self.back: Callable[[], object] | None = back

    def cancel(self) -> None:
        """Call it off."""
        self.back = None


class RehearsalClock:
    """A clock for the operator's queue; :meth:`jump` lets time pass."""

    def __init__(self) -> None:
        self._now = 0.0
        self._numbers = count()
        self._calls: list[tuple[float, int, Call]] = []

    def time(self) -> float:
        """Return the seconds that have passed."""
        return self._now

    def call_at(self, when: float, callback: Callable[..., object], *args: object) -> Call:
        """Call back at that time."""
        call = Call(lambda: callback(*args))
        heappush(self._calls, (when, next(self._numbers), call))
        return call

    def call_later(self, delay: float, callback: Callable[[], object]) -> Call:
        """Call back after so many seconds."""
        return self.call_at(self._now + delay, callback)

    def jump(self) -> bool:
        """Go to the next moment at which a call is due, and call; False where none is."""
        while self._calls:
            when, _, call = heappop(self._calls)
            if call.back is not None:
                self._now = max(self._now, when)
                call.back()
                return True
        return False
