"""What a user's part of a pod template may ask of nodes and accounts in this installation.

Whoever may create a Qwen3Deployment has the operator make pods. Pod Security judges them where the
namespace is labelled, and nobody where it is not; this is judged everywhere, and before a pod is
made. Only what the user's part adds counts: the operator's own pods satisfy ``restricted``, but for
a folder of the node that its settings allow.

The checks are those of the Pod Security Standards,
https://kubernetes.io/docs/concepts/security/pod-security-standards/ (read 2026-11-23).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.errors import SpecError
from qwen3_operator.setting_text import ANY_ACCOUNT, PodLevel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from qwen3_operator.desired.site import TemplateRules

FIELD = "spec.podTemplate.spec"

_HOST_NAMESPACES = ("hostNetwork", "hostPID", "hostIPC")

_CAPABILITIES = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
"""Those that ``baseline`` lets a container add; a runtime gives them by default."""

_SYSCTLS = frozenset(
    {
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
)

_SELINUX_TYPES = frozenset(
    {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
)

_VOLUMES = frozenset(
    {
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
)
"""Kinds of volumes of ``restricted``."""

_PROFILES = ("RuntimeDefault", "Localhost")
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_GROUPS = ("initContainers", "containers", "ephemeralContainers")
_HANDLED = ("livenessProbe", "readinessProbe", "startupProbe")


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that a level forbids.

    Attributes:
        field: where, below the pod's spec.
        value: what stands there.
    """

    field: str
    value: str


def check_template(
    ours: Mapping[str, Any], merged: Mapping[str, Any], rules: TemplateRules
) -> None:
    """Compare a pod template before and after the user's part came in.

    Raises:
        SpecError: the user's part asks for more than the rules allow; names the field.
    """
    for account in _accounts(merged["spec"]):
        if not {ANY_ACCOUNT, account} & set(rules.accounts):
            reason = (
                "pods would act with that account's rights: the operator's setting"
                " podTemplate.serviceAccounts does not name it"
            )
            raise SpecError(f"{FIELD}.serviceAccountName", account, reason)
    before = frozenset(_breaches(ours, rules.level))
    for breach in _breaches(merged, rules.level):
        if breach not in before:
            reason = (
                f"Pod Security {rules.level} forbids it, and the operator's setting"
                f" podTemplate.level is {rules.level}"
            )
            raise SpecError(f"{FIELD}.{breach.field}", breach.value, reason)


def _object(value: object) -> Mapping[str, Any]:
    """Read an object; what has another shape is empty here, and refused by the API server."""
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    """Read a list of objects, likewise."""
    for entry in value if isinstance(value, list | tuple) else ():
        yield _object(entry)


def _names(value: object) -> set[str]:
    """Read a list of names, likewise."""
    return {str(entry) for entry in value} if isinstance(value, list | tuple) else set()


def _accounts(spec: Mapping[str, Any]) -> Iterator[str]:
    """Name the accounts that pods would run as, beside their namespace's own default."""
    for field in ("serviceAccountName", "serviceAccount"):  # the second is the old name
        if spec.get(field) not in (None, "", "default"):
            yield str(spec[field])


def _breaches(template: Mapping[str, Any], level: PodLevel) -> Iterator[Breach]:
    """Say what a pod of this template does that the level forbids."""
    if level is PodLevel.PRIVILEGED:
        return
    spec = template["spec"]
    yield from _of_annotations(template["metadata"].get("annotations") or {})
    yield from _of_pod(spec)
    for group, container in _containers(spec):
        where = f"{group}[{container.get('name', '')}]"
        yield from _of_container(where, container)
        if level is PodLevel.RESTRICTED:
            yield from _of_restricted_container(where, container, spec)
    if level is PodLevel.RESTRICTED:
        for volume in _objects(spec.get("volumes")):
            for kind in sorted(set(volume) - {"name", *_VOLUMES}):
                yield Breach(f"volumes[{volume.get('name', '')}]", kind)


