"""To zero and back: when nobody asks for a model, and when somebody does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.decisions.scaling.samples import covers, since
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason

if TYPE_CHECKING:
    from qwen3_operator.decisions.scaling.samples import History
    from qwen3_planner.api.scaling import ScalingSpec

ASLEEP = Verdict(
    Reason.SCALED_TO_ZERO,
    "Nobody asks, so nothing runs. It comes back when the value of"
    " spec.scaling.idle.wakeQuery is above 0, when a schedule says so, and by kubectl scale.",
)

NO_CALLS = Verdict(
    Reason.METRICS_MISSING,
    "spec.scaling.idle.wakeQuery has no value, so nobody knows whether somebody asks. It must"
    " have one also when nobody does: end it with `or vector(0)`.",
)


def call_of(history: History, now_s: float, gap_s: float) -> float | None:
    """Return what the wake query says now; None where that is not known."""
    calls = history.calls
    if not calls or calls[-1].time_s < now_s - gap_s:
        return None
    return calls[-1].value


def may_sleep(wish: ScalingSpec, floor: int, history: History, now_s: float, gap_s: float) -> bool:
    """Whether surely nobody asked for so long that the last replica may go.

    Both must say so without a hole: the engines, which work on nothing, and the wake query.
    """
    if wish.idle is None or floor > 0:
        return False
    start_s = now_s - wish.idle.after_seconds
    times_s = [sample.time_s for sample in history.samples]
    call_times_s = [call.time_s for call in history.calls]
    if not covers(times_s, start_s, now_s, gap_s):
        return False
    if not covers(call_times_s, start_s, now_s, gap_s):
        return False
    calls = (call.value for call in history.calls if call.time_s >= start_s)
    return all(s.is_idle for s in since(history.samples, start_s)) and all(v <= 0 for v in calls)
