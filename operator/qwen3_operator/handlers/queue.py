"""The one work queue: keys in, keys out, each key with one worker at a time.

- A key that is already waiting is not queued twice; one that comes back while a worker has it runs
  once more afterwards.
- A key may be asked for later; the earliest wish counts, and a run makes older wishes moot: a
  reconcile states anew what it waits for.
- Keys asked for at once go before keys that were put off: a new resource gets its pods before an
  older one's status is polished. Every fourth turn is the other way round, so nobody starves.
- A key that failed comes back after a delay that doubles with every failure in a row.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

BACKOFF_FIRST_S = 0.25
"""After the first failure; a conflict or a hiccup is over by then."""

BACKOFF_MOST_S = 120.0
"""After many; what is broken for so long is not mended by asking more often."""

TURNS = 4
"""Of so many keys handed out at least one is a key that was put off, if there is one."""

K = TypeVar("K", bound="Hashable")


class Timer(Protocol):
    """A call that was asked for and can be called off."""

    def cancel(self) -> None:
        """Call it off."""


class Clock(Protocol):
    """The part of an event loop that knows the time; a test's own clock needs no sleep."""

    def time(self) -> float:
        """Return seconds since any fixed moment."""

    def call_at(self, when: float, callback: Callable[..., None], *args: object) -> Timer:
        """Call back at that time."""


class LoopClock(Clock, Protocol):
    """A clock that also calls back after a while, as event loops do."""

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        """Call back after so many seconds."""


class QueueClosedError(Exception):
    """No more work: the operator is stopping."""


class WorkQueue(Generic[K]):
    """Coalescing queue of keys; not thread-safe, all calls come from one event loop."""

    def __init__(
        self, clock: Clock, jitter: Callable[[], float], *, first_s: float = BACKOFF_FIRST_S
    ) -> None:
        """Make a queue; `jitter` returns numbers in [0, 1) that spread retries."""
        self._clock = clock
        self._jitter = jitter
        self._first_s = first_s
        self._urgent: deque[K] = deque()
        self._put_off: deque[K] = deque()
        self._waiting: set[K] = set()
        self._turn = 0
        self._running: set[K] = set()
        self._again: set[K] = set()
        self._later: dict[K, tuple[float, Timer]] = {}
        self._failures: dict[K, int] = {}
        self._getters: deque[asyncio.Future[None]] = deque()
        self._closed = False

    def __len__(self) -> int:
        """Count the keys that wait for a worker."""
        return len(self._urgent) + len(self._put_off)

    @property
    def running(self) -> int:
        """Count the keys that a worker has."""
        return len(self._running)

    @property
    def delayed(self) -> int:
        """Count the keys asked for at a later time, retries among them."""
        return len(self._later)

    @property
    def idle(self) -> bool:
        """Whether nothing waits or runs; keys asked for later do not count."""
        return not len(self) and not self._running

    @property
    def is_pressed(self) -> bool:
        """Whether keys wait that were asked for at once."""
        return bool(self._urgent)

    def add(self, key: K) -> None:
        """Ask for a run as soon as a worker is free."""
        if self._closed:
            return
        self._call_off(key)
        self._enqueue(key, self._urgent)

    def add_after(self, key: K, delay_s: float) -> None:
        """Ask for a run in `delay_s` seconds, unless one comes sooner."""
        if self._closed or key in self._waiting or key in self._again:
            return
        when = self._clock.time() + delay_s
        planned = self._later.get(key)
        if planned is not None:
            if planned[0] <= when:
                return
            planned[1].cancel()
        self._later[key] = (when, self._clock.call_at(when, self._due, key))

    def retry(self, key: K, at_least_s: float = 0.0) -> float:
        """Ask for a run after a failure; return the delay.

        `at_least_s` is what a server asked for (Retry-After).
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        longest = min(BACKOFF_MOST_S, self._first_s * 2.0 ** min(failures, 32))
        delay = max(at_least_s, longest * (0.5 + self._jitter() / 2))
        self.add_after(key, delay)
        return delay

    def succeeded(self, key: K) -> None:
        """Forget the failures of a key."""
        self._failures.pop(key, None)

    def forget(self, key: K) -> None:
        """Forget everything asked of a key that is no more."""
        self._failures.pop(key, None)
        self._call_off(key)

    async def get(self) -> K:
        """Wait for a key; :meth:`done` must follow.

        Raises:
            QueueClosedError: the queue was closed.
        """
        while not len(self):
            if self._closed:
                raise QueueClosedError
            getter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._getters.append(getter)
            try:
                await getter
            except asyncio.CancelledError:
                self._pass_on(getter)
                raise
        key = self._next()
        self._waiting.discard(key)
        self._call_off(key)
        self._running.add(key)
        return key

    def done(self, key: K) -> None:
        """Say that the worker is finished with a key."""
        self._running.discard(key)
        if key in self._again:
            self._again.discard(key)
            self.add(key)

    def close(self) -> None:
        """Hand out nothing more; what runs may finish."""
        self._closed = True
        self._urgent.clear()
        self._put_off.clear()
        self._waiting.clear()
        self._again.clear()
        for _, timer in self._later.values():
            timer.cancel()
        self._later.clear()
        while self._getters:
            self._wake_one()

    def _due(self, key: K) -> None:
        self._later.pop(key, None)
        self._enqueue(key, self._put_off)

    def _enqueue(self, key: K, queue: deque[K]) -> None:
        if key in self._running:
            self._again.add(key)
        elif key not in self._waiting:
            self._waiting.add(key)
            queue.append(key)
            self._wake_one()

    def _next(self) -> K:
        self._turn = (self._turn + 1) % TURNS
        if self._put_off and (not self._urgent or self._turn == 0):
            return self._put_off.popleft()
        return self._urgent.popleft()

    def _call_off(self, key: K) -> None:
        planned = self._later.pop(key, None)
        if planned is not None:
            planned[1].cancel()

    def _wake_one(self) -> None:
        while self._getters:
            getter = self._getters.popleft()
            if not getter.done():
                getter.set_result(None)
                return

    def _pass_on(self, getter: asyncio.Future[None]) -> None:
        """Hand a cancelled getter's turn to the next one."""
        if getter.done() and not getter.cancelled() and len(self):
            self._wake_one()
        elif getter in self._getters:
            self._getters.remove(getter)
