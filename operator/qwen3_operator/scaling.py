"""The story of one resource's number of replicas: read the load, decide, write, say so."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from qwen3_operator.cluster.autoscalers import scale
from qwen3_operator.cluster.requests import FIELD_MANAGER
from qwen3_operator.decisions.readiness import Finding
from qwen3_operator.decisions.scaling import MEMORY_S, Situation, decide
from qwen3_operator.decisions.scaling.ownership import delegated_to
from qwen3_operator.decisions.scaling.samples import History
from qwen3_operator.decisions.scaling.schedules import seconds_until_change
from qwen3_operator.decisions.verdict import Verdict
from qwen3_operator.errors import ClusterError, SpecError
from qwen3_operator.status import EventNote
from qwen3_operator.telemetry.queries import question
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import ConditionStatus
from qwen3_planner.catalog.resolving import MAX_CHOICES
from qwen3_planner.engines.profiles import engine_of
from qwen3_planner.errors import nearest_first

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, tzinfo

    from qwen3_operator.cluster.applying import Writer
    from qwen3_operator.cluster.autoscalers import Autoscalers
    from qwen3_operator.decisions.scaling import Decision
    from qwen3_operator.ledger import Ledger
    from qwen3_operator.observed import Key
    from qwen3_operator.telemetry.load import Loads
    from qwen3_planner.api.scaling import ScalingSpec
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan

log = logging.getLogger(__name__)

STAMP = "%Y-%m-%dT%H:%M:%S.%fZ"
"""RFC 3339 with microseconds, UTC."""

SCALED_UP, SCALED_DOWN = "ScaledUp", "ScaledDown"
"""Reasons of the Events that tell of a change."""

SCALE_MANAGERS = "scaleManagers"
"""Where a resource's metadata keeps, in memory, who owns the number of replicas
(:func:`qwen3_operator.decisions.scaling.ownership.scale_managers`)."""

AFTER_S = 0.5
"""Timers may fire a little early; a schedule that begins has surely begun then."""

NOT_CONFIGURED = Verdict(
    Reason.PROMETHEUS_NOT_CONFIGURED,
    "The operator was not told where Prometheus is: set operator.prometheus.url in the chart, or"
    " the operator's setting prometheus_url.",
)

NOT_READ_YET = Verdict(Reason.PENDING, "The load has not been read yet.")


@dataclass(frozen=True, slots=True)
class Scalable:
    """One resource that runs.

    Attributes:
        key: of the resource.
        body: as it was last seen.
        resource: the same, parsed.
        plan: that runs.
        ready: replicas that answer.
    """

    key: Key
    body: Mapping[str, Any]
    resource: Qwen3Deployment
    plan: Plan
    ready: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it.

    Attributes:
        finding: for the condition ScalingActive; None where nothing scales.
        again_s: after how many seconds to look again by oneself; None for never.
    """

    finding: Finding | None = None
    again_s: float | None = None


