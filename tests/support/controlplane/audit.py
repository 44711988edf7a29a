"""Read the API server's audit log: who asked for what, and how often."""

from __future__ import annotations

import http.client
import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

WRITE_VERBS = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the API server; a watch counts once, from its start."""

    user: str
    agent: str
    verb: str
    group: str
    resource: str
    """Plural; empty for requests that are about no resource (`/readyz`, `/openapi/v3`)."""
    subresource: str
    namespace: str
    name: str
    code: int
    received: str
    """RFC 3339 with microseconds, UTC."""

    @property
    def writes(self) -> bool:
        """Whether it asks for a change of a resource."""
        return bool(self.resource) and self.verb in WRITE_VERBS


@dataclass(frozen=True, slots=True)
class Tally:
    """How much one of them asked."""

    requests: int
    writes: int


class AuditLog:
    """The audit log of a running control plane."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def mark(self) -> int:
        """Return the place that later requests come after; pass it to `requests`."""
        return self.path.stat().st_size if self.path.exists() else 0

    def requests(self, since: int = 0) -> list[Request]:
        """Return the requests written after `since`, each once, in the order of the log."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as log:
            log.seek(since)
            lines = log.read().split(b"\n")
        # The last piece is empty, or a line that is being written: a later call reads it.
        once: dict[str, dict[str, Any]] = {}
        for line in filter(None, lines[:-1]):
            event = json.loads(line)
            if not _is_end_of_watch(event):
                once.setdefault(event["auditID"], event)
        return [_request(event) for event in once.values()]


def tally(
    requests: Iterable[Request], by: Callable[[Request], str] = lambda request: request.user
) -> dict[str, Tally]:
    """Count requests and writes per user, or by whatever `by` returns, the busiest first."""
    asked: Counter[str] = Counter()
    wrote: Counter[str] = Counter()
    for request in requests:
        asked[by(request)] += 1
        wrote[by(request)] += request.writes
    return {key: Tally(count, wrote[key]) for key, count in asked.most_common()}


def _is_end_of_watch(event: dict[str, Any]) -> bool:
    """Whether this tells the end of a watch that was counted when it started."""
    served = event.get("responseStatus", {}).get("code", 0) < http.client.BAD_REQUEST
    return bool(event["verb"] == "watch" and event["stage"] == "ResponseComplete" and served)


def _request(event: dict[str, Any]) -> Request:
    about = event.get("objectRef", {})
    return Request(
        user=event.get("user", {}).get("username", ""),
        agent=event.get("userAgent", ""),
        verb=event.get("verb", ""),
        group=about.get("apiGroup", ""),
        resource=about.get("resource", ""),
        subresource=about.get("subresource", ""),
        namespace=about.get("namespace", ""),
        name=about.get("name", ""),
        code=event.get("responseStatus", {}).get("code", 0),
        received=event.get("requestReceivedTimestamp", ""),
    )
