"""What the operator may do, where it may do it, and what it says when it cannot start."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from support.controlplane import DEMO_NODES, ControlPlane
from support.models import SMALL, Models
from support.operator import RunningOperator, install
from support.room import Room
from support.wait import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.controlplane import Binaries

pytestmark = pytest.mark.cluster

ON_L40S = f"{SMALL}accelerators: [L40S-48GB]\n"


def test_the_charts_rights_are_enough_and_nothing_is_refused(
    control_plane: ControlPlane, room: Room, tmp_path: Path
) -> None:
    models = Models(room)
    installation = install(control_plane, tmp_path, "rights-system")
    mark = control_plane.audit_log.mark()
    with RunningOperator(installation):
        models.apply("served", ON_L40S)
        models.await_ready("served")
        models.room.kubectl("delete", "deployment", "served")
        until(lambda: len(models.children("served")) == 2, 30, "the child should be made again")
        models.apply("served", f"{ON_L40S}suspend: true\n")
        models.await_gone("served")
        models.delete_all()
    refused = [
        f"{request.verb} {request.resource}/{request.subresource}"
        for request in control_plane.audit_log.requests(mark)
        if request.user == installation.user and request.code == 403
    ]
    assert refused == []


def test_a_namespaced_operator_serves_its_namespaces_and_no_other(
    control_plane: ControlPlane, room: Room, tmp_path: Path
) -> None:
    other = f"{room.namespace}-other"
    control_plane.kubectl("create", "namespace", other)
    inside, outside = Models(room), Models(Room(control_plane, other))
    installation = install(control_plane, tmp_path, "namespaced-system", [room.namespace])
    mark = control_plane.audit_log.mark()
    try:
        with RunningOperator(installation):
            outside.apply("ignored", ON_L40S)
            inside.apply("served", f"{ON_L40S}replicas: 2\nscaling: {{maxReplicas: 1}}\n")
            inside.await_ready("served")
            assert inside.get("served")["spec"]["replicas"] == 1
            assert outside.status("ignored") == {
                "observedGeneration": -1
            }  # nobody has looked at it
            assert outside.children("ignored") == {}
            inside.delete_all()
        requests = [
            r for r in control_plane.audit_log.requests(mark) if r.user == installation.user
        ]
        assert {r.namespace for r in requests if r.writes} <= {room.namespace, "namespaced-system"}
        assert [r for r in requests if r.code == 403] == []
    finally:
        control_plane.kubectl("delete", "namespace", other, "--wait=false")


def test_without_the_crd_it_waits_and_says_so_and_starts_when_it_comes(
    control_plane_binaries: Binaries, tmp_path: Path
) -> None:
    with ControlPlane(control_plane_binaries, nodes=DEMO_NODES) as cluster:
        installation = install(cluster, tmp_path, "qwen3-system")
        crd = "crd/qwen3deployments.serving.qwen3.dev"
        cluster.kubectl("delete", crd)
        with RunningOperator(installation, wait_until="started") as operator:
            until(lambda: "install the CRD" in operator.log, 30, lambda: operator.log)
            assert not operator.is_ready()
            install(cluster, tmp_path, "qwen3-system")
            operator.await_leading()
            room = Room(cluster, "default")
            Models(room).apply("served", ON_L40S)
            Models(room).await_ready("served")


def test_it_survives_a_restart_of_the_api_server(
    control_plane_binaries: Binaries, tmp_path: Path
) -> None:
    with ControlPlane(control_plane_binaries, nodes=DEMO_NODES) as cluster:
        models = Models(Room(cluster, "default"))
        installation = install(cluster, tmp_path, "qwen3-system")
        with RunningOperator(
            installation, lease_duration_s=60, unwanted_words=("Traceback",)
        ) as operator:
            models.apply("before", ON_L40S)
            models.await_ready("before")
            cluster.stop_part("kube-apiserver")
            until(lambda: "cannot watch" in operator.log, 30, lambda: operator.log)
            cluster.start_part("kube-apiserver")
            models.room.kubectl("delete", "q3d", "before")
            models.apply("after", ON_L40S)
            models.await_ready("after")
            assert operator.returncode is None


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        pytest.param(["--kubeconfig=/nowhere"], 1, "no cluster is configured", id="no kubeconfig"),
        pytest.param(["--workers=0"], 2, "--workers: 0", id="a value out of bounds"),
        pytest.param(["--config=/nowhere"], 2, "--config: /nowhere", id="no such file"),
    ],
)
def test_what_keeps_it_from_starting_is_one_clear_line(
    arguments: list[str], status: int, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "qwen3_operator", "run", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr
