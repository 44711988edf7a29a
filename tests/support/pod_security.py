"""Pod Security ``restricted``, as its documentation lists the checks.

https://kubernetes.io/docs/concepts/security/pod-security-standards/ (read 2026-11-23); the checks
of ``baseline`` that ``restricted`` includes are here, too. Volumes of kind
image are allowed since Kubernetes 1.37 (pod-security-admission v0.37.2).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
SECCOMP = {"RuntimeDefault", "Localhost"}
SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}


def violations_of_restricted(spec: Mapping[str, Any]) -> list[str]:
    """Return what a pod does that the level forbids, a sentence each."""
    return [*_of_pod(spec), *(v for c in _containers(spec) for v in _of_container(c, spec))]


def _containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    kinds = ("containers", "initContainers", "ephemeralContainers")
    return [container for kind in kinds for container in spec.get(kind, [])]


def _of_pod(spec: Mapping[str, Any]) -> Iterator[str]:
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield f"{field} is set"
    for volume in spec.get("volumes", []):
        kinds = set(volume) - {"name"}
        if not kinds <= VOLUMES:
            yield f"volume {volume['name']} is of kind {sorted(kinds)}"
    for sysctl in spec.get("securityContext", {}).get("sysctls", []):
        if sysctl["name"] not in SYSCTLS:
            yield f"sysctl {sysctl['name']}"


def _of_container(container: Mapping[str, Any], spec: Mapping[str, Any]) -> list[str]:
    """Judge a container; what it leaves open, the pod's security context decides."""
    own = container.get("securityContext", {})
    both = {**spec.get("securityContext", {}), **own}
    capabilities = own.get("capabilities", {})
    probes = ("livenessProbe", "readinessProbe", "startupProbe")
    checks = {
        "is privileged": own.get("privileged", False),
        "may escalate privileges": own.get("allowPrivilegeEscalation") is not False,
        "may run as root": both.get("runAsNonRoot") is not True,
        "runs as user 0": both.get("runAsUser") == 0,
        "has no seccomp profile": both.get("seccompProfile", {}).get("type") not in SECCOMP,
        "does not drop all capabilities": "ALL" not in capabilities.get("drop", []),
        "adds capabilities": not set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
        "has another /proc": own.get("procMount", "Default") != "Default",
        "has a SELinux type": own.get("seLinuxOptions", {}).get("type", "") not in SELINUX_TYPES,
        "takes a port of the host": any(p.get("hostPort") for p in container.get("ports", [])),
        "probes another host": any(
            container.get(probe, {}).get("httpGet", {}).get("host") for probe in probes
        ),
    }
    return [f"{container['name']} {what}" for what, found in checks.items() if found]
