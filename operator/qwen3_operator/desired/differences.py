"""Whether a live object still is what we want: would applying it change anything?

What is wanted must be contained in what lives. Lists are compared the way server-side apply owns
them: lists that Kubernetes declares as maps (containers by name, ports by number …) may hold more
entries, which others own; all other lists are ours as a whole. A field that we wanted once and no
longer want is noticed by the fingerprint in the annotation :data:`.labels.APPLIED`.

The API server writes some values in another notation: amounts (``1024Mi`` becomes ``1Gi``), empty
strings, lists and objects (left out), whole numbers in text where both are allowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator import quantities

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_operator.observed import Manifest

MAP_LISTS: Mapping[str, tuple[str, ...]] = {
    "containers": ("name",),
    "env": ("name",),
    "ephemeralContainers": ("name",),
    "hostAliases": ("ip",),
    "imagePullSecrets": ("name",),
    "initContainers": ("name",),
    "ownerReferences": ("uid",),
    "ports": ("containerPort", "port", "protocol"),
    "resourceClaims": ("name",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "volumeDevices": ("devicePath",),
    "volumeMounts": ("mountPath",),
    "volumes": ("name",),
}
"""Lists whose entries are told apart by these fields (``+listType=map`` in k8s.io/api@v0.37.2
core/v1/types.go and apimachinery meta/v1/types.go, read 2026-11-23)."""

WHOLE_MAPS = frozenset({"selector", "nodeSelector", "podSelector"})
"""Objects that are owned as a whole (``+mapType=atomic``, ``+structType=atomic`` in the same
files): an entry that somebody adds to a Service's selector leads its clients nowhere."""

AMOUNTS = frozenset({"requests", "limits"})
"""Objects whose values are amounts."""

AMOUNT_FIELDS = frozenset({"sizeLimit"})
"""Fields that are an amount."""

MEANINGFUL_WHEN_EMPTY = frozenset({"emptyDir", "labelSelector", "namespaceSelector"})
"""Objects that mean something although they say nothing; the API server keeps them."""

UNTOLD = frozenset({"apiVersion", "kind"})
"""Entries of a list do not repeat these."""


def differs(desired: Manifest, live: Manifest) -> bool:
    """Whether applying ``desired`` would change ``live``.

    What the API server adds, defaults or writes in another notation is no difference; what other
    managers own is none either.
    """
    wanted = {name: value for name, value in desired.items() if name not in UNTOLD}
    return not _contains(live, wanted, "")


def _contains(live: object, wanted: object, field: str) -> bool:
    """Whether ``wanted`` is contained in ``live``; ``field`` names where both stand."""
    if _is_empty(wanted) or _is_empty(live):
        present = field not in MEANINGFUL_WHEN_EMPTY or (wanted is None) is (live is None)
        return present and _is_empty(wanted) and _is_empty(live)
    if field in WHOLE_MAPS:
        return _is_same(live, wanted)
    if isinstance(wanted, dict) and isinstance(live, dict):
        compare = _amount_contains if field in AMOUNTS else _contains
        return all(compare(live.get(name), value, name) for name, value in wanted.items())
    if field in MAP_LISTS and isinstance(wanted, list | tuple) and isinstance(live, list | tuple):
        return _map_contains(live, wanted, field)
    return (_is_same_amount if field in AMOUNT_FIELDS else _is_same)(live, wanted)


def _amount_contains(live: object, wanted: object, _field: str) -> bool:
    return _is_same_amount(live, wanted)


def _map_contains(live: Sequence[Any], wanted: Sequence[Any], field: str) -> bool:
    keys = MAP_LISTS[field]
    by_key = {_identity(entry, keys): entry for entry in live}
    return all(_contains(by_key.get(_identity(entry, keys)), entry, "") for entry in wanted)


def _identity(entry: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    """Tell entries apart; a port without a protocol is a TCP port."""
    return tuple(entry.get(key, "TCP" if key == "protocol" else None) for key in keys)


def _is_same(live: object, wanted: object) -> bool:
    """Compare what is ours as a whole: neither side may say more than the other."""
    if _is_empty(wanted) or _is_empty(live):
        return _is_empty(wanted) and _is_empty(live)
    if isinstance(wanted, dict) and isinstance(live, dict):
        return all(_is_same(live.get(key), wanted.get(key)) for key in {*live, *wanted})
    if isinstance(wanted, list | tuple) and isinstance(live, list | tuple):
        return len(live) == len(wanted) and all(map(_is_same, live, wanted))
    if isinstance(wanted, bool) or isinstance(live, bool):
        return live is wanted
    if isinstance(wanted, int) != isinstance(live, int):
        return str(live) == str(wanted)  # IntOrString
    return live == wanted


def _is_same_amount(live: object, wanted: object) -> bool:
    if not isinstance(live, str | int | float) or not isinstance(wanted, str | int | float):
        return False
    try:
        return quantities.parse(live) == quantities.parse(wanted)
    except ValueError:
        return live == wanted


def _is_empty(value: object) -> bool:
    """Whether the API server would leave it out: nothing, or an empty text, list or object."""
    return value is None or (isinstance(value, str | list | tuple | dict) and not value)
