"""What pods ask for and nodes offer, added up as the scheduler does.

k8s.io/component-helpers@v0.37.2 resource/helpers.go, PodRequests, read 2026-11-23: containers and
sidecars add up, other init containers run alone, requests of the pod as a whole replace the sums,
overhead comes on top.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from qwen3_operator.observed import DEVICES_ANNOTATION, Resources, is_claimed
from qwen3_operator.quantities import ceil

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MILLI = Fraction(1, 1000)


def resources_of(amounts: Mapping[str, Any]) -> Resources:
    """Read a list of resources (capacity, allocatable)."""
    return _resources(_amounts(amounts))


def unoffered(
    capacity: Mapping[str, Any], allocatable: Mapping[str, Any]
) -> tuple[tuple[str, int], ...]:
    """Return the extended resources that a node has and does not offer, by name.

    A device plugin takes a device that it finds unhealthy out of what is allocatable and leaves it
    in the capacity (https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/
    device-plugins/, read 2026-11-23).

    >>> unoffered({"nvidia.com/gpu": "8", "cpu": "64"}, {"nvidia.com/gpu": "6", "cpu": "63"})
    (('nvidia.com/gpu', 2),)
    """
    offered = dict(resources_of(allocatable).gpus)
    missing = ((name, n - offered.get(name, 0)) for name, n in resources_of(capacity).gpus)
    return tuple((name, n) for name, n in missing if n > 0)


def memory_limit_bytes(spec: Mapping[str, Any]) -> int:
    """Add up the memory limits of a pod's containers; 0 where one of them has none."""
    limits = [
        ((c.get("resources") or {}).get("limits") or {}).get("memory")
        for c in spec.get("containers") or ()
    ]
    told = [ceil(limit) for limit in limits if limit is not None]
    return sum(told) if len(told) == len(limits) else 0


def claimed(annotations: Mapping[str, str] | None) -> dict[str, int]:
    """Return what the claims of a pod of ours ask for: no request of it says so.

    >>> claimed({DEVICES_ANNOTATION: "gpu.nvidia.com/L4-24GB=2"}), claimed(None)
    ({'gpu.nvidia.com/L4-24GB': 2}, {})
    """
    text = (annotations or {}).get(DEVICES_ANNOTATION, "")
    name, _, count = text.rpartition("=")
    return {name: int(count)} if is_claimed(name) and count.isdecimal() else {}


def pod_requests(
    spec: Mapping[str, Any], annotations: Mapping[str, str] | None = None
) -> Resources:
    """Add up what a pod holds on its node; its annotations tell what its claims ask for."""
    containers = _total(_container_requests(c) for c in spec.get("containers") or ())
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in spec.get("initContainers") or ():
        if container.get("restartPolicy") == "Always":
            sidecars = _total((sidecars, _container_requests(container)))
            peak = _greater(peak, sidecars)
        else:
            peak = _greater(peak, _total((sidecars, _container_requests(container))))
    held = _greater(_total((containers, sidecars)), peak)
    whole = (spec.get("resources") or {}).get("requests") or {}
    held.update(_amounts(whole))
    held = _total((held, _amounts(spec.get("overhead") or {}), claimed(annotations)))
    held["pods"] = 1
    return _resources(held)


def _container_requests(container: Mapping[str, Any]) -> dict[str, int]:
    """Requests of one container; a limit without a request is one too."""
    amounts = container.get("resources") or {}
    return _amounts({**(amounts.get("limits") or {}), **(amounts.get("requests") or {})})


def _amounts(named: Mapping[str, Any]) -> dict[str, int]:
    """Read amounts: millicores, bytes, pieces."""
    return {n: ceil(v, MILLI) if n == "cpu" else ceil(v) for n, v in named.items()}


def _resources(amounts: Mapping[str, int]) -> Resources:
    """Keep what the ledger counts; a name with a slash is an extended resource."""
    return Resources(
        gpus=tuple(sorted((name, n) for name, n in amounts.items() if "/" in name and n)),
        cpu_millicores=amounts.get("cpu", 0),
        memory_bytes=amounts.get("memory", 0),
        pods=amounts.get("pods", 0),
    )


def _total(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for name, amount in part.items():
            total[name] = total.get(name, 0) + amount
    return total


def _greater(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {*one, *other}}
