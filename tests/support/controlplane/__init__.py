"""A real Kubernetes control plane on loopback, with KWOK nodes that carry GPU labels.

    from support.controlplane import DEMO_NODES, ControlPlane

    with ControlPlane(nodes=DEMO_NODES) as cluster:
        cluster.kubectl("get", "nodes")

From a shell, with tests/ on PYTHONPATH: `python -m support.controlplane up`. See README.md.
"""

from .audit import AuditLog, Request, Tally, tally
from .behaviour import annotated_pods
from .binaries import Binaries, find, find_or_build
from .cluster import ControlPlane
from .commands import Commands
from .errors import (
    BuildError,
    CommandError,
    ControlPlaneError,
    MissingPrerequisiteError,
    ProcessDiedError,
)
from .nodes import (
    A100_SXM_80GB,
    DEMO_NODES,
    GPU_RESOURCE,
    GPU_TAINT,
    H100_SXM_80GB,
    L40S,
    RTX_4090,
    Accelerator,
    NodeSpec,
    Taint,
    make_node,
)
from .processes import BackgroundProcess

__all__ = [
    "A100_SXM_80GB",
    "DEMO_NODES",
    "GPU_RESOURCE",
    "GPU_TAINT",
    "H100_SXM_80GB",
    "L40S",
    "RTX_4090",
    "Accelerator",
    "AuditLog",
    "BackgroundProcess",
    "Binaries",
    "BuildError",
    "CommandError",
    "Commands",
    "ControlPlane",
    "ControlPlaneError",
    "MissingPrerequisiteError",
    "NodeSpec",
    "ProcessDiedError",
    "Request",
    "Taint",
    "Tally",
    "annotated_pods",
    "find",
    "find_or_build",
    "make_node",
    "tally",
]
