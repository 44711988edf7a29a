"""Every number of ready replicas that a Deployment goes through, by a watch."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from support.controlplane import BackgroundProcess
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.room import Room

SECONDS = 30.0

SHOWN = "--output=jsonpath={.status.readyReplicas}{'.'}"


class Followed:
    """A watch of one Deployment."""

    def __init__(self, process: BackgroundProcess) -> None:
        self._process = process

    @property
    def ready(self) -> list[int]:
        """The numbers so far, oldest first."""
        shown = self._process.log.read_text().split(".")[:-1]
        return [int(number or 0) for number in shown]


@contextmanager
def followed(room: Room, deployment: str, folder: Path) -> Iterator[Followed]:
    """Follow a Deployment while inside; `folder` takes what the watch writes."""
    cluster = room.cluster
    argv: list[str | Path] = [
        cluster.binaries["kubectl"],
        f"--namespace={room.namespace}",
        "get",
        "deployment",
    ]
    log = folder / f"{deployment}-{len(list(folder.iterdir()))}.watch"
    process = BackgroundProcess(
        "watch", [*argv, deployment, "--watch", SHOWN], log, env=cluster.commands().environment()
    )
    following = Followed(process)
    try:
        until(lambda: log.exists() and following.ready, SECONDS, "the Deployment should be shown")
        yield following
        process.check()
    finally:
        process.stop()
