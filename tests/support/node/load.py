"""Clients of a model that never stop asking, and what became of each request.

They are what users are: each asks, reads the whole answer, thinks for a moment and asks again.
Some keep their connection as the libraries of OpenAI and others do (urllib3's pool: a connection
that the server has closed is seen and not used again), some make a new one each time; some read a
stream; one asks for long answers, which are still being written whatever happens meanwhile. Nobody
asks twice: a request that fails counts.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

import urllib3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

PATIENCE_S = 400.0
"""Longer than any answer takes on two busy cores that start another engine."""


@dataclass(frozen=True, slots=True)
class Client:
    """How one client asks.

    Attributes:
        name: as failures name it.
        keeps: its connection, for the next request.
        streams: reads the answer while it is written.
        tokens: of an answer; the engine may not end it earlier.
        thinks_s: between an answer and the next question.
    """

    name: str
    keeps: bool
    streams: bool
    tokens: int
    thinks_s: float = 1.0


CLIENTS = (
    Client("new connection, whole answer", keeps=False, streams=False, tokens=8),
    Client("new connection, stream", keeps=False, streams=True, tokens=24),
    Client("kept connection, whole answer", keeps=True, streams=False, tokens=8),
    Client("kept connection, stream", keeps=True, streams=True, tokens=24),
    Client("kept connection, long stream", keeps=True, streams=True, tokens=240, thinks_s=3),
    Client("new connection, long answer", keeps=False, streams=False, tokens=120, thinks_s=5),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request.

    Attributes:
        client: who asked.
        phase: what went on when it was sent.
        began_s: when it was sent, on the clock of the load.
        took_s: until the end of its answer.
        problem: why it failed; empty: it was answered as it should be.
    """

    client: str
    phase: str
    began_s: float
    took_s: float
    problem: str


class Load:
    """Clients that ask until the end of a `with` block."""

    def __init__(self, address: str, clients: tuple[Client, ...] = CLIENTS) -> None:
        self._address = address
        self._clients = clients
        self._over = threading.Event()
        self._phase = "before"
        self._began = time.monotonic()
        self._outcomes: list[Outcome] = []
        self._threads = [
            threading.Thread(target=self._ask, args=(client,), name=client.name)
            for client in clients
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)

    def during(self, phase: str) -> None:
        """Say what goes on from now."""
        self._phase = phase

    def answered(self) -> int:
        """Return how many requests were answered until now."""
        return sum(not one.problem for one in list(self._outcomes))

    def failures(self) -> list[Outcome]:
        """Return the requests that failed until now."""
        return [one for one in list(self._outcomes) if one.problem]

    def report(self) -> list[str]:
        """Return a line for each phase: requests sent, answered, failed, and the longest."""
        outcomes = list(self._outcomes)
        phases = dict.fromkeys(one.phase for one in outcomes)
        return [_line(phase, [one for one in outcomes if one.phase == phase]) for phase in phases]

    def total(self) -> str:
        """Return the same over all phases."""
        return _line("all together", list(self._outcomes))

    def _ask(self, client: Client) -> None:
        host, _, port = self._address.partition(":")
        with urllib3.HTTPConnectionPool(
            host, int(port), maxsize=1, retries=False, timeout=PATIENCE_S
        ) as pool:
            while not self._over.is_set():
                phase, began = self._phase, time.monotonic()
                try:
                    problem = _problem_of(client, pool)
                except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                    problem = repr(error)
                took = time.monotonic() - began
                self._outcomes.append(
                    Outcome(client.name, phase, began - self._began, took, problem)
                )
                self._over.wait(client.thinks_s)


def _line(phase: str, outcomes: list[Outcome]) -> str:
    failed = Counter(f"{one.client}: {one.problem}" for one in outcomes if one.problem)
    longest = max(outcomes, key=lambda one: one.took_s)
    said = (
        f"{phase}: {len(outcomes)} requests sent, {len(outcomes) - failed.total()} answered,"
        f" {failed.total()} failed; the longest took {longest.took_s:.1f} s ({longest.client})"
    )
    return "; ".join([said, *(f"{count} x {what}" for what, count in failed.items())])


def _problem_of(client: Client, pool: urllib3.HTTPConnectionPool) -> str:
    """Ask once; say what is wrong with the answer, or nothing."""
    question = {
        "model": "qwen3",
        "messages": [{"role": "user", "content": "How much memory?"}],
        "max_tokens": client.tokens,
        "ignore_eos": True,
        "stream": client.streams,
    }
    headers = {"Content-Type": "application/json"}
    if not client.keeps:
        headers["Connection"] = "close"
    response = pool.request(
        *("POST", "/v1/chat/completions", json.dumps(question)),
        headers=headers,
        preload_content=False,
    )
    try:
        if response.status != HTTPStatus.OK:
            return f"status {response.status}: {response.data[:200]!r}"
        end = _end_of_stream(response) if client.streams else _end_of_whole(response.data)
        return "" if end == "length" else f"the answer ended with {end!r}"
    finally:
        response.drain_conn()
        response.release_conn()


def _end_of_whole(data: bytes) -> str:
    document = json.loads(data)
    return str(document["choices"][0]["finish_reason"])


def _end_of_stream(response: urllib3.BaseHTTPResponse) -> str:
    """Return why a stream ended, as its last piece has it."""
    reason, is_done = "nothing", False
    for piece in _pieces(response):
        if piece == "[DONE]":
            is_done = True
            continue
        document = json.loads(piece)
        if "choices" not in document:
            return str(document)
        for choice in document["choices"]:
            reason = choice["finish_reason"] or reason
    return reason if is_done else f"{reason}, and was cut off"


def _pieces(response: urllib3.BaseHTTPResponse) -> Iterator[str]:
    buffer = b""
    for chunk in response.stream(amt=None):
        buffer += chunk
        while b"\n\n" in buffer:
            piece, _, buffer = buffer.partition(b"\n\n")
            yield piece.decode().removeprefix("data: ").strip()
