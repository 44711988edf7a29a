"""Where weights are kept between the hub and the pods: one part of the specification."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from qwen3_planner.api.references import Quantity  # noqa: TC001 - pydantic evaluates annotations
from qwen3_planner.api.schema import (
    PATH_SEGMENT,
    Flag,
    Matches,
    Name,
    Rule,
    Struct,
)


class AccessMode(StrEnum):
    """From how many nodes a volume may be used at once."""

    READ_WRITE_ONCE = "ReadWriteOnce"
    READ_WRITE_MANY = "ReadWriteMany"
    READ_WRITE_ONCE_POD = "ReadWriteOncePod"


class ClaimCache(Struct):
    """A PersistentVolumeClaim that a Job fills once per model and revision; pods only read it."""

    claim_name: Name | None = None
    """An existing PersistentVolumeClaim of this namespace; it may hold many models. Default: one is
    made for the model, and shared by all resources that ask for the same."""

    storage_class_name: Name | None = None
    """StorageClass of the claim that is made. Default: the cluster's default class."""

    access_modes: Annotated[
        tuple[AccessMode, ...],
        Field(max_length=3, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = ()
    """Access modes of the claim that is made. Replicas on several nodes need ReadWriteMany.
    Default: [ReadWriteOnce]."""

    size: Quantity | None = None
    """Size of the claim that is made. Default: the planned checkpoint and a tenth more."""

    retain: Flag = False
    """Whether the claim that is made stays when nobody uses it any more. Default: false, it goes
    with the last resource that uses it."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.claimName) || (!has(self.storageClassName) && !has(self.accessModes)"
            " && !has(self.size) && !self.retain)",
            message="claimName is a claim that exists: storageClassName, accessModes, size and"
            " retain are for one that is made",
            holds=lambda c: (
                c.claim_name is None
                or not (c.storage_class_name or c.access_modes or c.size is not None or c.retain)
            ),
            field="claimName",
        ),
    )


class HostPathCache(Struct):
    """A folder of each node; pods fetch into it and find there what earlier ones left.

    It needs a namespace of Pod Security level privileged, and the operator's setting allowHostPath.
    """

    path: Annotated[
        str,
        Field(min_length=2, max_length=512),
        Matches(
            r"(/[-._a-zA-Z0-9]*[-_a-zA-Z0-9])+",
            "must be an absolute path without '..', and not the root",
        ),
    ]
    """Folder on the node, which must exist and be writable for user 10001.
    Example: /var/lib/models."""


class EmptyDirCache(Struct):
    """A folder that lives and dies with its pod; each pod fetches the weights anew."""

    size_limit: Quantity | None = None
    """The pod is evicted when it holds more. Default: none."""


class ImageCache(Struct):
    """An image with the planned checkpoint, mounted as a volume."""

    reference: Annotated[str, Field(min_length=1, max_length=512)]
    """The image. Example: registry.example.com/qwen3-32b-fp8:v1."""

    folder: (
        Annotated[
            str,
            Field(min_length=1, max_length=256),
            Matches(rf"{PATH_SEGMENT}(/{PATH_SEGMENT})*", "must be a path such as models/32b"),
        ]
        | None
    ) = None
    """Folder of the weights in the image. Default: its root."""


_KINDS = ("persistentVolumeClaim", "hostPath", "emptyDir", "image")


class CacheSpec(Struct):
    """Where weights from a hub are kept; exactly one kind."""

    persistent_volume_claim: ClaimCache | None = None
    """A claim that is filled once and read by all pods."""

    host_path: HostPathCache | None = None
    """A folder of each node."""

    empty_dir: EmptyDirCache | None = None
    """A folder of each pod; what is used without spec.cache."""

    image: ImageCache | None = None
    """An image with the weights."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"[{', '.join(f'has(self.{kind})' for kind in _KINDS)}].filter(k, k).size() == 1",
            message=f"cache takes exactly one of {', '.join(_KINDS[:-1])} and {_KINDS[-1]}",
            holds=lambda c: (
                sum(
                    kind is not None
                    for kind in (c.persistent_volume_claim, c.host_path, c.empty_dir, c.image)
                )
                == 1
            ),
        ),
    )