def _containers(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for group in _GROUPS:
        for container in _objects(spec.get(group)):
            yield group, container


def _of_annotations(annotations: Mapping[str, str]) -> Iterator[Breach]:
    """AppArmor, as it was told before Kubernetes 1.30; kubelets still listen."""
    for name, value in annotations.items():
        if name.startswith(_APPARMOR) and not value.startswith(("runtime/default", "localhost/")):
            yield Breach(f"metadata.annotations[{name}]", value)


def _of_pod(spec: Mapping[str, Any]) -> Iterator[Breach]:
    """Judge what ``baseline`` says of the pod as a whole."""
    for field in _HOST_NAMESPACES:
        if spec.get(field):
            yield Breach(field, "true")
    for volume in _objects(spec.get("volumes")):
        if "hostPath" in volume:
            path = _object(volume["hostPath"]).get("path", "")
            yield Breach(f"volumes[{volume.get('name', '')}].hostPath", str(path))
    context = _object(spec.get("securityContext"))
    for sysctl in _objects(context.get("sysctls")):
        if str(sysctl.get("name")) not in _SYSCTLS:
            yield Breach("securityContext.sysctls", str(sysctl.get("name")))
    yield from _of_context("", context)


def _of_container(where: str, container: Mapping[str, Any]) -> Iterator[Breach]:
    """Judge what ``baseline`` says of a container."""
    context = _object(container.get("securityContext"))
    if context.get("privileged"):
        yield Breach(f"{where}.securityContext.privileged", "true")
    added = _names(_object(context.get("capabilities")).get("add"))
    for name in sorted(added - _CAPABILITIES):
        yield Breach(f"{where}.securityContext.capabilities.add", name)
    if context.get("procMount", "Default") != "Default":
        yield Breach(f"{where}.securityContext.procMount", str(context["procMount"]))
    for port in _objects(container.get("ports")):
        if port.get("hostPort"):
            yield Breach(f"{where}.ports.hostPort", str(port["hostPort"]))
    handlers = {name: container.get(name) for name in _HANDLED}
    lifecycle = _object(container.get("lifecycle"))
    handlers |= {f"lifecycle.{at}": handler for at, handler in lifecycle.items()}
    for name, handler in handlers.items():
        for asked in ("httpGet", "tcpSocket"):
            host = _object(_object(handler).get(asked)).get("host")
            if host:
                yield Breach(f"{where}.{name}.{asked}.host", str(host))
    yield from _of_context(f"{where}.", context)


def _of_context(where: str, context: Mapping[str, Any]) -> Iterator[Breach]:
    """Judge what pod and container say alike."""
    for field in ("seccompProfile", "appArmorProfile"):
        profile = _object(context.get(field)).get("type")
        if profile is not None and str(profile) not in _PROFILES:
            yield Breach(f"{where}securityContext.{field}", str(profile))
    selinux = _object(context.get("seLinuxOptions"))
    if (
        str(selinux.get("type", "")) not in _SELINUX_TYPES
        or selinux.get("user")
        or selinux.get("role")
    ):
        yield Breach(f"{where}securityContext.seLinuxOptions", str(dict(selinux)))
    if _object(context.get("windowsOptions")).get("hostProcess"):
        yield Breach(f"{where}securityContext.windowsOptions.hostProcess", "true")


def _of_restricted_container(
    where: str, container: Mapping[str, Any], spec: Mapping[str, Any]
) -> Iterator[Breach]:
    """Judge what ``restricted`` adds; what a container leaves open, the pod decides."""
    own = _object(container.get("securityContext"))
    both = {**_object(spec.get("securityContext")), **own}
    if own.get("allowPrivilegeEscalation") is not False:
        yield Breach(f"{where}.securityContext.allowPrivilegeEscalation", "not false")
    if both.get("runAsNonRoot") is not True:
        yield Breach(f"{where}.securityContext.runAsNonRoot", "not true")
    if both.get("runAsUser") == 0:
        yield Breach(f"{where}.securityContext.runAsUser", "0")
    if _object(both.get("seccompProfile")).get("type") is None:
        yield Breach(f"{where}.securityContext.seccompProfile", "none")
    capabilities = _object(own.get("capabilities"))
    if "ALL" not in _names(capabilities.get("drop")):
        yield Breach(f"{where}.securityContext.capabilities.drop", "not ALL")
    for name in sorted(_names(capabilities.get("add")) - {"NET_BIND_SERVICE"}):
        yield Breach(f"{where}.securityContext.capabilities.add", name)