class Scaling:
    """Decides for every resource with ``spec.scaling`` how many replicas there are."""

    def __init__(  # noqa: PLR0913 - what it is made of, once
        self,
        *,
        writer: Writer,
        autoscalers: Autoscalers,
        ledger: Ledger,
        loads: Loads | None,
        matchers: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> None:
        """Wire it; `loads` is None where no Prometheus is known."""
        self._writer = writer
        self._autoscalers = autoscalers
        self._ledger = ledger
        self._loads = loads
        self._matchers = matchers
        self._now = now
        self._said: dict[Key, dict[int, dict[str, Any]]] = {}

    def forget(self, key: Key) -> None:
        """Forget a resource that is gone."""
        self.rest(key)
        self._said.pop(key, None)

    def rest(self, key: Key) -> None:
        """Read no more of a resource's load for now."""
        if self._loads is not None:
            self._loads.forget(key)

    def means_something_else(self, key: Key, body: Mapping[str, Any], seen: int | None) -> bool:
        """Whether the specification says more than another number of replicas since `seen`.

        Args:
            key: of the resource.
            body: of the resource.
            seen: the generation that was last planned.
        """
        generation = int(body["metadata"]["generation"])
        wish = {name: value for name, value in body["spec"].items() if name != "replicas"}
        said = self._said.get(key, {})
        kept = {number: said[number] for number in said if number == seen}
        self._said[key] = {**kept, generation: wish}
        return generation != seen and (seen is None or said.get(seen) != wish)

    async def bring(self, subject: Scalable) -> Outcome:
        """Have as many replicas as the load asks for; say what keeps us from it.

        Raises:
            ClusterError: the number could not be written; to be tried again.
        """
        wish = subject.resource.spec.scaling
        if wish is None:
            self.rest(subject.key)
            return Outcome()
        try:
            zones = _zones(wish)
        except SpecError as error:  # what runs goes on as it is
            self.rest(subject.key)
            verdict = Verdict(Reason.INVALID_SPEC, f"{error}.")
            return Outcome(Finding(ConditionStatus.FALSE, verdict))
        situation = await self._situation(subject, wish, zones)
        decision = decide(situation)
        if decision.replicas != situation.current:
            await self._write(subject, situation.current, decision)
        status = ConditionStatus.TRUE if decision.is_active else ConditionStatus.FALSE
        if decision.verdict.reason is Reason.PENDING:
            status = ConditionStatus.UNKNOWN
        again_s = seconds_until_change(wish, situation.now, situation.zones)
        later_s = None if again_s is None else again_s + AFTER_S
        if situation.owner is not None:
            later_s = self._autoscalers.fresh_s  # nobody tells when the other one is gone
        return Outcome(Finding(status, decision.verdict), later_s)

    async def _situation(
        self, subject: Scalable, wish: ScalingSpec, zones: Mapping[str, tzinfo]
    ) -> Situation:
        key, spec = subject.key, subject.resource.spec
        most = wish.max_replicas
        if spec.max_gpus is not None:
            most = min(most, max(1, spec.max_gpus // subject.plan.layout.gpus_per_replica))
        managers = subject.body["metadata"].get(SCALE_MANAGERS, ())
        owner = delegated_to(managers, FIELD_MANAGER, await self._autoscalers.of(key))
        if owner is not None:
            self.rest(key)
        return Situation(
            now=self._now(),
            wish=wish,
            zones=zones,
            current=spec.replicas,
            ready=subject.ready,
            fits=most if spec.queue_name else self._ledger.could_run(key),  # Kueue's own matter
            max_replicas=most,
            owner=owner,
            history=History() if owner else self._history(subject, wish),
            interval_s=self._loads.interval_s if self._loads else 0.0,
        )

    def _history(self, subject: Scalable, wish: ScalingSpec) -> History:
        if self._loads is None:
            return History(problem=NOT_CONFIGURED, call_problem=NOT_CONFIGURED)
        metrics = engine_of(subject.plan.engine).metrics
        asked = question(subject.key, wish, metrics, self._matchers, MEMORY_S)
        known = self._loads.of(subject.key, asked)
        return known or History(problem=NOT_READ_YET, call_problem=NOT_READ_YET)

    async def _write(self, subject: Scalable, before: int, decision: Decision) -> None:
        key, after = subject.key, decision.replicas
        if not await scale(self._writer, key, subject.body["metadata"]["uid"], before, after):
            return
        reason = SCALED_UP if after > before else SCALED_DOWN
        message = f"From {before} to {after} replicas: {decision.why}."
        log.info("%s: %s", reason, message)
        try:
            note = EventNote("Normal", reason, message)
            await self._writer.post(note, subject.body, self._now().strftime(STAMP))
        except ClusterError as error:  # an Event is a courtesy
            log.warning("the Event %s was not written: %s", reason, error)


def _zones(wish: ScalingSpec) -> dict[str, tzinfo]:
    """Look up the time zones of the schedules.

    Raises:
        SpecError: one is unknown.
    """
    zones: dict[str, tzinfo] = {}
    for number, schedule in enumerate(wish.schedules):
        try:
            zones[schedule.time_zone] = ZoneInfo(schedule.time_zone)
        except (LookupError, OSError, ValueError):
            raise SpecError(
                f"spec.scaling.schedules[{number}].timeZone",
                schedule.time_zone,
                "is no time zone of the IANA database",
                nearest_first(schedule.time_zone, available_timezones())[:MAX_CHOICES],
            ) from None
    return zones
