"""What stands around a model: Service, route, Ingress, pool, network policy, monitoring.

Kubernetes' own names wherever there are any. All of it is optional; what asks for an API that the
cluster does not have is told so in the condition Integrated.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, TypeAlias

from pydantic import Field

from qwen3_planner.api.scheduling import (
    LabelSelector,  # noqa: TC001 - pydantic evaluates annotations
)
from qwen3_planner.api.schema import (
    Flag,
    Labels,
    LongText,
    Matches,
    Name,
    Rule,
    Struct,
    whole,
)

Annotations: TypeAlias = Annotated[dict[str, LongText], Field(max_length=64)]
"""Annotations of an object; at most 64."""

PortNumber: TypeAlias = Annotated[int, whole(1, 65_535)]

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"

Hostname: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=253),
    Matches(
        rf"([*][.])?{_LABEL}([.]{_LABEL})*",
        "must be a host name such as qwen3.example.com, or *.example.com",
    ),
]

UrlPath: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=256),
    Matches(r"/|(/[-._~a-zA-Z0-9]+)+", "must be a path such as /qwen3-32b, without a / at the end"),
]

Cidr: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=64),
    Matches(r"[0-9a-fA-F.:]+/[0-9]{1,3}", "must be a network such as 10.0.0.0/8"),
]


class ServiceType(StrEnum):
    """Who can reach the Service."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"


class TrafficPolicy(StrEnum):
    """Which replicas traffic from outside may go to."""

    CLUSTER = "Cluster"
    LOCAL = "Local"


class SessionAffinity(StrEnum):
    """Whether a client stays with its replica."""

    NONE = "None"
    CLIENT_IP = "ClientIP"


def _outside(service: ServiceSpec) -> bool:
    return service.type is not ServiceType.CLUSTER_IP


def _balanced(service: ServiceSpec) -> bool:
    return service.type is ServiceType.LOAD_BALANCER


