"""A cache that resources share: which claim, which folder on it, which Job fills it.

The names follow from what is cached alone, so resources that want the same meet at one claim and
one Job. Each user is an owner of both, none of them the controller: they go with the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels
from qwen3_operator.desired.hashing import fingerprint
from qwen3_operator.desired.names import FIELD_MANAGER
from qwen3_operator.observed import CACHE_LABEL
from qwen3_planner.api.v1alpha1 import API_VERSION, KIND
from qwen3_planner.engines.sources import cached_folder, is_on_hub
from qwen3_planner.units import GIB, ceil_div

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.api.caching import ClaimCache
    from qwen3_planner.api.references import TokenSecretRef
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

ROOM = 10
"""One in so many bytes more than the checkpoint: tokenizers, file systems' own, rounding."""

SPARE_GIB = 1
"""For small models; the finest step in which most provisioners count."""

PART_BYTES = 8 * GIB
"""A part of the download is worth a pod of its own: its end is the progress that is told, and what
a retry starts from."""

MOST_PARTS = 32

SLUG_LENGTH = 30
"""Of a variant in a name; pods of an indexed Job add up to 13 characters."""

ENCODER_FLAG = "--mmproj"
"""Of llama.cpp: names the file of the image encoder."""

DEFAULT_MODES = ("ReadWriteOnce",)
"""What every provisioner offers."""


@dataclass(frozen=True, slots=True)
class SharedCache:
    """One model at one revision on one claim.

    Attributes:
        claim: name of the PersistentVolumeClaim.
        is_made: whether it is the operator's to make.
        retain: whether a made claim stays without users.
        job: name of the Job that fills it.
        folder: of the weights, relative to the volume.
        source: URL of the weights.
        revision: of the source; empty: the hub's default.
        include: patterns of the files to fetch; empty: all that engines read.
        link: name under which the engine looks for a single file; empty: it reads a folder.
        encoder_link: the same for an image encoder's file; empty: there is none.
        checkpoint_bytes: of the files.
        parts: of the download.
        token: for the hub; None: none.
        asked_in: part of the specification that names the source.
    """

    claim: str
    is_made: bool
    retain: bool
    job: str
    folder: str
    source: str
    revision: str
    include: tuple[str, ...]
    link: str
    checkpoint_bytes: int
    parts: int
    token: TokenSecretRef | None = None
    asked_in: str = "spec.model"
    encoder_link: str = ""


def shared_cache_of(resource: Qwen3Deployment, plan: Plan) -> SharedCache | None:
    """Say which shared cache a resource uses; None where it uses none."""
    cache = resource.spec.cache
    wanted = cache.persistent_volume_claim if cache else None
    if wanted is None or not is_on_hub(plan.source):
        return None
    revision = resource.spec.model.revision or ""
    gguf = plan.quantization.partition("gguf:")[2]
    include = (f"*{gguf}*.gguf", "mmproj*F16.gguf") if gguf else ()
    content = {"source": plan.source, "revision": revision, "include": include}
    claim = wanted.claim_name or _name(plan, {**content, "claim": _shape(wanted)})
    n_bytes = plan.memory.checkpoint_bytes
    return SharedCache(
        claim=claim,
        is_made=wanted.claim_name is None,
        retain=wanted.retain,
        job=f"fetch-{_name(plan, {**content, 'claim': claim})}",
        folder=cached_folder(plan.source, resource.spec.model.revision),
        source=plan.source,
        revision=revision,
        include=include,
        link=f"{plan.variant}-{gguf}.gguf" if gguf else "",
        checkpoint_bytes=n_bytes,
        parts=1 if gguf else max(1, min(MOST_PARTS, ceil_div(n_bytes, PART_BYTES))),
        token=resource.spec.model.token_secret_ref,
        encoder_link=_file_after(ENCODER_FLAG, plan.command),
    )


def _file_after(flag: str, command: Sequence[str]) -> str:
    """Return the name of the file that a command names after a flag; empty: it names none.

    >>> _file_after("--mmproj", ["llama-server", "--mmproj", "/models/x/mmproj-a.gguf"])
    'mmproj-a.gguf'
    """
    following = dict(pairwise(command)).get(flag, "")
    return following.rpartition("/")[2]


def _shape(wanted: ClaimCache) -> dict[str, Any]:
    return wanted.model_dump(mode="json", exclude_none=True, exclude={"retain"})


def _name(plan: Plan, content: dict[str, Any]) -> str:
    return f"{slug(plan.variant)}-{fingerprint(content)[:8]}"


def slug(name: str) -> str:
    """Make a part of an object's name of whatever names something.

    >>> slug("Qwen3-0.6B")
    'qwen3-0-6b'
    """
    letters = (c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    return "".join(letters)[:SLUG_LENGTH].strip("-")


def claim_bytes(cache: SharedCache) -> int:
    """Return the size of a claim that holds the checkpoint.

    >>> from types import SimpleNamespace
    >>> claim_bytes(SimpleNamespace(checkpoint_bytes=61 * 2**30)) // 2**30
    69
    """
    with_room = cache.checkpoint_bytes + ceil_div(cache.checkpoint_bytes, ROOM)
    return (ceil_div(with_room, GIB) + SPARE_GIB) * GIB


def make_claim(resource: Qwen3Deployment, cache: SharedCache) -> dict[str, Any]:
    """Make the claim of a cache."""
    assert resource.spec.cache is not None  # noqa: S101 - for the type checker: it has one
    wanted = resource.spec.cache.persistent_volume_claim
    assert wanted is not None  # noqa: S101 - the same
    size = wanted.size if wanted.size is not None else f"{claim_bytes(cache) // GIB}Gi"
    spec: dict[str, Any] = {
        "accessModes": [mode.value for mode in wanted.access_modes] or list(DEFAULT_MODES),
        "resources": {"requests": {"storage": size}},
    }
    if wanted.storage_class_name is not None:
        spec["storageClassName"] = wanted.storage_class_name
    metadata = make_shared_metadata(resource, cache.claim, cache)
    if cache.retain:
        del metadata["ownerReferences"]
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata,
        "spec": spec,
    }


def make_shared_metadata(
    resource: Qwen3Deployment, name: str, cache: SharedCache
) -> dict[str, Any]:
    """Make the metadata of what several resources own."""
    return {
        "name": name,
        "namespace": resource.metadata.namespace,
        "labels": shared_labels(cache),
        "ownerReferences": [make_user_reference(resource)],
    }


def shared_labels(cache: SharedCache) -> dict[str, str]:
    """Return the labels of claim, Job and its pods; they name no resource."""
    return {
        "app.kubernetes.io/name": "qwen3",
        "app.kubernetes.io/component": "cache",
        "app.kubernetes.io/part-of": "qwen3-operator",
        "app.kubernetes.io/managed-by": FIELD_MANAGER,
        CACHE_LABEL: labels.label_value(cache.job),
    }


def make_user_reference(resource: Qwen3Deployment) -> dict[str, Any]:
    """Point to one of the users, who do not control it."""
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": resource.metadata.name,
        "uid": resource.metadata.uid,
    }
