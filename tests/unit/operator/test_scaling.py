"""The story of one resource's number of replicas, with all that it stands on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from qwen3_operator.decisions.scaling.samples import History
from qwen3_operator.errors import ClusterError
from qwen3_operator.observed import Key
from qwen3_operator.scaling import SCALE_MANAGERS, Outcome, Scalable, Scaling
from qwen3_planner.api.conversion import parse
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import ConditionStatus
from support.loads import INTERVAL_S, NOW, steady
from support.plan_builders import make_plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_operator.telemetry.queries import Question

KEY = Key("default", "chat")


class Cluster:
    """Stands for the API server, the books of GPUs, Prometheus and the list of autoscalers."""

    fresh_s = 30.0

    def __init__(self) -> None:
        self.interval_s = INTERVAL_S
        self.hpa: str | None = None
        self.history: History | None = None
        self.fits = 100
        self.written: list[int] = []
        self.notes: list[str] = []
        self.error: ClusterError | None = None
        self.rested = 0

    async def patch(self, _path: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        if self.error is not None:
            raise self.error
        self.written.append(operations[-1]["value"])
        return {}

    async def post(self, note: Any, _about: object, _stamp: str) -> None:  # noqa: ANN401 - an EventNote
        self.notes.append(f"{note.type} {note.reason}: {note.message}")

    def of(self, _key: Key, _asked: Question) -> History | None:
        return self.history

    def forget(self, _key: Key) -> None:
        self.rested += 1

    def could_run(self, _key: Key) -> int:
        return self.fits


class Autoscalers:
    fresh_s = 30.0

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def of(self, _key: Key) -> str | None:
        return self._cluster.hpa


def story(cluster: Cluster, *, reads: bool = True) -> Scaling:
    return Scaling(
        writer=cast("Any", cluster),
        autoscalers=cast("Any", Autoscalers(cluster)),
        ledger=cast("Any", cluster),
        loads=cast("Any", cluster) if reads else None,
        matchers={},
        now=lambda: NOW,
    )


def body(scaling: dict[str, Any] | None, generation: int = 1, **spec: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    metadata = {"name": "chat", "namespace": "default", "uid": "u", "generation": generation}
    fields = {"model": {"variant": "Qwen3-32B"}, "replicas": 1, **spec}
    if scaling is not None:
        fields["scaling"] = {"maxReplicas": 8, **scaling}
    return {
        "apiVersion": "serving.qwen3.dev/v1alpha1",
        "kind": "Qwen3Deployment",
        "metadata": metadata,
        "spec": fields,
    }


def bring(
    cluster: Cluster,
    scaling: dict[str, Any] | None,
    *,
    reads: bool = True,
    **spec: Any,  # noqa: ANN401 - JSON
) -> Outcome:
    managers = spec.pop("managers", ())
    document = body(scaling, **spec)
    resource = parse(document)
    document["metadata"][SCALE_MANAGERS] = managers
    subject = Scalable(KEY, document, resource, make_plan(), resource.spec.replicas)
    return asyncio.run(story(cluster, reads=reads).bring(subject))


def reason(outcome: Outcome) -> Reason:
    assert outcome.finding is not None
    return outcome.finding.verdict.reason


def test_what_does_not_scale_is_not_read() -> None:
    cluster = Cluster()
    assert bring(cluster, None) == Outcome()
    assert (cluster.rested, cluster.written) == (1, [])


def test_what_the_load_asks_for_is_written_and_told_once() -> None:
    cluster = Cluster()
    cluster.history = History(tuple(steady(60, 1, waiting=9)))
    outcome = bring(cluster, {})
    assert cluster.written == [2]
    assert cluster.notes == [
        "Normal ScaledUp: From 1 to 2 replicas: waitingRequests is 9, its target 1."
    ]
    assert outcome.finding is not None
    assert outcome.finding.status is ConditionStatus.TRUE


def test_what_somebody_else_changed_meanwhile_is_not_told() -> None:
    cluster = Cluster()
    cluster.error = ClusterError(409, "Conflict", "changed")
    assert reason(bring(cluster, {"minReplicas": 3})) is Reason.SCALING_ON_TARGET
    assert cluster.notes == []


def test_it_grows_no_further_than_the_books_say_unless_a_queue_decides() -> None:
    cluster = Cluster()
    cluster.history = History(tuple(steady(60, 2, waiting=9)))
    cluster.fits = 2
    assert reason(bring(cluster, {}, replicas=2)) is Reason.SCALING_LIMITED
    assert cluster.written == []
    bring(cluster, {}, replicas=2, queueName="team-a")
    assert cluster.written == [4]


def test_the_most_gpus_bound_it_too() -> None:
    cluster = Cluster()
    cluster.history = History(tuple(steady(60, 2, waiting=9)))
    per_replica = make_plan().layout.gpus_per_replica
    bring(cluster, {}, replicas=2, maxGpus=3 * per_replica)
    assert cluster.written == [3]


def test_without_prometheus_bounds_hold_and_the_setting_is_named() -> None:
    cluster = Cluster()
    outcome = bring(cluster, {"minReplicas": 2}, reads=False, replicas=3)
    assert reason(outcome) is Reason.PROMETHEUS_NOT_CONFIGURED
    assert outcome.finding is not None
    assert "operator.prometheus.url" in outcome.finding.verdict.message
    bring(cluster, {"minReplicas": 2}, reads=False)
    assert cluster.written == [2]


def test_before_the_first_reading_nothing_is_known() -> None:
    outcome = bring(Cluster(), {})
    assert outcome.finding is not None
    assert outcome.finding.status is ConditionStatus.UNKNOWN
    assert reason(outcome) is Reason.PENDING


@pytest.mark.parametrize(
    ("hpa", "managers"), [("web", ()), (None, ("keda",))], ids=["an HPA", "a field manager"]
)
def test_what_another_autoscaler_writes_is_left_alone_and_looked_at_again(
    hpa: str | None, managers: tuple[str, ...]
) -> None:
    cluster = Cluster()
    cluster.hpa = hpa
    outcome = bring(cluster, {"minReplicas": 3}, managers=managers)
    assert (cluster.written, cluster.rested) == ([], 1)
    assert reason(outcome) is Reason.SCALING_DELEGATED
    assert outcome.again_s == Cluster.fresh_s, "nobody tells when the other one is gone"


def test_a_time_zone_that_is_none_is_told_and_moves_nothing() -> None:
    cluster = Cluster()
    cluster.history = History(tuple(steady(60, 1, waiting=9)))
    wrong = {"start": "08:00", "end": "18:00", "timeZone": "Europe/Berlinn", "minReplicas": 2}
    outcome = bring(cluster, {"schedules": [wrong]})
    assert outcome.finding is not None
    assert (reason(outcome), cluster.written) == (Reason.INVALID_SPEC, [])
    message = outcome.finding.verdict.message
    assert "spec.scaling.schedules[0].timeZone: Europe/Berlinn: is no time zone" in message
    assert "(allowed: Europe/Berlin, " in message


def test_it_looks_again_when_a_schedule_begins() -> None:
    soon = {"start": "12:01", "end": "13:00", "minReplicas": 2}
    outcome = bring(Cluster(), {"schedules": [soon]})
    assert outcome.again_s == pytest.approx(60.5)


def test_another_number_of_replicas_is_no_other_wish() -> None:
    """Plans are kept when a load, an autoscaler or kubectl scale changes the number alone."""
    scaling = story(Cluster())
    assert scaling.means_something_else(KEY, body({}, 1), None)
    assert not scaling.means_something_else(KEY, body({}, 1), 1)
    assert not scaling.means_something_else(KEY, body({}, 2, replicas=5), 1)
    assert scaling.means_something_else(KEY, body({}, 3, quantization="fp8"), 2)
    assert scaling.means_something_else(KEY, body({}, 3, quantization="fp8"), 2), "not done yet"
    assert not scaling.means_something_else(KEY, body({}, 4, quantization="fp8", replicas=1), 3)
    scaling.forget(KEY)
    assert scaling.means_something_else(KEY, body({}, 5), 4), "after a restart nobody knows"