class ServiceSpec(Struct):
    """The Service in front of the replicas."""

    type: ServiceType = ServiceType.CLUSTER_IP
    """ClusterIP (inside the cluster), NodePort or LoadBalancer. Default: ClusterIP."""

    port: PortNumber = 8000
    """Port of the Service. Default: 8000."""

    annotations: Annotations | None = None
    """Annotations of the Service, for instance what a cloud's load balancer asks for."""

    labels: Labels | None = None
    """Labels of the Service beside the operator's own. Default: none."""

    node_port: PortNumber | None = None
    """Port on every node. Default: the cluster chooses one."""

    load_balancer_class: (
        Annotated[
            str,
            Field(min_length=1, max_length=253),
            Matches(r"[a-z0-9A-Z][-._/a-zA-Z0-9]*", "must be a name such as service.k8s.aws/nlb"),
        ]
        | None
    ) = None
    """Which load balancer serves it. Default: the cluster's."""

    load_balancer_source_ranges: Annotated[tuple[Cidr, ...], Field(max_length=64)] = ()
    """Networks that the load balancer lets in. Default: all. Example: [10.0.0.0/8]."""

    external_traffic_policy: TrafficPolicy | None = None
    """Local keeps the client's address and goes to replicas of that node only. Default: Cluster."""

    session_affinity: SessionAffinity | None = None
    """ClientIP keeps a client at one replica for three hours, so that its earlier prompts are found
    in that replica's prefix cache. Default: None."""

    headless: Flag = False
    """Whether there is a second, headless Service, called <name>-headless: it resolves to the
    addresses of all ready replicas, for routers that choose one themselves. Default: false."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!(has(self.nodePort) || has(self.externalTrafficPolicy))"
            " || self.type != 'ClusterIP'",
            message="nodePort and externalTrafficPolicy need type NodePort or LoadBalancer",
            holds=lambda s: (
                (s.node_port is None and s.external_traffic_policy is None) or _outside(s)
            ),
            field="type",
        ),
        Rule(
            cel="!(has(self.loadBalancerClass) || has(self.loadBalancerSourceRanges))"
            " || self.type == 'LoadBalancer'",
            message="loadBalancerClass and loadBalancerSourceRanges need type LoadBalancer",
            holds=lambda s: (
                not (s.load_balancer_class or s.load_balancer_source_ranges) or _balanced(s)
            ),
            field="type",
        ),
    )


class ParentReference(Struct):
    """A Gateway that shall serve the route."""

    name: Name
    """Name of the Gateway."""

    namespace: Name | None = None
    """Its namespace. Default: that of the resource. The Gateway has to allow routes from there."""

    section_name: Name | None = None
    """One of its listeners. Default: all that take the hostnames."""

    port: PortNumber | None = None
    """Only its listeners on that port. Default: any."""


class RouteSpec(Struct):
    """An HTTPRoute of the Gateway API, which leads from a Gateway to the model."""

    parent_refs: Annotated[tuple[ParentReference, ...], Field(max_length=8)] = ()
    """Gateways that serve it. Default: the one that the operator's settings name."""

    hostnames: Annotated[
        tuple[Hostname, ...],
        Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = ()
    """Host names under which the model is reached. Default: one made of the resource's name, where
    the operator's settings say how, else those of the Gateway's listeners.
    Example: [qwen3.example.com]."""

    path: UrlPath = "/"
    """Path below which the model is reached, so that several models can share a host; the engine
    does not see it. Default: /. Example: /qwen3-32b, for .../qwen3-32b/v1/chat/completions."""

    request_timeout: Annotated[
        str,
        Field(min_length=2, max_length=16),
        Matches(r"([0-9]{1,5}(h|m|s|ms)){1,4}", 'must be a time such as "10m", or "0s" for none'),
    ] = "0s"
    """After how long the gateway gives up a request. Default: 0s, never: answers of minutes are
    cut off by what gateways take otherwise."""

    labels: Labels | None = None
    """Labels of the HTTPRoute beside the operator's own. Default: none."""

    annotations: Annotations | None = None
    """Annotations of the HTTPRoute. Default: none."""


class IngressSpec(Struct):
    """An Ingress, where the cluster has no Gateway API."""

    hosts: Annotated[
        tuple[Hostname, ...],
        Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = ()
    """Host names under which the model is reached. Default: any that leads to the controller."""

    ingress_class_name: Name | None = None
    """Which controller serves it. Default: the cluster's default class. Example: nginx."""

    path: UrlPath = "/"
    """Path below which requests go to the model, as they are: cutting it off is up to the
    controller's own annotations. Default: /."""

    tls_secret_name: Name | None = None
    """Secret with the certificate of the hosts. Default: none, plain HTTP."""

    labels: Labels | None = None
    """Labels of the Ingress beside the operator's own. Default: none."""

    annotations: Annotations | None = None
    """Annotations of the Ingress, for instance timeouts that leave long answers their time."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.tlsSecretName) || (has(self.hosts) && size(self.hosts) > 0)",
            message="tlsSecretName needs hosts: a certificate is for names",
            holds=lambda s: s.tls_secret_name is None or bool(s.hosts),
            field="hosts",
        ),
    )


class FailureMode(StrEnum):
    """What a gateway does while the endpoint picker does not answer."""

    FAIL_CLOSE = "FailClose"
    FAIL_OPEN = "FailOpen"


class EndpointPickerReference(Struct):
    """The Service of the endpoint picker, which chooses a replica for each request."""

    name: Name
    """Name of the Service, in the namespace of the resource."""

    port: PortNumber = 9002
    """Port of the Service. Default: 9002."""

    failure_mode: FailureMode = FailureMode.FAIL_CLOSE
    """FailClose refuses requests while the picker does not answer, FailOpen sends them to any
    replica. Default: FailClose."""


class InferencePoolSpec(Struct):
    """An InferencePool of the Gateway API Inference Extension: replicas as a gateway's backend.

    With spec.route as well, the route leads to the pool instead of the Service.
    """

    endpoint_picker_ref: EndpointPickerReference
    """Who chooses the replica; it is installed apart, for instance by the extension's own chart."""


class IpBlock(Struct):
    """A network."""

    cidr: Cidr
    """The network. Example: 10.0.0.0/8."""

    except_: Annotated[tuple[Cidr, ...], Field(alias="except", max_length=16)] = ()
    """Parts of it that do not count. Default: none."""


class NetworkPeer(Struct):
    """Pods, or a network, that traffic comes from; as in a NetworkPolicy."""

    pod_selector: LabelSelector | None = None
    """Pods, in the namespace of the resource or in those of namespaceSelector."""

    namespace_selector: LabelSelector | None = None
    """Namespaces, by their labels. Example: {matchLabels: {kubernetes.io/metadata.name: chat}}."""

    ip_block: IpBlock | None = None
    """A network, for clients outside the cluster."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.ipBlock) != (has(self.podSelector) || has(self.namespaceSelector))",
            message="give podSelector, namespaceSelector or both, or else ipBlock",
            holds=lambda p: (
                (p.ip_block is not None)
                != (p.pod_selector is not None or p.namespace_selector is not None)
            ),
        ),
    )


Peers: TypeAlias = Annotated[tuple[NetworkPeer, ...], Field(max_length=32)]


class NetworkPolicySpec(Struct):
    """A NetworkPolicy for the pods: nothing reaches them but requests and what reads metrics.

    The operator may always reach them, and so may Prometheus in the namespaces that the operator's
    settings name. Ports between the ranks of a replica over several nodes are open to each other
    only; there is a policy for such a replica even without this field.
    """

    from_: Annotated[Peers, Field(alias="from")] = ()
    """Who may send requests; a gateway or ingress controller in front counts as the client.
    Default: everybody."""

    metrics_from: Peers = ()
    """Who may read metrics besides: Prometheus, where the operator's settings do not name it. They
    are on the port of the requests. Default: none."""


class MonitoringSpec(Struct):
    """A PodMonitor, by which the Prometheus operator has the engine's metrics read."""

    pod_monitor: Flag | None = None
    """Whether there is one. Default: true, where this field is given; else what the operator's
    settings say."""

    interval: Annotated[
        str,
        Field(min_length=2, max_length=16),
        Matches(r"[0-9]{1,5}(ms|s|m|h)", 'must be a time such as "30s"'),
    ] = "30s"
    """How often metrics are read. Default: 30s."""

    labels: Labels | None = None
    """Labels by which a Prometheus selects it, beside those of the operator's settings.
    Example: {release: prometheus}."""
