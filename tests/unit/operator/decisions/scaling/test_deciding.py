"""How many replicas there shall be, row by row of the table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qwen3_operator.decisions.scaling import decide
from qwen3_operator.decisions.scaling.samples import History
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason
from support.loads import INTERVAL_S, NOW_S, calls, sample, situation, steady, wish

LAZY = {"minReplicas": 0, "idle": {"wakeQuery": "vector(0)", "afterSeconds": 600}}


def reason_of(on: Any) -> Reason:  # noqa: ANN401 - a situation
    return decide(on).verdict.reason


def test_requests_that_wait_ask_for_more() -> None:
    decision = decide(situation(samples=steady(60, 2, running=20, waiting=3), current=2))
    assert decision.replicas == 3
    assert decision.is_active
    assert decision.why == "waitingRequests is 1.5, its target 1"


def test_a_moment_of_waiting_asks_for_nothing() -> None:
    load = [*steady(60, 2, until_s=INTERVAL_S), sample(0, 2, waiting=50)]
    assert decide(situation(samples=load, current=2)).replicas == 2


def test_without_a_window_a_moment_is_enough() -> None:
    load = [*steady(60, 2, until_s=INTERVAL_S), sample(0, 2, waiting=3)]
    eager = wish(scaleUp={"stabilizationWindowSeconds": 0})
    assert decide(situation(eager, load, current=2)).replicas == 3


def test_it_grows_to_twice_those_that_answer_and_no_further() -> None:
    load = steady(60, 2, waiting=500)
    assert decide(situation(samples=load, current=2)).replicas == 4
    assert decide(situation(samples=load, current=4, ready=2)).replicas == 4


def test_it_grows_no_further_than_what_fits_and_says_so() -> None:
    on = situation(samples=steady(60, 2, waiting=500), current=2, fits=3)
    decision = decide(on)
    assert decision.replicas == 3
    assert decision.verdict.reason is Reason.SCALING_LIMITED
    assert "GPUs" in decision.verdict.message
    stuck = decide(replace(on, current=2, fits=2))
    assert (stuck.replicas, stuck.verdict.reason) == (2, Reason.SCALING_LIMITED)


def test_it_grows_no_further_than_allowed_and_says_so() -> None:
    on = situation(wish(maxReplicas=3), steady(60, 2, waiting=500), current=2)
    decision = decide(on)
    assert decision.replicas == 3
    assert "maxReplicas" in decision.verdict.message


def test_a_share_says_exactly_how_many_are_enough() -> None:
    shares = wish(targets={"kvCacheUsagePercent": 80})
    busy = steady(400, 4, running=40, kv_cache=0.95)
    idle = steady(400, 4, running=40, kv_cache=0.30)
    assert decide(situation(shares, busy, current=4)).replicas == 5
    assert decide(situation(shares, idle, current=4)).replicas == 2


def test_near_its_target_nothing_changes() -> None:
    shares = wish(targets={"kvCacheUsagePercent": 80})
    for usage in (0.73, 0.80, 0.87):
        load = steady(400, 4, running=40, kv_cache=usage)
        assert decide(situation(shares, load, current=4)).replicas == 4


def test_the_signal_that_asks_for_most_decides() -> None:
    both = wish(targets={"kvCacheUsagePercent": 80, "outputTokensPerSecond": 1000})
    load = steady(400, 2, running=9, kv_cache=0.2, tokens_per_s=4200)
    decision = decide(situation(both, load, current=2))
    assert decision.replicas == 4
    assert "outputTokensPerSecond is 2100" in decision.why


@pytest.mark.parametrize(
    ("target", "load"),
    [({"ttftMs": 500}, {"ttft_s": 0.8}), ({"tpotMs": 20}, {"tpot_s": 0.032})],
    ids=["first token", "further tokens"],
)
def test_latencies_ask_for_more(target: dict[str, int], load: dict[str, float]) -> None:
    on = situation(wish(targets=target), steady(60, 2, running=9, **load), current=2)
    assert decide(on).replicas == 4


def test_where_nothing_waits_one_may_go_at_a_time() -> None:
    assert decide(situation(samples=steady(400, 4, running=1), current=4)).replicas == 3


def test_fewer_must_have_been_enough_for_the_whole_window() -> None:
    load = [*steady(200, 4), *steady(0, 4)]
    assert decide(situation(samples=load, current=4)).replicas == 4
    pressed = [*steady(400, 4, until_s=120), sample(105, 4, waiting=40), *steady(90, 4)]
    assert decide(situation(samples=pressed, current=4)).replicas == 4


def test_what_waited_lately_is_remembered() -> None:
    """Ten requests a replica were too many half an hour ago, so nine at most will do now."""
    before = steady(1800, 2, until_s=1700, running=20, waiting=9)
    calm = steady(1690, 3, running=19)
    assert decide(situation(samples=before + calm, current=3)).replicas == 3
    calmer = steady(1690, 3, running=17)
    assert decide(situation(samples=before + calmer, current=3)).replicas == 2


def test_what_was_pressed_while_the_others_were_starting_keeps_them() -> None:
    """Two bore too much two minutes ago; that four do not says nothing about three yet."""
    load = [*steady(400, 2, until_s=120, running=20, waiting=3), *steady(105, 4, running=8)]
    assert decide(situation(samples=load, current=4)).replicas == 4


def test_a_hole_in_the_history_keeps_what_there_is() -> None:
    hole = [*steady(400, 4, until_s=200), *steady(60, 4)]
    assert decide(situation(samples=hole, current=4)).replicas == 4


def test_replicas_that_do_not_tell_keep_what_there_is() -> None:
    on = situation(samples=steady(400, 3), current=4, ready=4)
    assert decide(on).replicas == 4


def test_replicas_that_never_start_keep_nobody_from_going() -> None:
    on = situation(samples=steady(400, 2), current=4, ready=2)
    assert decide(on).replicas == 1


def test_no_fresh_reading_holds_and_says_why() -> None:
    refused = Verdict(Reason.METRICS_UNAVAILABLE, "Prometheus cannot be reached.")
    stale = tuple(steady(600, 2, until_s=90, waiting=50))
    on = situation(current=2, history=History(stale, problem=refused))
    decision = decide(on)
    assert (decision.replicas, decision.is_active) == (2, False)
    assert decision.verdict == refused
    assert reason_of(replace(on, history=History(stale))) is Reason.METRICS_MISSING
    assert reason_of(replace(on, history=History(), ready=0)) is Reason.PENDING


def test_one_reading_that_fails_is_no_news() -> None:
    refused = Verdict(Reason.METRICS_UNAVAILABLE, "Prometheus cannot be reached.")
    load = tuple(steady(400, 2, until_s=INTERVAL_S, running=9))
    on = situation(current=2, history=History(load, problem=refused))
    assert reason_of(on) is Reason.SCALING_ON_TARGET


def test_a_target_that_the_engine_does_not_tell_holds_and_names_it() -> None:
    on = situation(
        wish(targets={"waitingRequests": 1, "ttftMs": 500}),
        steady(400, 2, running=3, waiting=90, ttft_s=None),
        current=2,
    )
    decision = decide(on)
    assert (decision.replicas, decision.verdict.reason) == (2, Reason.METRICS_MISSING)
    assert "ttftMs" in decision.verdict.message


def test_an_engine_that_served_nothing_yet_may_lack_its_histograms() -> None:
    on = situation(wish(targets={"ttftMs": 500}), steady(400, 2, ttft_s=None), current=2)
    assert decide(on).replicas == 1


def test_bounds_hold_without_any_metric() -> None:
    nothing = History(problem=Verdict(Reason.PROMETHEUS_NOT_CONFIGURED, "no"))
    assert decide(situation(wish(minReplicas=2), current=1, history=nothing)).replicas == 2
    assert decide(situation(wish(maxReplicas=3), current=5, history=nothing)).replicas == 3
    within = decide(situation(wish(minReplicas=2), current=3, history=nothing))
    assert (within.replicas, within.is_active) == (3, False)


def test_a_minimum_waits_for_gpus_that_are_not_free() -> None:
    assert decide(situation(wish(minReplicas=4), current=1, fits=1)).replicas == 4


def test_zero_switches_scaling_off_where_nothing_would_wake_it() -> None:
    on = situation(current=0, samples=steady(60, 1, waiting=9))
    decision = decide(on)
    assert (decision.replicas, decision.verdict.reason) == (0, Reason.SCALING_DISABLED)


def test_another_autoscaler_is_left_alone() -> None:
    on = situation(wish(minReplicas=3), current=1, owner="HorizontalPodAutoscaler q")
    decision = decide(on)
    assert (decision.replicas, decision.is_active) == (1, False)
    assert decision.verdict.reason is Reason.SCALING_DELEGATED
    assert "HorizontalPodAutoscaler q" in decision.verdict.message


# -- to zero and back ---------------------------------------------------------------------------


def test_the_last_one_goes_when_nobody_asked_for_long() -> None:
    quiet = History(tuple(steady(700)), calls(700))
    decision = decide(situation(wish(**LAZY), history=quiet))
    assert (decision.replicas, decision.verdict.reason) == (0, Reason.SCALED_TO_ZERO)
    assert decision.why == "nobody has asked for 600 s"


@pytest.mark.parametrize(
    "history",
    [
        pytest.param(History(tuple(steady(500)), calls(700)), id="not for long enough"),
        pytest.param(History(tuple(steady(700)), calls(500)), id="the wake query is too new"),
        pytest.param(History(tuple(steady(700)), ()), id="the wake query says nothing"),
        pytest.param(History(tuple(steady(700)), calls(700, 1)), id="somebody knocks"),
        pytest.param(History(tuple(steady(700, running=1)), calls(700)), id="a request runs"),
        pytest.param(
            History(tuple(steady(700, tokens_per_s=0.1)), calls(700)), id="tokens were made"
        ),
        pytest.param(
            History(tuple(steady(700, tokens_per_s=None)), calls(700)), id="tokens are not known"
        ),
        pytest.param(
            History((*steady(700, until_s=300), *steady(200)), calls(700)), id="nobody looked"
        ),
    ],
)
def test_the_last_one_stays_unless_it_is_sure_that_nobody_asked(history: History) -> None:
    assert decide(situation(wish(**LAZY), history=history)).replicas == 1


def test_the_last_one_stays_where_there_is_a_minimum() -> None:
    quiet = History(tuple(steady(700)), calls(700))
    assert decide(situation(wish(), history=quiet)).replicas == 1


def test_somebody_who_asks_wakes_it_whatever_fits() -> None:
    on = situation(wish(**LAZY), current=0, ready=0, fits=0, history=History((), calls(30, 0.5)))
    decision = decide(on)
    assert decision.replicas == 1
    assert decision.why == "somebody asks: idle.wakeQuery is above 0", "its value is not told"


def test_it_sleeps_on_while_nobody_asks() -> None:
    on = situation(wish(**LAZY), current=0, ready=0, history=History((), calls(30)))
    decision = decide(on)
    assert (decision.replicas, decision.is_active) == (0, True)
    assert decision.verdict.reason is Reason.SCALED_TO_ZERO


def test_a_wake_query_that_fails_wakes_nobody_and_is_told() -> None:
    refused = Verdict(Reason.METRICS_UNAVAILABLE, "parse error")
    on = situation(wish(**LAZY), current=0, history=History(call_problem=refused))
    decision = decide(on)
    assert (decision.replicas, decision.verdict) == (0, refused)
    silent = decide(replace(on, history=History()))
    assert (silent.replicas, silent.verdict.reason) == (0, Reason.METRICS_MISSING)
    assert "vector(0)" in silent.verdict.message


def test_a_schedule_wakes_it_and_keeps_it_awake() -> None:
    noon = {"start": "11:00", "end": "13:00", "minReplicas": 2}
    lazy = wish(**LAZY, schedules=[noon])
    quiet = History(tuple(steady(700, 2)), calls(700))
    assert decide(situation(lazy, current=0, history=quiet)).replicas == 2
    assert decide(situation(lazy, current=2, history=quiet)).replicas == 2


def test_kubectl_scale_wakes_it_for_as_long_as_nobody_asks() -> None:
    """The engine told nothing while it was not there: being idle begins anew."""
    on = situation(wish(**LAZY), current=1, ready=0, history=History((), calls(3600)))
    assert decide(on).replicas == 1


def test_the_same_situation_is_told_in_the_same_words() -> None:
    """A status that changes with every reading would wake its own operator."""
    first = decide(situation(samples=steady(400, 2, running=7, kv_cache=0.31), current=2))
    second = decide(situation(samples=steady(400, 2, running=8, kv_cache=0.35), current=2))
    assert first.verdict == second.verdict


def test_history_of_the_future_is_not_needed() -> None:
    assert steady(60)[-1].time_s == NOW_S
