"""Parts of pod templates, and the strictest level of Pod Security that lets them pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from qwen3_operator.setting_text import PodLevel

RESTRICTED, BASELINE, PRIVILEGED = PodLevel.RESTRICTED, PodLevel.BASELINE, PodLevel.PRIVILEGED

CLEAN: dict[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}


@dataclass(frozen=True, slots=True)
class TemplateCase:
    """One wish.

    Attributes:
        name: for the report.
        spec: as in spec.podTemplate.spec.
        level: the strictest that it satisfies.
        field: where it leaves the next stricter one; empty: it never does.
    """

    name: str
    spec: dict[str, Any]
    level: PodLevel
    field: str = ""


def sidecar(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Make a part with one clean sidecar, but for what is given."""
    return {"containers": [{"name": "proxy", "image": "proxy:1", "securityContext": CLEAN, **more}]}


def secured(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Make a part with a sidecar whose security context has more."""
    return sidecar(securityContext={**CLEAN, **more})


CASES = (
    TemplateCase("a clean sidecar", sidecar(), RESTRICTED),
    TemplateCase(
        "a claim",
        {"volumes": [{"name": "x", "persistentVolumeClaim": {"claimName": "c"}}]},
        RESTRICTED,
    ),
    TemplateCase("the host's network", {"hostNetwork": True}, PRIVILEGED, "hostNetwork"),
    TemplateCase("the host's processes", {"hostPID": True}, PRIVILEGED, "hostPID"),
    TemplateCase("the host's IPC", {"hostIPC": True}, PRIVILEGED, "hostIPC"),
    TemplateCase(
        "a folder of the node",
        {"volumes": [{"name": "node", "hostPath": {"path": "/"}}]},
        PRIVILEGED,
        "volumes[node].hostPath",
    ),
    TemplateCase(
        "a folder of the node in place of ours",
        {"volumes": [{"name": "tmp", "hostPath": {"path": "/tmp"}}]},  # noqa: S108 - a node's
        PRIVILEGED,
        "volumes[tmp].hostPath",
    ),
    TemplateCase(
        "an unsafe sysctl",
        {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}},
        PRIVILEGED,
        "securityContext.sysctls",
    ),
    TemplateCase(
        "a safe sysctl",
        {"securityContext": {"sysctls": [{"name": "kernel.shm_rmid_forced", "value": "1"}]}},
        RESTRICTED,
    ),
    TemplateCase(
        "no seccomp",
        {"securityContext": {"seccompProfile": {"type": "Unconfined"}}},
        PRIVILEGED,
        "securityContext.seccompProfile",
    ),
    TemplateCase(
        "another SELinux user",
        {"securityContext": {"seLinuxOptions": {"user": "root"}}},
        PRIVILEGED,
        "securityContext.seLinuxOptions",
    ),
    TemplateCase(
        "no AppArmor",
        {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}},
        PRIVILEGED,
        "securityContext.appArmorProfile",
    ),
    TemplateCase(
        "root by the pod",
        {"securityContext": {"runAsNonRoot": False}},
        BASELINE,
        "containers[engine].securityContext.runAsNonRoot",
    ),
    TemplateCase(
        "the engine privileged",
        {
            "containers": [
                {
                    "name": "engine",
                    "securityContext": {"privileged": True, "allowPrivilegeEscalation": True},
                }
            ]
        },
        PRIVILEGED,
        "containers[engine].securityContext.privileged",
    ),
    TemplateCase(
        "a privileged sidecar",
        secured(privileged=True, allowPrivilegeEscalation=True),
        PRIVILEGED,
        "containers[proxy].securityContext.privileged",
    ),
    TemplateCase(
        "a privileged init container",
        {
            "initContainers": [
                {"name": "i", "image": "i:1", "securityContext": {"privileged": True}}
            ]
        },
        PRIVILEGED,
        "initContainers[i].securityContext.privileged",
    ),
    TemplateCase(
        "a capability of the node",
        secured(capabilities={"drop": ["ALL"], "add": ["SYS_ADMIN"]}),
        PRIVILEGED,
        "containers[proxy].securityContext.capabilities.add",
    ),
    TemplateCase(
        "a capability of most containers",
        secured(capabilities={"drop": ["ALL"], "add": ["CHOWN"]}),
        BASELINE,
        "containers[proxy].securityContext.capabilities.add",
    ),
    TemplateCase(
        "a low port",
        secured(capabilities={"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}),
        RESTRICTED,
    ),
    TemplateCase(
        "a port of the node",
        sidecar(ports=[{"containerPort": 80, "hostPort": 80}]),
        PRIVILEGED,
        "containers[proxy].ports.hostPort",
    ),
    TemplateCase(
        "a probe of another host",
        sidecar(livenessProbe={"httpGet": {"host": "10.0.0.1", "port": 80}}),
        PRIVILEGED,
        "containers[proxy].livenessProbe.httpGet.host",
    ),
    TemplateCase(
        "a hook to another host",
        sidecar(lifecycle={"preStop": {"tcpSocket": {"host": "10.0.0.1", "port": 80}}}),
        PRIVILEGED,
        "containers[proxy].lifecycle.preStop.tcpSocket.host",
    ),
    TemplateCase(
        "a careless sidecar",
        {"containers": [{"name": "proxy", "image": "proxy:1"}]},
        BASELINE,
        "containers[proxy].securityContext.allowPrivilegeEscalation",
    ),
    TemplateCase(
        "capabilities kept",
        secured(capabilities={}),
        BASELINE,
        "containers[proxy].securityContext.capabilities.drop",
    ),
    TemplateCase(
        "root by a sidecar",
        secured(runAsUser=0),
        BASELINE,
        "containers[proxy].securityContext.runAsUser",
    ),
    TemplateCase(
        "a network disk of old",
        {"volumes": [{"name": "x", "nfs": {"server": "10.0.0.1", "path": "/"}}]},
        BASELINE,
        "volumes[x]",
    ),
)
