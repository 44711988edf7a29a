"""The audit log is counted fairly: each request once, a watch once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.controlplane import AuditLog, Tally, tally

if TYPE_CHECKING:
    from pathlib import Path


def event(number: int, verb: str, stage: str = "ResponseComplete", **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "auditID": str(number),
        "verb": verb,
        "stage": stage,
        "user": {"username": "operator"},
        "userAgent": "qwen3-operator/0.1",
        "objectRef": {"resource": "pods", "namespace": "one", "name": "x"},
        "responseStatus": {"code": 200},
        "requestReceivedTimestamp": "2026-11-23T05:00:00.000000Z",
        **fields,
    }


def write(path: Path, *events: dict[str, Any], tail: str = "") -> AuditLog:
    with path.open("a") as log:
        log.write("".join(json.dumps(e) + "\n" for e in events) + tail)
    return AuditLog(path)


def test_requests_and_writes_are_counted_per_user(tmp_path: Path) -> None:
    log = write(
        tmp_path / "audit.log",
        event(1, "get"),
        event(2, "patch"),
        event(3, "create", user={"username": "other"}),
        event(4, "create", objectRef={}),
    )
    assert tally(log.requests()) == {"operator": Tally(3, 1), "other": Tally(1, 1)}


def test_watch_counts_once_where_it_starts(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", event(1, "watch", "ResponseStarted"))
    mark = log.mark()
    write(tmp_path / "audit.log", event(1, "watch"))
    assert len(log.requests()) == 1
    assert log.requests(mark) == []


def test_refused_watch_counts(tmp_path: Path) -> None:
    log = write(tmp_path / "audit.log", event(1, "watch", responseStatus={"code": 403}))
    assert [request.code for request in log.requests()] == [403]


def test_half_a_line_is_read_the_next_time(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    whole = json.dumps(event(2, "get")) + "\n"
    log = write(path, event(1, "get"), tail=whole[:20])
    assert len(log.requests()) == 1
    with path.open("a") as rest:
        rest.write(whole[20:])
    assert len(log.requests()) == 2


def test_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.log")
    assert (log.mark(), log.requests()) == (0, [])
