"""The kinds of children there are: what their collections are called, and which may be missing.

An optional API comes and goes with whoever installs it: a child of such a kind is made while the
API is there, and what to install is said while it is not.
"""

from __future__ import annotations

from typing import NamedTuple


class ChildKind(NamedTuple):
    """One kind of child.

    Attributes:
        api_version: of its manifests.
        kind: of its manifests.
        plural: its collection's name in paths and roles.
        api: what has to be installed for it; empty for what every cluster has.
        page: where that is to be had.
        role: our role label's value on its objects, where controllers put our other labels on
            objects of that kind, too; empty elsewhere.
    """

    api_version: str
    kind: str
    plural: str
    api: str = ""
    page: str = ""
    role: str = ""

    @property
    def root(self) -> str:
        """Return where the API server keeps its version.

        >>> ChildKind("v1", "Service", "services").root
        '/api/v1'
        """
        return (
            f"/apis/{self.api_version}" if "/" in self.api_version else f"/api/{self.api_version}"
        )


DEPLOYMENT = ChildKind("apps/v1", "Deployment", "deployments")
STATEFUL_SET = ChildKind("apps/v1", "StatefulSet", "statefulsets")
LEADER_WORKER_SET = ChildKind(
    "leaderworkerset.x-k8s.io/v1",
    "LeaderWorkerSet",
    "leaderworkersets",
    "LeaderWorkerSet",
    "https://lws.sigs.k8s.io/docs/installation/",
)
SERVICE = ChildKind("v1", "Service", "services")
CONFIG_MAP = ChildKind("v1", "ConfigMap", "configmaps")
INGRESS = ChildKind("networking.k8s.io/v1", "Ingress", "ingresses")
NETWORK_POLICY = ChildKind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies")
HTTP_ROUTE = ChildKind(
    "gateway.networking.k8s.io/v1",
    "HTTPRoute",
    "httproutes",
    "the Gateway API",
    "https://gateway-api.sigs.k8s.io/guides/",
)
INFERENCE_POOL = ChildKind(
    "inference.networking.k8s.io/v1",
    "InferencePool",
    "inferencepools",
    "the Gateway API Inference Extension",
    "https://gateway-api-inference-extension.sigs.k8s.io/guides/",
)
POD_MONITOR = ChildKind(
    "monitoring.coreos.com/v1",
    "PodMonitor",
    "podmonitors",
    "the Prometheus operator",
    "https://prometheus-operator.dev/docs/getting-started/installation/",
)
CLAIM_TEMPLATE = ChildKind(
    "resource.k8s.io/v1",
    "ResourceClaimTemplate",
    "resourceclaimtemplates",
    "dynamic resource allocation (Kubernetes 1.34 or newer)",
    "https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/",
)

WORKLOADS = (DEPLOYMENT, STATEFUL_SET, LEADER_WORKER_SET)
"""Kinds that run replicas."""

DISRUPTION_BUDGET = ChildKind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets")
REVISION = ChildKind("apps/v1", "ControllerRevision", "controllerrevisions", role="plan")
"""StatefulSets put the labels of their pods on revisions of their own."""

CHILD_KINDS = (
    *WORKLOADS,
    SERVICE,
    DISRUPTION_BUDGET,
    REVISION,
    CONFIG_MAP,
    INGRESS,
    NETWORK_POLICY,
    HTTP_ROUTE,
    INFERENCE_POOL,
    POD_MONITOR,
    CLAIM_TEMPLATE,
)
"""All of them; the chart's roles name the same."""
