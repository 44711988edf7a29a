"""The whole thing: a control plane with a real node, and the chart installed on it by Helm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.availability import cannot_run
from support.controlplane import Accelerator, ControlPlane, NodeSpec, make_node
from support.node import NODE_ADDRESS, Node, Services, Supplies, inside, prepare, release
from support.node.team import Team, new_team
from support.told import pytest_terminal_summary, tell

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["pytest_terminal_summary", "tell"]  # hooks and fixtures, as pytest finds them here

COMMAND = "make e2e"

L4 = Accelerator("NVIDIA-L4", 23_034, (8, 9), "ada-lovelace")
"""What the node says it has; the engine computes on the CPU, and is asked for tiny models."""


@pytest.fixture(scope="session")
def supplies() -> Supplies:
    """Images and models, made before (`python -m support.node build`)."""
    if not inside():
        cannot_run("A real node lives in namespaces of its own.", COMMAND)
    return prepare(print)


@pytest.fixture(scope="session")
def node_labels() -> dict[str, str]:
    """What feature discovery would say of a node with L4."""
    described = make_node(NodeSpec("real", L4, gpus=2))["metadata"]["labels"]
    return {key: value for key, value in described.items() if "kubernetes.io/" not in key}


@pytest.fixture(scope="session")
def cluster(supplies: Supplies, node_labels: dict[str, str]) -> Iterator[ControlPlane]:
    """A control plane whose one node is real; each of its two GPUs is a word."""
    gpus = {"nvidia.com/gpu": 2}
    with (
        ControlPlane(address=NODE_ADDRESS) as running,
        Services(running),
        Node(running, labels=node_labels, extended_resources=gpus, images=supplies.images),
    ):
        yield running


@pytest.fixture(scope="session")
def installed(cluster: ControlPlane, supplies: Supplies) -> ControlPlane:
    """The chart, installed as the README says, in a namespace of Pod Security level restricted."""
    release.make_namespace(cluster, release.NAMESPACE)
    release.install(cluster, supplies.images.operator)
    return cluster


@pytest.fixture
def team(installed: ControlPlane, supplies: Supplies) -> Iterator[Team]:
    """A user's namespace, restricted, with the models in the claim `models`."""
    with new_team(installed, supplies) as yours:
        yield yours


@pytest.fixture(scope="module")
def shared(installed: ControlPlane, supplies: Supplies) -> Iterator[Team]:
    """The same, for all tests of a file: an engine takes a minute to start."""
    with new_team(installed, supplies) as yours:
        yield yours
