"""How many replicas there shall be: the load's history, the wish, and what fits, in; a target out.

Nothing is remembered here: what the load asked for a minute or an hour ago is in the history, which
comes from Prometheus. So an operator that was just started decides as one that ran for weeks.

- :mod:`.samples` the load as it was read;
- :mod:`.signals` how many replicas a moment asks for;
- :mod:`.schedules` minima that hold at certain times;
- :mod:`.sleeping` to zero and back;
- :mod:`.ownership` whether the number is ours to change at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_operator.decisions.scaling import sleeping
from qwen3_operator.decisions.scaling.samples import covers, since
from qwen3_operator.decisions.scaling.schedules import minimum_at
from qwen3_operator.decisions.scaling.signals import asked, targets_in_words, unknown_fields
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, tzinfo

    from qwen3_operator.decisions.scaling.samples import History, Sample
    from qwen3_operator.decisions.scaling.signals import Asked
    from qwen3_planner.api.scaling import ScalingSpec

MEMORY_S = 3600
"""For so long it is remembered how much a replica bore when requests waited."""

HEADROOM = 0.9
"""Share of that which a replica is given when another one goes."""

MISSED_READINGS = 3
"""So many readings in a row may fail before anybody is told, and before history has a hole."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that the number of replicas depends on.

    Attributes:
        now: when.
        wish: ``spec.scaling``.
        zones: the time zones that its schedules name.
        current: ``spec.replicas``.
        ready: replicas that answer.
        fits: replicas in all for which there are GPUs now, those that run included.
        max_replicas: as ``spec.scaling`` and ``spec.maxGpus`` allow together.
        owner: who else decides; None where nobody does.
        history: of the load.
        interval_s: between two readings.
    """

    now: datetime
    wish: ScalingSpec
    zones: Mapping[str, tzinfo]
    current: int
    ready: int
    fits: int
    max_replicas: int
    owner: str | None
    history: History
    interval_s: float

    @property
    def now_s(self) -> float:
        """Unix time."""
        return self.now.timestamp()

    @property
    def gap_s(self) -> float:
        """The longest hole in the history that is none."""
        return MISSED_READINGS * self.interval_s + 1

    @property
    def floor(self) -> int:
        """Replicas at least: now, and by the largest of all minima that hold."""
        return min(self.max_replicas, minimum_at(self.wish, self.now, self.zones))


@dataclass(frozen=True, slots=True)
class Decision:
    """How many replicas there shall be.

    Attributes:
        replicas: to be written where that is not what there is.
        is_active: whether the load decides; False where something keeps it from doing so.
        verdict: for the condition; the same words while nothing changes.
        why: for the Event that tells of a change, with what was read; empty where none is made.
    """

    replicas: int
    is_active: bool
    verdict: Verdict
    why: str = ""


def decide(on: Situation) -> Decision:
    """Decide how many replicas there shall be.

    The first row that applies decides.

    ================================= ======================== ======== =======================
    situation                         replicas                 active   reason
    ================================= ======================== ======== =======================
    another autoscaler writes them    as they are              no       ScalingDelegated
    set to zero, and no way back      as they are              no       ScalingDisabled
    outside of what is allowed        into the bounds          yes      ScalingOnTarget
    asleep, and somebody asks         the minimum, 1 at least  yes      ScalingOnTarget
    asleep, the wake query fails      as they are              no       of the problem
    asleep                            0                        yes      ScaledToZero
    no fresh readings                 as they are              no       of the problem
    more asked for all the time       up to limit and GPUs     yes      …OnTarget, …Limited
    nobody asked for long             0                        yes      ScaledToZero
    fewer enough all the time         down                     yes      ScalingOnTarget
    anything else                     as they are              yes      ScalingOnTarget
    ================================= ======================== ======== =======================
    """
    if on.owner is not None:
        return _held(on, Verdict(Reason.SCALING_DELEGATED, _delegated(on.owner)))
    if on.current == 0 and on.wish.idle is None:
        return _held(on, DISABLED)
    if on.current > on.max_replicas or on.current < on.floor:
        bounded = max(on.floor, min(on.current, on.max_replicas))
        return _changed(on, bounded, f"at least {on.floor}, at most {on.max_replicas} are allowed")
    if on.current == 0:
        return _asleep(on)
    problem = _problem(on)
    if problem is not None:
        return _held(on, problem)
    return _by_load(on)


DISABLED = Verdict(
    Reason.SCALING_DISABLED,
    "spec.replicas is 0, which switches scaling off; set it to 1 or more to have it scaled.",
)


def _delegated(owner: str) -> str:
    return (
        f"{owner} decides how many replicas there are, so spec.scaling does not. Delete one of the"
        " two; a field manager is forgotten when kubectl scale sets another number."
    )


def _held(on: Situation, verdict: Verdict) -> Decision:
    return Decision(on.current, is_active=False, verdict=verdict)


def _changed(on: Situation, replicas: int, why: str) -> Decision:
    return Decision(replicas, is_active=True, verdict=_on_target(on, replicas), why=why)


def _on_target(on: Situation, replicas: int) -> Verdict:
    noun = "replica" if replicas == 1 else "replicas"
    message = (
        f"{replicas} {noun}; at least {on.floor}, at most {on.max_replicas}, by"
        f" {targets_in_words(on.wish.targets)} per replica."
    )
    return Verdict(Reason.SCALING_ON_TARGET, message)


def _asleep(on: Situation) -> Decision:
    """Decide for a model that nobody asked for."""
    call = sleeping.call_of(on.history, on.now_s, on.gap_s)
    if call is None:
        return _held(on, on.history.call_problem or sleeping.NO_CALLS)
    if call > 0:
        woken = max(1, on.floor)
        return _changed(on, woken, "somebody asks: idle.wakeQuery is above 0")
    return Decision(0, is_active=True, verdict=sleeping.ASLEEP)


def _problem(on: Situation) -> Verdict | None:
    """Say what keeps the load from deciding; None where nothing does."""
    samples = on.history.samples
    if not samples or samples[-1].time_s < on.now_s - on.gap_s:
        return on.history.problem or (NO_SAMPLES if on.ready else NOBODY_YET)
    unknown = unknown_fields(samples[-1], on.wish.targets)
    if unknown:
        message = (
            f"Prometheus has no series for {', '.join(unknown)}: this engine or its version does"
            " not tell. Take another target, such as waitingRequests."
        )
        return Verdict(Reason.METRICS_MISSING, message)
    return None


NOBODY_YET = Verdict(Reason.PENDING, "No replica answers yet, so there is no load to go by.")

NO_SAMPLES = Verdict(
    Reason.METRICS_MISSING,
    "Prometheus has no series of these replicas with the labels namespace, pod and"
    " serving_qwen3_dev_deployment: have it scrape their pods and keep that label of theirs (of a"
    " PodMonitor: podTargetLabels).",
)


def _by_load(on: Situation) -> Decision:
    more, strongest = _asked_for_all_the_time(on)
    if more > on.current:
        return _grown(on, more, strongest)
    if sleeping.may_sleep(on.wish, on.floor, on.history, on.now_s, on.gap_s):
        assert on.wish.idle is not None, "who may sleep says when"  # noqa: S101 - for the type checker
        why = f"nobody has asked for {on.wish.idle.after_seconds} s"
        return Decision(0, is_active=True, verdict=sleeping.ASLEEP, why=why)
    fewer = max(on.floor, 1, _enough_all_the_time(on))
    if fewer < on.current:
        return _changed(on, fewer, f"fewer were enough for {on.wish.down_window_s} s")
    return Decision(on.current, is_active=True, verdict=_on_target(on, on.current))


def _grown(on: Situation, more: int, strongest: Asked | None) -> Decision:
    """Grow as far as allowed and possible; say what limits it."""
    target = min(more, on.max_replicas, max(on.current, on.fits))
    why = str(strongest)
    if target == more:
        return _changed(on, target, why)
    if target == on.max_replicas:
        limit = f"{on.max_replicas} is the most that maxReplicas and maxGpus allow."
    else:
        limit = "the GPUs for another one are not free, or the namespace's quota is used up."
    message = f"The load asks for more than {target}: {limit}"
    limited = Verdict(Reason.SCALING_LIMITED, message)
    return Decision(target, is_active=True, verdict=limited, why=why if target > on.current else "")


def _asked_for_all_the_time(on: Situation) -> tuple[int, Asked | None]:
    """Return the least that was asked for in the window, and by which signal."""
    window = _window(on, on.wish.up_window_s)
    least: tuple[int, Asked | None] = (on.current, None)
    for number, sample in enumerate(window):
        signals = asked(sample, on.wish.targets)
        wanted = signals[0].replicas(sample.replicas) if signals else 0
        if number == 0 or wanted < least[0]:
            least = (wanted, signals[0] if signals else None)
    return least


def _enough_all_the_time(on: Situation) -> int:
    """Return the most that was asked for in the window, what waited lately being remembered."""
    window = _window(on, on.wish.down_window_s)
    if not window or window[-1].replicas < on.ready or any(_is_pressed(on, s) for s in window):
        return on.current
    if any(unknown_fields(sample, on.wish.targets) for sample in window):
        return on.current
    most = max(asked(sample, on.wish.targets)[0].replicas(sample.replicas) for sample in window)
    return max(most, _least_that_bore(on, window))


def _window(on: Situation, length_s: float) -> Sequence[Sample]:
    """Return the samples of the last seconds; none where there is a hole in them."""
    start_s = on.now_s - length_s
    samples = on.history.samples
    if not covers([sample.time_s for sample in samples], start_s, on.now_s, on.gap_s):
        return ()
    inside = since(samples, start_s)
    return inside or samples[-1:]


def _is_pressed(on: Situation, sample: Sample) -> bool:
    return any(one.is_pressure and one.is_pressed for one in asked(sample, on.wish.targets))


def _least_that_bore(on: Situation, window: Sequence[Sample]) -> int:
    """Return the replicas below which requests would wait again, as far as that was seen.

    No signal of pressure says how close the next one is. But where requests waited within the last
    hour, as many as ran then are what a replica can bear.
    """
    lately = since(on.history.samples, on.now_s - MEMORY_S)
    borne = max((s.running / s.replicas for s in lately if _is_pressed(on, s)), default=0.0)
    if borne <= 0:
        return 0
    return math.ceil(max(sample.in_flight for sample in window) / (HEADROOM * borne))
