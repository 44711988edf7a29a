"""A real node for the end-to-end tests: kubelet, containerd, kube-proxy, images and models."""

from .node import NODE_NAME, Node
from .sandbox import NODE_ADDRESS, inside
from .supply import Supplies, prepare

__all__ = ["NODE_ADDRESS", "NODE_NAME", "Node", "Supplies", "inside", "prepare"]
