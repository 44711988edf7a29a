"""Optional APIs for a control plane: the definitions that their own projects publish."""

from .definitions import (
    GATEWAYS,
    HTTP_ROUTES,
    INFERENCE_POOLS,
    LEADER_WORKER_SETS,
    LOCAL_QUEUES,
    NODE_POOLS,
    POD_MONITORS,
    SERVICE_MONITORS,
    Definition,
    install,
    uninstall,
)

__all__ = [
    "GATEWAYS",
    "HTTP_ROUTES",
    "INFERENCE_POOLS",
    "LEADER_WORKER_SETS",
    "LOCAL_QUEUES",
    "NODE_POOLS",
    "POD_MONITORS",
    "SERVICE_MONITORS",
    "Definition",
    "install",
    "uninstall",
]
