"""The command line of each part of the control plane, and the files it reads.

Pure: a layout in, arguments out. Every listener is on loopback. What differs from the programs'
defaults has its reason beside it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .layout import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

    from .layout import Layout

SERVICE_CIDR = "10.96.0.0/16"
"""65,534 Services: a benchmark of hundreds of resources must not run out of addresses."""

POD_CIDR = "10.244.0.0/16"
"""From here KWOK takes the addresses that it writes into pods; nothing answers there."""

CLIENT_QPS, CLIENT_BURST = 1000, 2000
"""The controllers' and the scheduler's own limits (20 and 50 requests a second by default) would
make a benchmark of an operator measure them instead. The API server's side (priority and fairness,
600 requests in flight, of which a ServiceAccount's level gets about 245) stays as it ships."""

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    # One line for a request when it is answered; for a watch one when it starts and one at its end.
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


def etcd(layout: Layout) -> list[str]:
    """Arguments of etcd: one member, no durability, for its data dies with it anyway."""
    return [
        f"--data-dir={layout.etcd_data}",
        "--name=test",
        f"--listen-client-urls={layout.etcd}",
        f"--advertise-client-urls={layout.etcd}",
        f"--listen-peer-urls={layout.etcd_peer}",
        f"--initial-advertise-peer-urls={layout.etcd_peer}",
        f"--initial-cluster=test={layout.etcd_peer}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def apiserver(layout: Layout, *, audit: bool) -> list[str]:
    """Arguments of kube-apiserver: RBAC on, ServiceAccount tokens signed by our key."""
    arguments = [
        f"--etcd-servers={layout.etcd}",
        f"--bind-address={layout.address}",
        f"--secure-port={layout.ports.apiserver}",
        f"--cert-dir={layout.certificates}",
        f"--token-auth-file={layout.tokens}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-signing-key-file={layout.service_account_key}",
        f"--service-account-key-file={layout.service_account_key}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",  # no name server knows a node's name
        # Else it looks for a default route, which a machine without a network has not. Loopback is
        # not allowed in the endpoints of the Service `kubernetes`: nobody writes them then.
        f"--advertise-address={layout.address}",
        f"--endpoint-reconciler-type={'none' if layout.address == LOOPBACK else 'lease'}",
        "--profiling=false",
    ]
    if audit:
        arguments += [
            f"--audit-policy-file={layout.audit_policy}",
            f"--audit-log-path={layout.audit_log}",
            "--audit-log-maxsize=0",  # one file: a reader must not lose its place by rotation
        ]
    return arguments


def controller_manager(layout: Layout) -> list[str]:
    """Arguments of kube-controller-manager: what is on by default, without leader election."""
    return [
        f"--kubeconfig={layout.kubeconfig('controller-manager')}",
        f"--bind-address={layout.address}",
        f"--secure-port={layout.ports.controller_manager}",
        *_serving_certificate(layout),
        "--leader-elect=false",
        # It publishes the API server's authority and refuses one that came with its certificate.
        "--controllers=*,-kube-apiserver-serving-clustertrustbundle-publisher-controller",
        f"--root-ca-file={layout.certificate}",
        f"--service-account-private-key-file={layout.service_account_key}",
        f"--kube-api-qps={CLIENT_QPS}",
        f"--kube-api-burst={CLIENT_BURST}",
        "--horizontal-pod-autoscaler-sync-period=1s",  # 15 s by default; tests need not wait
        "--profiling=false",
    ]


def scheduler(layout: Layout) -> list[str]:
    """Arguments of kube-scheduler; the rest is in `scheduler_configuration`."""
    return [
        f"--config={layout.scheduler_configuration}",
        f"--bind-address={layout.address}",
        f"--secure-port={layout.ports.scheduler}",
        *_serving_certificate(layout),
    ]


def scheduler_configuration(layout: Layout) -> str:
    """Return the configuration of kube-scheduler: its defaults, without leader election."""
    document = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": {"leaderElect": False},
        "clientConnection": {
            "kubeconfig": str(layout.kubeconfig("scheduler")),
            "qps": CLIENT_QPS,
            "burst": CLIENT_BURST,
        },
        "enableProfiling": False,
    }
    return json.dumps(document, indent=2)


def kwok(layout: Layout, stages: Path) -> list[str]:
    """Arguments of kwok: it plays the kubelet of those nodes that ask for it, and renews leases."""
    return [
        f"--kubeconfig={layout.kubeconfig('kwok')}",
        f"--config={stages}",
        "--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake",
        "--node-lease-duration-seconds=40",
        f"--cidr={POD_CIDR}",
        f"--node-ip={LOOPBACK}",
        f"--server-address={LOOPBACK}:{layout.ports.kwok}",
        "--v=WARN",
    ]


def _serving_certificate(layout: Layout) -> list[str]:
    """The API server's own certificate: for its address; making another costs a second."""
    return [
        f"--tls-cert-file={layout.certificate}",
        f"--tls-private-key-file={layout.certificate_key}",
    ]
