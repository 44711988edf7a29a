"""Labels and annotations on children, and the selector that finds a resource's pods."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from qwen3_operator.desired.names import FIELD_MANAGER, GROUP_PREFIX
from qwen3_operator.observed import DEPLOYMENT_LABEL, QUEUE_LABEL

if TYPE_CHECKING:
    from qwen3_planner.plan import Plan

VARIANT = f"{GROUP_PREFIX}/variant"
"""Catalog name of the model."""

ROLE = f"{GROUP_PREFIX}/role"
"""What a pod does; ``server`` answers requests, ``rank`` helps one."""

POOL = f"{GROUP_PREFIX}/pool"
"""Annotation of the Deployment: the pool its pods select (:mod:`qwen3_operator.desired.pool`)."""

APPLIED = f"{GROUP_PREFIX}/applied"
"""Annotation of every child: fingerprint of what was applied. With it a field that we no longer
want is noticed although it is in what lives and not in what we want."""

GROUP = f"{GROUP_PREFIX}/group"
"""Number of the replica that a rank belongs to, where the operator makes its StatefulSet."""

INPUTS = f"{GROUP_PREFIX}/inputs"
"""Annotation of a ControllerRevision: fingerprints of the specification and plan it comes from."""

RENDERS_AS = f"{GROUP_PREFIX}/renders-as"
"""Annotation of a ControllerRevision: the hash that the release which looked last would give the
same inputs. Where it is another than the revision's own, that release would write pods differently
and leaves them as they are."""

RESTART = f"{GROUP_PREFIX}/restart"
"""Annotation of pods: ``spec.rollout.restart``, so that they are made anew when it changes."""

SERVER = "server"

RANK = "rank"
"""Role of a pod that computes for a server and answers nobody."""

MAX_VALUE_LENGTH = 63
"""Of a label's value."""

_NOT_ALLOWED = re.compile(r"[^-._a-zA-Z0-9]+")


def label_value(text: str) -> str:
    """Make any text a legal label value; texts that differ stay different.

    >>> label_value("Qwen3-32B"), label_value("0.32.0+cu129")
    ('Qwen3-32B', '0.32.0_cu129-bdc1f844')
    """
    tidy = _NOT_ALLOWED.sub("_", text).strip("-._")
    if tidy == text and len(text) <= MAX_VALUE_LENGTH:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    kept = tidy[: MAX_VALUE_LENGTH - len(digest) - 1].rstrip("-._")
    return f"{kept}-{digest}" if kept else digest


def selector(name: str) -> dict[str, str]:
    """Return the labels that select the pods of a resource; they never change."""
    return {
        "app.kubernetes.io/name": "qwen3",
        "app.kubernetes.io/instance": label_value(name),
        DEPLOYMENT_LABEL: label_value(name),
        ROLE: SERVER,
    }


def selector_text(name: str) -> str:
    """Return the same as the text of a label selector, for the scale subresource."""
    return ",".join(f"{key}={value}" for key, value in sorted(selector(name).items()))


def queue(name: str | None) -> dict[str, str]:
    """Return the label of what Kueue admits; none without a queue.

    >>> queue("team-a"), queue(None)
    ({'kueue.x-k8s.io/queue-name': 'team-a'}, {})
    """
    return {QUEUE_LABEL: name} if name else {}


def child(name: str, plan: Plan) -> dict[str, str]:
    """Return the labels of every child and of the pods."""
    return {
        **selector(name),
        "app.kubernetes.io/component": "model-server",
        "app.kubernetes.io/part-of": "qwen3-operator",
        "app.kubernetes.io/managed-by": FIELD_MANAGER,
        "app.kubernetes.io/version": label_value(plan.engine_version),
        VARIANT: label_value(plan.variant),
    }
