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


def endpoint(namespace: str, name: str, port: int) -> str:
    """Return where clients inside the cluster reach the OpenAI-compatible API.

    >>> endpoint("default", "qwen3-32b", 8000)
    'http://qwen3-32b.default.svc:8000/v1'
    """
    return f"http://{service(name)}.{namespace}.{CLUSTER_SUFFIX}:{port}/v1"
