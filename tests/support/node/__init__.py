"""Real nodes for the end-to-end tests: kubelet, containerd, kube-proxy, names, images, models."""

from .node import NODE_NAMES, Node
from .sandbox import NODE_ADDRESS, inside
from .services import Services
from .supply import Supplies, prepare

__all__ = ["NODE_ADDRESS", "NODE_NAMES", "Node", "Services", "Supplies", "inside", "prepare"]
