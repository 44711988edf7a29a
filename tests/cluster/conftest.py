"""A real control plane for the tests of this folder, and a namespace for each of them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from support.availability import cannot_run
from support.controlplane import (
    DEMO_NODES,
    H100_SXM_80GB,
    BuildError,
    Commands,
    ControlPlane,
    MissingPrerequisiteError,
    NodeSpec,
    find_or_build,
)
from support.controlplane.binaries import say_on_stderr
from support.models import Models
from support.operator import RunningOperator, install
from support.room import Room
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.controlplane import Binaries

BUILD_COMMAND = "make controlplane"


@pytest.fixture(scope="session")
def control_plane_binaries(request: pytest.FixtureRequest) -> Binaries:
    """The programs of the control plane; builds them when missing, in sight of who waits."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled():
            return find_or_build(say_on_stderr)
    except (MissingPrerequisiteError, BuildError) as error:
        cannot_run(f"No control plane: {error}", BUILD_COMMAND)


@pytest.fixture(scope="session")
def helm(control_plane_binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    """Helm without any cluster."""
    home = tmp_path_factory.mktemp("helm")
    return Commands(control_plane_binaries, home / "no-kubeconfig", home)


@pytest.fixture(scope="session")
def control_plane(control_plane_binaries: Binaries) -> Iterator[ControlPlane]:
    """The control plane that the tests share, with DEMO_NODES and an audit log."""
    with ControlPlane(control_plane_binaries, nodes=DEMO_NODES, audit=True) as running:
        yield running


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace of its own, ready for pods; its pods are gone before the next test."""
    name = f"test-{secrets.token_hex(4)}"
    control_plane.kubectl("create", "namespace", name)
    until(
        lambda: control_plane.kubectl(
            "get", "serviceaccount", "default", f"--namespace={name}", "--ignore-not-found"
        ),
        30,
        f"namespace {name} got no default ServiceAccount",
    )
    yield name
    # A namespace takes five seconds and more to go, and nobody needs to wait for it; but GPUs that
    # its pods still hold would be missing in the next test. Once it is terminating, no controller
    # can make another pod in it.
    control_plane.kubectl("delete", "namespace", name, "--wait=false")
    control_plane.kubectl("delete", "pods", "--all", f"--namespace={name}", "--timeout=60s")


@pytest.fixture
def room(control_plane: ControlPlane, namespace: str) -> Room:
    """The test's namespace with the moves that tests make in it."""
    return Room(control_plane, namespace)


@pytest.fixture
def lone_node(control_plane: ControlPlane) -> Iterator[NodeSpec]:
    """An untainted node of 8 H100 with labels of its own; gone after the test.

    Ask for it before `room`: pods of a node that is gone first linger for 40 seconds.
    """
    pool = "test.qwen3.dev/pool"
    spec = NodeSpec("lone", H100_SXM_80GB, gpus=8, labels={pool: "lone"})
    control_plane.add_nodes(spec)
    yield spec
    control_plane.remove_nodes(spec.name)


@pytest.fixture(scope="module")
def operator(
    control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningOperator]:
    """One operator with the chart's rights, for the tests of one file."""
    folder = tmp_path_factory.mktemp("operator")
    installation = install(control_plane, folder, "qwen3-operator-system")
    with RunningOperator(installation) as running:
        yield running


@pytest.fixture
def models(room: Room, operator: RunningOperator) -> Iterator[Models]:
    """The resources of an own namespace; they and their GPUs are gone before the next test."""
    assert operator.returncode is None
    models = Models(room)
    yield models
    models.delete_all()
