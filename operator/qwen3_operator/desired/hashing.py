"""The plan hash: a short fingerprint of a pod template.

It is the SHA-256 of the template as canonical JSON (keys sorted, no white space, UTF-8), without
the label that carries the hash itself, cut to 16 hexadecimal digits. Nothing else goes in: no
time, no resource version, no replica count, no version of the operator. So it is the same after a
restart, on another machine and in another release for as long as the template is the same; and
pods roll exactly when it changes.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from qwen3_operator.observed import PLAN_HASH_LABEL

if TYPE_CHECKING:
    from collections.abc import Mapping

HASH_LENGTH = 16
"""64 bits: two templates of one resource never meet by accident."""


def template_hash(template: Mapping[str, Any]) -> str:
    """Fingerprint a pod template; a label with an earlier hash in it does not count.

    >>> template_hash({"metadata": {"labels": {}}, "spec": {}})
    '264ad6c4a1e956a1'
    """
    metadata = template.get("metadata") or {}
    labels = {k: v for k, v in (metadata.get("labels") or {}).items() if k != PLAN_HASH_LABEL}
    return fingerprint({**template, "metadata": {**metadata, "labels": labels}})


def fingerprint(document: Mapping[str, Any]) -> str:
    """Fingerprint any JSON document; the order of keys does not count.

    >>> fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    True
    """
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:HASH_LENGTH]
