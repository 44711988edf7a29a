"""A controller's complaint counts until a pod is made after it, or none is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_operator.decisions.creation import creation_failure
from qwen3_operator.observed import CreationFailure
from support.values import amount, pod

EARLY, LATE, LATER = "2026-11-23T10:00:00Z", "2026-11-23T10:05:00.123456Z", "2026-11-23T10:06:00Z"


def child(kind: str, name: str, replicas: int = 2, size: int = 1) -> dict[Any, Any]:
    spec: dict[str, Any] = {"replicas": replicas}
    if kind == "LeaderWorkerSet":
        spec["leaderWorkerTemplate"] = {"size": size}
    return {(kind, name): {"spec": spec}}


def complaint(kind: str, name: str, at: str = LATE, message: str = "quota") -> CreationFailure:
    return CreationFailure("ns", kind, name, message, at)


def made(name: str, at: str, **fields: Any) -> tuple[str, Any]:  # noqa: ANN401 - fields of a pod
    return at, pod(name, amount(1), **fields)


@pytest.mark.parametrize(
    ("kind", "about", "counts"),
    [
        pytest.param("StatefulSet", ("StatefulSet", "m"), True, id="its own"),
        pytest.param("LeaderWorkerSet", ("LeaderWorkerSet", "m"), True, id="the group's"),
        pytest.param("LeaderWorkerSet", ("StatefulSet", "m"), True, id="the leaders'"),
        pytest.param("LeaderWorkerSet", ("StatefulSet", "m-1"), True, id="the workers'"),
        pytest.param("StatefulSet", ("StatefulSet", "m-1"), False, id="somebody else's"),
        pytest.param("LeaderWorkerSet", ("StatefulSet", "m-x"), False, id="another name"),
        pytest.param("StatefulSet", ("Job", "m"), False, id="another kind"),
        pytest.param("Deployment", ("Deployment", "m"), False, id="a Deployment says it itself"),
    ],
)
def test_it_counts_for_what_the_child_is_made_of(
    kind: str, about: tuple[str, str], *, counts: bool
) -> None:
    found = creation_failure(child(kind, "m"), (), [complaint(*about)])

    assert found == ("quota" if counts else "")


@pytest.mark.parametrize(
    ("pods", "counts"),
    [
        pytest.param((made("m-0", EARLY),), True, id="one was made before"),
        pytest.param((made("m-0", "2026-11-23T10:05:00Z"),), True, id="in the same second"),
        pytest.param((made("m-0", LATER),), False, id="one was made after"),
        pytest.param((made("m-0", EARLY), made("m-1", EARLY)), False, id="all are there"),
        pytest.param(
            (made("m-0", EARLY), made("m-1", EARLY, terminating=True)), True, id="one is leaving"
        ),
        pytest.param((made("n-0", EARLY), made("n-1", EARLY)), True, id="of another child"),
        pytest.param((made("m-0", EARLY), made("m-0-1", EARLY)), True, id="of the other ranks"),
    ],
)
def test_it_counts_until_a_pod_is_made_after_it(pods: tuple[Any, ...], *, counts: bool) -> None:
    found = creation_failure(child("StatefulSet", "m"), pods, [complaint("StatefulSet", "m")])

    assert found == ("quota" if counts else "")


def test_groups_want_replicas_times_their_size() -> None:
    pods = [made("m-0", EARLY), made("m-0-1", EARLY)]
    told = [complaint("StatefulSet", "m")]

    assert creation_failure(child("LeaderWorkerSet", "m", 2, size=2), pods, told) == "quota"
    assert creation_failure(child("LeaderWorkerSet", "m", 1, size=2), pods, told) == ""


def test_of_several_the_last_is_told() -> None:
    told = [
        complaint("StatefulSet", "m", LATE, "later"),
        complaint("StatefulSet", "m", EARLY, "earlier"),
    ]

    assert creation_failure(child("StatefulSet", "m"), (), told) == "later"
