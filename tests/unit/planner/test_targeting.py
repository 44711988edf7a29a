"""Plans that have to be fast enough: what meets the targets, with how many replicas, or why not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.planning import apply_change, plan
from qwen3_planner.question import understand
from qwen3_planner.request import Objective, PlanRequest, Quantization, Targets, Workload
from qwen3_planner.solving import solve
from qwen3_planner.telling import tell
from support.depth import examples
from support.planner_builders import hardware
from support.planner_strategies import hardware_texts, requests, targets

LOAD = Workload(32, 1024, 256)
NONE = Targets()


def asked(text: str, targets: Targets = NONE, **fields: object) -> Plan | NoPlan:
    given = {"workload": LOAD, "targets": targets, **fields}
    request = PlanRequest("Qwen3-32B", **given)  # type: ignore[arg-type]  # by name
    return plan(request, hardware(text), load_catalog())


def found(text: str, targets: Targets = NONE, **fields: object) -> Plan:
    answer = asked(text, targets, **fields)
    assert isinstance(answer, Plan), answer
    return answer


def speed(answer: Plan) -> tuple[float, float, float]:
    said = answer.performance
    assert said is not None
    return said.ttft_ms, said.tpot_ms, said.output_tokens_per_second * answer.replicas


def test_a_layout_that_is_fast_enough_is_taken_where_the_cheapest_is_not() -> None:
    plain, fast = found("8xH100-SXM-80GB"), found("8xH100-SXM-80GB", Targets(tpot_ms=15))
    assert speed(plain)[1] > 15 >= speed(fast)[1]
    assert fast.layout.gpus_per_replica > plain.layout.gpus_per_replica
    assert {refusal.rule for refusal in fast.refusals} >= {"TargetMissed"}


def test_the_most_precise_weights_that_are_fast_enough_are_taken() -> None:
    """No layout of the 16-bit weights is on two GPUs; those of fewer bits are."""
    assert found("2xH100-SXM-80GB").quantization == "bf16"
    assert found("2xH100-SXM-80GB", Targets(tpot_ms=20)).quantization != "bf16"


def test_replicas_are_found_for_a_throughput_where_their_number_was_left_open() -> None:
    targets = Targets(output_tokens_per_second=4000)
    found_open = found("8xH100-SXM-80GB", targets, replicas_are_open=True)
    assert found_open.replicas > 1
    one = speed(found_open)[2] / found_open.replicas
    assert one * (found_open.replicas - 1) < 4000 <= one * found_open.replicas


def test_replicas_that_were_given_are_not_added_to() -> None:
    answer = asked("2xH100-SXM-80GB", Targets(output_tokens_per_second=3000))
    assert isinstance(answer, NoPlan)
    assert answer.refusals[0].rule == "TargetMissed"
    assert "at least 3,000 wanted" in answer.refusals[0].message


def test_a_rate_of_arrival_is_kept_up_with_and_its_latencies_are_told() -> None:
    targets = Targets(ttft_ms=400, tpot_ms=25, requests_per_second=10)
    answer = found("8xH100-SXM-80GB", targets, replicas_are_open=True)
    assert answer.performance is not None
    assert answer.performance.requests_per_second * answer.replicas == pytest.approx(10, rel=1e-3)
    assert speed(answer)[0] <= 400
    assert speed(answer)[1] <= 25


def test_what_misses_is_told_with_what_would_be_reached() -> None:
    answer = asked("2xL40S-48GB", Targets(tpot_ms=10))
    assert isinstance(answer, NoPlan)
    assert answer.nearest is not None
    (name, value), *rest = answer.nearest.change.assignments
    assert (name, rest) == ("tpotMs", [])
    assert speed(answer.nearest.plan)[1] <= float(value) < speed(answer.nearest.plan)[1] * 1.02


def test_several_targets_out_of_reach_are_relaxed_together() -> None:
    answer = asked("1xL40S-48GB", Targets(ttft_ms=1, tpot_ms=1))
    assert isinstance(answer, NoPlan)
    assert answer.nearest is not None
    names = {name for name, _ in answer.nearest.change.assignments}
    assert names == {"ttftMs", "tpotMs"}


@pytest.mark.parametrize("objective", list(Objective))
def test_the_objective_decides_between_plans_as_precise(objective: Objective) -> None:
    plans = {
        each: found("8xH100-SXM-80GB", objective=each, quantization=Quantization.BF16)
        for each in Objective
    }
    mine = plans[objective]
    for other in plans.values():
        match objective:
            case Objective.COST:
                assert mine.gpus <= other.gpus
            case Objective.LATENCY:
                assert speed(mine)[1] <= speed(other)[1]
            case Objective.THROUGHPUT:
                assert speed(mine)[2] >= speed(other)[2]
    assert plans[Objective.COST].gpus < plans[Objective.LATENCY].gpus


def test_a_target_that_is_no_number_of_the_model_is_bad_input() -> None:
    request = PlanRequest("Qwen3-Embedding-8B", targets=Targets(tpot_ms=10))
    with pytest.raises(SpecError, match="--tpot-ms"):
        plan(request, hardware("1xL4-24GB"), load_catalog())
    with pytest.raises(SpecError, match="above 0"):
        asked("1xL4-24GB", Targets(ttft_ms=0))


def test_an_embedding_model_may_be_held_to_the_time_of_its_answer() -> None:
    request = PlanRequest("Qwen3-Embedding-8B", workload=Workload(1, 8000))
    here = hardware("1xL4-24GB")
    slow = plan(replace(request, targets=Targets(ttft_ms=1)), here, load_catalog())
    assert isinstance(slow, NoPlan)
    assert slow.refusals[0].rule == "TargetMissed"
    assert isinstance(
        plan(replace(request, targets=Targets(ttft_ms=60000)), here, load_catalog()), Plan
    )


@pytest.mark.thorough
@settings(max_examples=examples(60), deadline=None, derandomize=True)
@given(request=requests, wanted=targets, text=hardware_texts)
def test_a_plan_meets_its_targets_by_its_own_figures(
    request: PlanRequest, wanted: Targets, text: str
) -> None:
    here, catalog = hardware(text), load_catalog()
    try:
        question = understand(replace(request, targets=wanted), here, catalog)
    except SpecError:
        return
    solution = solve(question, here)  # without seeking remedies
    if solution.best is None:
        return
    answer = tell(question, solution, here, catalog)
    if answer.performance is None:
        return
    check_met(answer, wanted)


def check_met(answer: Plan, targets: Targets) -> None:
    ttft, tpot, tokens = speed(answer)
    assert targets.ttft_ms is None or ttft <= targets.ttft_ms
    assert targets.tpot_ms is None or tpot <= targets.tpot_ms
    wanted = targets.output_tokens_per_second
    assert wanted is None or tokens >= wanted * (1 - 1e-9)


@pytest.mark.thorough
@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(
    limits=st.tuples(st.floats(2, 200), st.floats(2, 200)).map(sorted),
    text=st.sampled_from(("1xL40S-48GB", "2xH100-SXM-80GB", "4xA100-SXM-80GB", "8xL4-24GB")),
    concurrency=st.sampled_from((1, 8, 64)),
)
def test_relaxing_a_target_never_loses_the_plan(
    limits: list[float], text: str, concurrency: int
) -> None:
    load = Workload(concurrency, 1024, 256)
    tight, loose = (asked(text, Targets(tpot_ms=limit), workload=load) for limit in limits)
    assert isinstance(loose, Plan) or isinstance(tight, NoPlan)


def test_each_fix_gives_a_plan() -> None:
    targets = Targets(ttft_ms=50, tpot_ms=8, output_tokens_per_second=2000)
    request = PlanRequest("Qwen3-32B", workload=LOAD, targets=targets)
    here, catalog = hardware("2xL40S-48GB"), load_catalog()
    answer = plan(request, here, catalog)
    assert isinstance(answer, NoPlan)
    fixes = {fix for refusal in answer.refusals for fix in refusal.fixes}
    assert fixes
    for fix in fixes:
        assert isinstance(plan(*apply_change(request, here, fix, catalog), catalog), Plan), fix


def test_several_replicas_say_what_each_of_them_does() -> None:
    many = found("8xH100-SXM-80GB", Targets(output_tokens_per_second=4000), replicas_are_open=True)
    each = speed(many)[2] / many.replicas
    said = f"{many.replicas} replicas generate {speed(many)[2]:g} output tokens/s together"
    assert any(said in text and f"{each:g} each" in text for text in many.warnings)
    arriving = found("8xH100-SXM-80GB", Targets(requests_per_second=30), replicas_are_open=True)
    assert arriving.replicas > 1
    assert any("30 requests/s are shared by" in text for text in arriving.warnings)
    assert not any("replicas" in text for text in found("8xH100-SXM-80GB").warnings)


@pytest.mark.thorough
@pytest.mark.parametrize("quantization", [Quantization.BF16, Quantization.FP8])
def test_a_tighter_target_never_makes_the_answer_cheaper(quantization: Quantization) -> None:
    """At one precision; where weights are left open a tighter target may cost precision instead."""
    last = 0
    for tpot in (60.0, 40.0, 30.0, 25.0, 20.0, 16.0, 13.0, 11.0, 9.0, 7.0, 5.0):
        answer = asked(
            "8xH100-SXM-80GB", Targets(tpot_ms=tpot), quantization=quantization, max_model_len=8192
        )
        gpus = answer.gpus if isinstance(answer, Plan) else 1_000_000
        assert gpus >= last, tpot
        last = gpus


@pytest.mark.thorough
def test_a_relaxed_target_never_takes_the_answer_away() -> None:
    was_plan = False
    for tpot in (4.0, 6.0, 8.0, 10.0, 14.0, 20.0, 30.0, 60.0):
        answer = asked("4xL40S-48GB", Targets(tpot_ms=tpot))
        assert isinstance(answer, Plan) or not was_plan, tpot
        was_plan = isinstance(answer, Plan)
    assert was_plan
