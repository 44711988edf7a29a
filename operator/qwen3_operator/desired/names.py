"""Names of everything the operator makes, in one place."""

from __future__ import annotations

import hashlib

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


def adapter_list(name: str) -> str:
    """Return the name of the ConfigMap that lists the adapters of a resource."""
    return f"{name}-adapters"


def engine_code(name: str) -> str:
    """Return the name of the ConfigMap with what runs inside the engine's server."""
    return f"{name}-engine"


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


def group_policy(name: str, replica: int) -> str:
    """Return how the names of the NetworkPolicies of one replica over several nodes begin."""
    return f"{name}-group-{replica}"


def pod_monitor(name: str) -> str:
    """Return the name of the PodMonitor of a resource."""
    return name


MAX_GROUPS_NAME = 48
"""A StatefulSet's pods carry its name, '-' and 10 characters in a label of at most 63; the one of
a replica's other ranks has '-' and the replica's number (up to three digits) at the end."""


def groups(name: str) -> str:
    """Return the name of what runs replicas of several pods; long ones are cut and told apart.

    >>> groups("qwen3-235b")
    'qwen3-235b'
    >>> groups("qwen3-235b-a22b-thinking-2507-for-the-long-name-team")
    'qwen3-235b-a22b-thinking-2507-for-the-l-32aab908'
    """
    if len(name) <= MAX_GROUPS_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[: MAX_GROUPS_NAME - len(digest) - 1].rstrip('-')}-{digest}"


def other_ranks(name: str, group: int) -> str:
    """Return the name of what runs the ranks of one replica that do not lead."""
    return f"{groups(name)}-{group}"


def ranks_service(name: str) -> str:
    """Return the name of the headless Service by which the ranks find one another."""
    return f"{groups(name)}-ranks"


def disruption_budget(name: str) -> str:
    """Return the name of the PodDisruptionBudget of a resource."""
    return name


def revision(name: str, plan_hash: str) -> str:
    """Return the name of the ControllerRevision that keeps what pods are made from."""
    return f"{name}-plan-{plan_hash}"


def endpoint(namespace: str, name: str, port: int) -> str:
    """Return where clients inside the cluster reach the OpenAI-compatible API.

    >>> endpoint("default", "qwen3-32b", 8000)
    'http://qwen3-32b.default.svc:8000/v1'
    """
    return f"http://{service(name)}.{namespace}.{CLUSTER_SUFFIX}:{port}/v1"
