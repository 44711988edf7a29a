"""What is told of one resource: its status, and what changed in it as Events."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator import status
from qwen3_operator.cluster.children import version_of
from qwen3_operator.errors import ClusterError
from qwen3_operator.scaling import STAMP

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from qwen3_operator.cluster.applying import Writer
    from qwen3_operator.cluster.children import OwnWrite
    from qwen3_operator.cluster.watching import Store
    from qwen3_operator.observed import Key
    from qwen3_operator.status import Facts
    from qwen3_planner.api.status import Qwen3DeploymentStatus

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Subject:
    """One resource as it was when the run began."""

    key: Key
    body: dict[str, Any]
    previous: Qwen3DeploymentStatus

    @property
    def uid(self) -> str:
        """Its uid: one of the same name may have come and gone before."""
        return str(self.body["metadata"]["uid"])

    @property
    def generation(self) -> int:
        """Of its specification."""
        return int(self.body["metadata"]["generation"])


class Reporter:
    """Writes statuses and Events."""

    def __init__(
        self,
        writer: Writer,
        bodies: Store[dict[str, Any]],
        own_write: OwnWrite,
        now: Callable[[], datetime],
    ) -> None:
        self._writer = writer
        self._bodies = bodies
        self._own_write = own_write
        self._now = now

    async def report(self, subject: Subject, facts: Facts) -> None:
        """Write the status if it changed, then say what changed as Events.

        Raises:
            ClusterError: the API server did not take the status.
        """
        now = self._now()
        new = status.derive(facts, subject.previous, now)
        if new == subject.body.get("status"):
            return
        with self._own_write(subject.key) as answers:
            written = await self._writer.set_status(subject.key, subject.uid, new)
            self._replace(subject, written)
            if written is None:
                return
            answers.add(version_of(written))
        for note in status.events(subject.previous, new):
            log.info("%s: %s", note.reason, note.message)
            try:
                await self._writer.post(note, written, now.strftime(STAMP))
            except ClusterError as error:  # an Event is a courtesy; the status says the same
                log.warning("the Event %s was not written: %s", note.reason, error)

    def _replace(self, subject: Subject, body: dict[str, Any] | None) -> None:
        """Remember the resource as the API server just showed it, or that it is gone."""
        if body is None:
            self._bodies.drop(subject.body)
        else:
            self._bodies.put(body)
