"""Security contexts that satisfy Pod Security ``restricted``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

USER_ID = 10001
"""Any id but 0 will do; images need not know it. High, so that it meets no user of a node."""


def make_pod_security_context(more_groups: Sequence[int] = ()) -> dict[str, Any]:
    """Make the pod's part; the group makes volumes of a claim readable, more open devices."""
    return {
        **({"supplementalGroups": list(more_groups)} if more_groups else {}),
        "runAsNonRoot": True,
        "runAsUser": USER_ID,
        "runAsGroup": USER_ID,
        "fsGroup": USER_ID,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def make_container_security_context() -> dict[str, Any]:
    """Make the container's part."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
