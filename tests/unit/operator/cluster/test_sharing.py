"""Shared objects: made once, joined and left by one patch each, deleted with the last owner."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.cluster.caches import Caches, Listeners
from qwen3_operator.cluster.sharing import Sharing
from qwen3_operator.errors import ClusterError
from qwen3_operator.observed import Key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KEY = Key("ns", "mine")
UID = "uid-of-mine"
KIND = "Qwen3Deployment"


def reference(name: str, kind: str = KIND) -> dict[str, str]:
    return {"apiVersion": "v1", "kind": kind, "name": name, "uid": f"uid-of-{name}"}


def job(*owners: dict[str, str], version: int = 1) -> dict[str, Any]:
    metadata = {
        "name": "fetch-q",
        "namespace": "ns",
        "uid": "uid-of-job",
        "resourceVersion": str(version),
        "labels": {"serving.qwen3.dev/cache": "fetch-q"},
        "ownerReferences": list(owners),
    }
    return {"kind": "Job", "metadata": metadata, "spec": {"completions": 1}}


class Writes:
    """Stands for the API server: keeps what is written, answers with what a test put there."""

    def __init__(self, answer: dict[str, Any], error: ClusterError | None = None) -> None:
        self.made: list[str] = []
        self.patches: list[Sequence[Mapping[str, Any]]] = []
        self.deleted: list[str] = []
        self._answer = answer
        self._error = error

    async def create(self, path: str, _: Mapping[str, Any]) -> dict[str, Any]:
        self.made.append(path)
        if self._error is not None:
            raise self._error
        return self._answer

    async def patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        assert path.endswith("/jobs/fetch-q")
        self.patches.append(operations)
        return self._answer

    async def delete_at(self, path: str, uid: str) -> None:
        assert path.endswith("/jobs/fetch-q")
        self.deleted.append(uid)


def quiet(*_: object) -> None:
    """Listen to nothing."""


def sharing(writes: Writes, live: dict[str, Any] | None = None) -> tuple[Sharing, list[Key]]:
    ears = Listeners(quiet, quiet, quiet, quiet, quiet, quiet, quiet, quiet)
    caches = Caches(None, (), lambda _: (None, ""), ears)  # type: ignore[arg-type]  # nothing runs
    if live is not None:
        caches.prefetches.put(live)
    again: list[Key] = []
    return Sharing(writes, caches, again.append), again  # type: ignore[arg-type]  # a stand-in


def joined(writes: Writes, live: dict[str, Any] | None = None) -> tuple[Sharing, list[Key]]:
    shared, again = sharing(writes, live)
    asyncio.run(shared.join(KEY, UID, [job(reference("mine"))]))
    return shared, again


def test_what_is_not_there_is_made_once() -> None:
    writes = Writes(job(reference("mine")))
    shared, _ = joined(writes)
    asyncio.run(shared.join(KEY, UID, [job(reference("mine"))]))
    assert writes.made == ["/apis/batch/v1/namespaces/ns/jobs"]
    assert writes.patches == []


def test_who_comes_second_adds_itself_and_nothing_else() -> None:
    writes = Writes(job(reference("other"), reference("mine"), version=2))
    joined(writes, job(reference("other")))
    ((guard, change),) = writes.patches
    assert guard == {"op": "test", "path": "/metadata/uid", "value": "uid-of-job"}
    assert change["path"] == "/metadata/ownerReferences/-"
    assert change["value"] == reference("mine")


def test_an_object_without_owners_gets_its_first() -> None:
    writes = Writes(job(reference("mine"), version=2))
    joined(writes, job())
    assert writes.patches[0][1]["path"] == "/metadata/ownerReferences"


def test_who_is_there_already_writes_nothing() -> None:
    writes = Writes(job())
    joined(writes, job(reference("other"), reference("mine")))
    assert (writes.made, writes.patches) == ([], [])


def test_somebody_who_was_faster_is_looked_at_again() -> None:
    _, again = joined(Writes(job(), ClusterError(409, "AlreadyExists", "it is there")))
    assert again == [KEY]


def test_a_refusal_is_remembered_and_other_errors_are_raised() -> None:
    shared, _ = joined(Writes(job(), ClusterError(403, "Forbidden", "exceeded quota: disks")))
    assert shared.refusal(KEY) == "exceeded quota: disks"
    shared.forget(KEY)
    assert shared.refusal(KEY) == ""
    with pytest.raises(ClusterError):
        joined(Writes(job(), ClusterError(0, "Timeout", "no answer")))


@pytest.mark.parametrize("kind", [KIND, "ConfigMap"])
def test_who_leaves_takes_its_own_reference_away(kind: str) -> None:
    writes = Writes(job(reference("other", kind), version=2))
    shared, _ = sharing(writes, job(reference("other", kind), reference("mine")))
    asyncio.run(shared.leave(KEY, UID))
    ((guard, change),) = writes.patches
    assert guard == {"op": "test", "path": "/metadata/ownerReferences/1/uid", "value": UID}
    assert change == {"op": "remove", "path": "/metadata/ownerReferences/1"}
    assert writes.deleted == []


def test_the_last_owner_deletes() -> None:
    writes = Writes(job())
    shared, _ = sharing(writes, job(reference("mine")))
    asyncio.run(shared.leave(KEY, UID))
    assert (writes.patches, writes.deleted) == ([], ["uid-of-job"])


def test_what_is_kept_or_of_others_is_not_left() -> None:
    writes = Writes(job())
    shared, _ = sharing(writes, job(reference("mine")))
    asyncio.run(shared.leave(KEY, UID, [("Job", "fetch-q")]))
    asyncio.run(shared.leave(Key("ns", "other"), "uid-of-other"))
    assert (writes.patches, writes.deleted) == ([], [])
