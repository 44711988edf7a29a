"""Two operators: one works, the other stands by and takes over."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from support.models import SMALL, Models
from support.operator import Installation, RunningOperator, install
from support.wait import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.controlplane import ControlPlane
    from support.room import Room

pytestmark = pytest.mark.cluster

LEASE_S = 4
"""Short, so that a takeover is soon."""

LONG_LEASE_S = 120
"""Longer than `await_leading` waits; a standby looks every seventh of it or so."""

ON_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"


@pytest.fixture
def installation(control_plane: ControlPlane, tmp_path: Path) -> Installation:
    """Rights of both operators."""
    return install(control_plane, tmp_path, "leases-system")


def operator(
    installation: Installation, name: str, wait_until: str, lease_s: int = LEASE_S
) -> RunningOperator:
    return RunningOperator(
        installation, identity=name, lease_duration_s=lease_s, wait_until=wait_until
    )


def test_only_the_holder_writes_and_a_standby_takes_over_after_kill_9(
    installation: Installation, room: Room
) -> None:
    models = Models(room)
    with (
        operator(installation, "first", "leading") as first,
        operator(installation, "second", "ready") as second,
    ):
        models.apply("served", ON_L40S)
        models.await_ready("served")
        assert not second.is_leading()
        assert "applied" not in second.log
        uids = {pod["metadata"]["uid"] for pod in models.pods("served")}
        first.kill()
        killed = time.monotonic()
        models.room.kubectl("annotate", "q3d", "served", "example.com/seen=1")
        second.await_leading()
        assert (
            time.monotonic() - killed >= LEASE_S / 3
        )  # it did not start while the first might work
        models.room.kubectl("delete", "service", "served")
        until(
            lambda: ("Service", "served") in models.children("served"),
            30,
            "the new leader should repair",
        )
        assert {pod["metadata"]["uid"] for pod in models.pods("served")} == uids
        models.delete_all()


def test_a_stopping_operator_gives_the_lease_back(installation: Installation) -> None:
    """The Lease would last longer than this test waits: only its return lets the standby begin."""
    with (
        operator(installation, "first", "leading", LONG_LEASE_S) as first,
        operator(installation, "second", "ready", LONG_LEASE_S) as second,
    ):
        assert first.stop() == 0
        second.await_leading()


def test_a_leader_that_slept_through_its_lease_ends_instead_of_writing(
    installation: Installation,
) -> None:
    with operator(installation, "first", "leading") as first:
        first.unwanted_words = ("Traceback", "Forbidden")
        os.kill(first.pid, signal.SIGSTOP)
        with operator(installation, "second", "leading"):
            os.kill(first.pid, signal.SIGCONT)
            until(lambda: first.returncode is not None, 30, "the old leader should end")
            assert first.returncode == 1


def test_an_operator_that_loses_the_lease_stops_at_once(
    installation: Installation, control_plane: ControlPlane
) -> None:
    with operator(installation, "first", "leading") as first:
        first.unwanted_words = ("Traceback", "Forbidden")
        control_plane.kubectl(
            f"--namespace={installation.namespace}",
            "patch",
            "lease",
            "qwen3-operator",
            '--patch={"spec":{"holderIdentity":"somebody-else"}}',
        )
        until(lambda: first.returncode is not None, 30, "it should stop")
        assert first.returncode == 1
        assert "the lease is held by somebody-else" in first.log
