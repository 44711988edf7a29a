"""A reconcile with nothing to do writes nothing: after settling, and after a restart."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from qwen3_operator.cluster.optional import LOOK_AGAIN_S
from support.models import SMALL, Models
from support.operator import Installation, RunningOperator, install
from support.room import make_pod
from support.wait import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.controlplane import ControlPlane, Request
    from support.room import Room

pytestmark = pytest.mark.cluster

WATCHED_S = 12.0
"""Longer than every pause by which the operator could come back to a settled resource."""

QUIET_S = 2.0

LISTS_OF_APIS_AT_MOST = WATCHED_S // LOOK_AGAIN_S + 1
"""What this control plane lacks (Karpenter, Kueue …) is looked for by that, and not one by one."""


@pytest.fixture
def installation(control_plane: ControlPlane, tmp_path: Path) -> Installation:
    """Rights of the operator."""
    return install(control_plane, tmp_path, "quiet-system")


def writes(control_plane: ControlPlane, installation: Installation, since: int) -> list[Request]:
    """Return what the operator wrote; renewing the Lease does not count."""
    return [
        request
        for request in control_plane.audit_log.requests(since)
        if request.user == installation.user and request.writes and request.resource != "leases"
    ]


def reads(
    control_plane: ControlPlane, installation: Installation, since: int
) -> Counter[tuple[str, str]]:
    """Count by verb and resource what the operator read; streams that open anew do not count."""
    return Counter(
        (request.verb, request.resource)
        for request in control_plane.audit_log.requests(since)
        if request.user == installation.user
        and not request.writes
        and request.verb != "watch"
        and request.resource != "leases"
    )


def apply_some_of_each(models: Models) -> None:
    """One each that runs, waits, cannot fit, is wrong, is suspended, and waits for its cache."""
    on_l40s = f"{SMALL}accelerators: [L40S-48GB]\n"
    models.apply("runs", on_l40s)
    models.await_ready("runs")
    models.apply("waits", on_l40s)
    models.await_condition("waits", "Scheduled", "False", "InsufficientGPU")
    models.apply("too-big", "quantization: bf16\naccelerators: [L40S-48GB]\n", variant="Qwen3-32B")
    models.await_condition("too-big", "PlanFeasible", "False")
    models.apply("wrong", f"{SMALL}accelerators: [no-such-gpu]\n")
    models.await_condition("wrong", "SpecValid", "False")
    models.apply("uncached", f"{on_l40s}cache: {{persistentVolumeClaim: {{}}}}\n")
    models.await_condition("uncached", "ModelCached", "False", "ClaimNotBound")
    models.apply("suspended", f"{on_l40s}suspend: true\n")
    models.await_condition("suspended", "Ready", "True", "Suspended")


def await_quiet(control_plane: ControlPlane, installation: Installation) -> None:
    def quiet() -> bool:
        mark = control_plane.audit_log.mark()
        time.sleep(QUIET_S)
        return not writes(control_plane, installation, mark)

    until(quiet, 60, "the operator should have nothing to do any more")


def test_a_settled_operator_writes_nothing_and_neither_does_its_successor(
    control_plane: ControlPlane, installation: Installation, room: Room
) -> None:
    models = Models(room)
    with RunningOperator(installation):
        apply_some_of_each(models)
        await_quiet(control_plane, installation)
        mark = control_plane.audit_log.mark()
        time.sleep(WATCHED_S)
        assert writes(control_plane, installation, mark) == []
        read = reads(control_plane, installation, mark)
        assert set(read) == {("get", "")}
        assert read.total() <= LISTS_OF_APIS_AT_MOST
    mark = control_plane.audit_log.mark()
    with RunningOperator(installation):
        time.sleep(WATCHED_S)
        assert writes(control_plane, installation, mark) == []
        # It does work: a change is still followed.
        models.room.kubectl("delete", "q3d", "runs")
        models.await_ready("waits")
        models.delete_all()


def test_other_peoples_pods_and_annotations_wake_nobody(
    control_plane: ControlPlane, installation: Installation, room: Room
) -> None:
    models = Models(room)
    with RunningOperator(installation):
        models.apply("runs", f"{SMALL}accelerators: [L40S-48GB]\n")
        models.await_ready("runs")
        await_quiet(control_plane, installation)
        mark = control_plane.audit_log.mark()
        room.apply(make_pod("bystander", nodeName="cpu-0"))
        room.await_ready("bystander")
        room.kubectl("annotate", "q3d", "runs", "example.com/note=1")
        room.kubectl("label", "service", "runs", "example.com/note=1")
        control_plane.kubectl("label", "node", "cpu-0", "example.com/note=1")
        time.sleep(WATCHED_S / 2)
        control_plane.kubectl("label", "node", "cpu-0", "example.com/note-")
        assert writes(control_plane, installation, mark) == []
        models.delete_all()


def test_a_resource_from_start_to_ready_costs_few_writes(
    control_plane: ControlPlane, installation: Installation, room: Room
) -> None:
    models = Models(room)
    with RunningOperator(installation):
        mark = control_plane.audit_log.mark()
        models.apply("one", f"{SMALL}accelerators: [L40S-48GB]\n")
        models.await_ready("one")
        await_quiet(control_plane, installation)
        written = writes(control_plane, installation, mark)
        models.delete_all()
    by_kind = [f"{request.resource}/{request.subresource}".rstrip("/") for request in written]
    assert by_kind.count("deployments") == 1
    assert by_kind.count("services") == 1
    assert by_kind.count("qwen3deployments/status") <= 3
    assert by_kind.count("events") <= 3
