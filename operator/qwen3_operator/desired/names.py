"""Names of everything the operator makes, in one place."""

from __future__ import annotations

GROUP_PREFIX = "serving.qwen3.dev"
"""Prefix of our labels and annotations."""

FIELD_MANAGER = "qwen3-operator"
"""Owner of the fields that server-side apply writes."""

CONTAINER = "engine"
"""The container with the model server."""

PORT_NAME = "http"
"""Name of the engine's port, in container and Service."""

CLUSTER_SUFFIX = "svc"
"""Short form that resolves in every cluster, whatever its domain."""


def deployment(name: str) -> str:
    """Return the name of the Deployment of a resource."""
    return name


def service(name: str) -> str:
    """Return the name of the Service of a resource."""
    return name


def headless_service(name: str) -> str:
    """Return the name of the Service that resolves to each replica; 52 + 9 is below 63."""
    return f"{name}-headless"


def route(name: str) -> str:
    """Return the name of the HTTPRoute of a resource."""
    return name


def ingress(name: str) -> str:
    """Return the name of the Ingress of a resource."""
    return name


def inference_pool(name: str) -> str:
    """Return the name of the InferencePool of a resource."""
    return name


def network_policy(name: str) -> str:
    """Return the name of the NetworkPolicy of a resource."""
    return name


def pod_monitor(name: str) -> str:
    """Return the name of the PodMonitor of a resource."""
    return name


def endpoint(namespace: str, name: str, port: int) -> str:
    """Return where clients inside the cluster reach the OpenAI-compatible API.

    >>> endpoint("default", "qwen3-32b", 8000)
    'http://qwen3-32b.default.svc:8000/v1'
    """
    return f"http://{service(name)}.{namespace}.{CLUSTER_SUFFIX}:{port}/v1"
