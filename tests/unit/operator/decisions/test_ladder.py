"""What gives way, in which order, and when: spec.fallback, asked of the real planner."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_operator.decisions.ladder import Ladder, descend, question_for, still_lowered
from qwen3_operator.decisions.replan import Chosen, Outcome, choose
from qwen3_planner.api.conversion import parse, plan_request
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.v1alpha1 import Replan
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.planning import plan
from qwen3_planner.report.plan_status import status_document
from qwen3_planner.request import Quantization
from support.resources import resource
from support.values import accelerator

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.api.fallback import FallbackSpec
    from qwen3_planner.plan import PlanResult
    from qwen3_planner.request import PlanRequest

    Room = Callable[[Plan], int]

CATALOG = load_catalog()
FLEET = (("H100-SXM-80GB", 8), ("A100-SXM-80GB", 8), ("L40S-48GB", 8))


class Case:
    """A resource that may fall back, on some hardware."""

    def __init__(self, spec: str, *nodes: tuple[str, int], variant: str = "Qwen3-32B") -> None:
        groups = (NodeGroup(accelerator(name), gpus) for name, gpus in nodes or FLEET)
        self.inventory = Inventory(tuple(groups))
        body = parse(resource(spec, variant=variant))
        self.request = replace(plan_request(body, CATALOG), max_nodes_per_replica=1)
        assert body.spec.fallback is not None
        self.fallback: FallbackSpec = body.spec.fallback
        self.asked = 0

    def ask(self, request: PlanRequest) -> PlanResult:
        self.asked += 1
        return plan(request, self.inventory, CATALOG)

    def first(self) -> Chosen:
        return choose(self.request, Replan.WHEN_BROKEN, None, spec_changed=True, ask=self.ask)

    def fall(self, room: Room | None) -> Chosen:
        first = self.first()
        names = tuple(gpu.name for gpu in self.inventory.accelerators)
        ladder = Ladder(self.request, self.fallback, first.result, names)
        return descend(ladder, first, self.ask, room)


def planned(chosen: Chosen) -> Plan:
    assert isinstance(chosen.result, Plan)
    return chosen.result


def free_on(*names: str) -> Room:
    return lambda found: 8 if found.placement.accelerator in names else 0


BF16 = "quantization: bf16\nmaxModelLen: 32768\n"


def test_nothing_gives_way_while_the_first_choice_has_room() -> None:
    case = Case(BF16 + "fallback: {order: [pool, context, quantization]}")

    chosen = case.fall(lambda _: 1)

    assert chosen == case.first()
    assert chosen.lowered == ()


def test_a_full_pool_spills_over_to_the_next_best() -> None:
    case = Case(BF16 + "fallback: {order: [pool]}")
    best = planned(case.first()).placement.accelerator

    chosen = case.fall(free_on("H100-SXM-80GB"))

    assert best != "H100-SXM-80GB"
    assert planned(chosen).placement.accelerator == "H100-SXM-80GB"
    assert chosen.lowered == (f"spec.accelerators: H100-SXM-80GB instead of {best}",)
    assert chosen.verdict.reason is Reason.PLAN_LOWERED
    assert chosen.verdict.message.startswith(
        f"Lowered as spec.fallback allows: spec.accelerators: H100-SXM-80GB instead of {best}."
        " Too few GPUs are free for bf16 as tp1"
    )


def test_without_leave_to_spill_the_pool_is_kept() -> None:
    case = Case(BF16 + "fallback: {order: [quantization]}")

    chosen = case.fall(free_on("H100-SXM-80GB"))

    assert chosen == case.first()


def test_weights_give_way_step_by_step_in_the_order_that_is_given() -> None:
    given = "fallback: {order: [quantization], quantizations: [awq-int4, fp8]}"
    case = Case(BF16 + given, ("L40S-48GB", 8))

    chosen = case.fall(lambda found: int(found.quantization != "bf16"))

    assert planned(chosen).quantization == "awq-int4"
    assert chosen.lowered == ("spec.quantization: awq-int4 instead of bf16",)


def test_by_default_the_engines_own_formats_are_tried() -> None:
    case = Case(BF16 + "fallback: {order: [quantization]}", ("L40S-48GB", 8))

    chosen = case.fall(lambda found: int(found.quantization != "bf16"))

    assert planned(chosen).quantization == "fp8"


def test_what_is_named_first_gives_way_first_and_is_restored_for_the_next() -> None:
    one_gpu: Room = lambda found: int(found.layout.gpus_per_replica == 1)  # noqa: E731 - a table
    first_context = Case("fallback: {order: [context, quantization]}", ("L40S-48GB", 8))
    first_weights = Case("fallback: {order: [quantization, context]}", ("L40S-48GB", 8))

    by_context, by_weights = first_context.fall(one_gpu), first_weights.fall(one_gpu)

    assert by_context.lowered == (
        "spec.quantization: fp8 instead of bf16",
        "spec.maxModelLen: 20480 instead of 40960",
    )
    assert by_weights.lowered == ("spec.quantization: awq-int4 instead of bf16",)


@pytest.mark.parametrize(
    ("given", "lengths"),
    [
        ("order: [context]", [16384, 8192]),
        ("order: [context], minModelLen: 12000", [16384, 12000]),
        ("order: [context], minModelLen: 16384", [16384]),
        ("order: [context], minModelLen: 32768", []),
    ],
)
def test_the_context_is_halved_down_to_the_shortest_allowed(given: str, lengths: list[int]) -> None:
    case = Case(f"{BF16}fallback: {{{given}}}")
    first = case.first()

    ladder = Ladder(case.request, case.fallback, first.result, ())
    seen = [rung.plan.max_model_len for rung in ladder.rungs(case.ask)]

    assert seen == lengths


def test_what_does_not_fit_at_all_gives_way_without_asking_for_room() -> None:
    case = Case(BF16 + "fallback: {order: [quantization, context]}", ("L40S-48GB", 1))
    assert isinstance(case.first().result, NoPlan)

    chosen = case.fall(None)

    assert planned(chosen).quantization == "awq-int4"
    assert chosen.outcome is Outcome.PLANNED
    assert "30.8 GiB missing per GPU" in chosen.verdict.message
    assert "What would fit" not in chosen.verdict.message


def test_where_nothing_has_room_the_first_choice_is_waited_for() -> None:
    case = Case(BF16 + "fallback: {order: [pool, context, quantization]}")

    assert case.fall(lambda _: 0) == case.first()


def test_where_nothing_fits_and_nothing_has_room_the_first_that_fits_is_waited_for() -> None:
    case = Case(BF16 + "fallback: {order: [quantization, context]}", ("L40S-48GB", 1))

    assert planned(case.fall(lambda _: 0)).quantization == "awq-int4"


def test_room_for_all_replicas_comes_before_room_for_some() -> None:
    case = Case(BF16 + "replicas: 2\nfallback: {order: [pool]}")
    best = planned(case.first()).placement.accelerator

    some = case.fall(lambda found: int(found.placement.accelerator == best))
    other = case.fall(lambda found: 1 + int(found.placement.accelerator == "H100-SXM-80GB"))

    assert planned(some).placement.accelerator == best
    assert planned(other).placement.accelerator == "H100-SXM-80GB"


def test_leave_only_where_nothing_fits_ignores_what_is_free() -> None:
    busy = Case(BF16 + "fallback: {order: [pool], when: Infeasible}")

    assert busy.fall(lambda _: 0) == busy.first()


def test_the_number_of_questions_is_bounded() -> None:
    everything = (
        "{order: [pool, context, quantization], minModelLen: 64, quantizations:"
        " [fp8, fp8-static, int8, gptq-int8, awq-int4, gptq-int4]}"
    )
    case = Case(f"{BF16}fallback: {everything}")

    case.fall(lambda _: 0)

    assert case.asked <= 1 + 32 * 3


# -- what runs --------------------------------------------------------------------------------


def lowered_run(case: Case) -> dict[str, object]:
    chosen = case.fall(lambda found: int(found.quantization == "fp8"))
    assert chosen.lowered
    return status_document(planned(chosen))


def test_a_lowered_plan_that_runs_is_no_breach_of_the_specification() -> None:
    case = Case(BF16 + "fallback: {order: [quantization]}", ("L40S-48GB", 8))
    running = lowered_run(case)

    asked = question_for(case.request, case.fallback, running, starts_anew=False)
    kept = choose(asked, Replan.WHEN_BROKEN, running, spec_changed=False, ask=case.ask)

    assert kept.outcome is Outcome.KEPT
    assert planned(kept).quantization == "fp8"


def test_without_that_leave_it_is_planned_anew() -> None:
    case = Case(BF16 + "fallback: {order: [quantization]}", ("L40S-48GB", 8))
    running = lowered_run(case)

    now = choose(case.request, Replan.WHEN_BROKEN, running, spec_changed=True, ask=case.ask)

    assert now.outcome is Outcome.REPLANNED


def test_a_resource_that_replans_with_each_change_climbs_up_again() -> None:
    case = Case(BF16 + "fallback: {order: [quantization]}", ("L40S-48GB", 8))
    running = lowered_run(case)

    assert question_for(case.request, case.fallback, running, starts_anew=True) == case.request


@pytest.mark.parametrize(
    ("given", "running"),
    [
        ("order: [context]", {"quantization": "fp8", "maxModelLen": 32768}),
        ("order: [quantization], quantizations: [awq-int4]", {"quantization": "fp8"}),
        ("order: [context], minModelLen: 16384", {"quantization": "bf16", "maxModelLen": 8192}),
        ("order: [context]", {"quantization": "bf16", "maxModelLen": 65536}),
        ("order: [quantization]", {"quantization": "from another version"}),
    ],
)
def test_what_was_never_allowed_is_not_relaxed(given: str, running: dict[str, object]) -> None:
    case = Case(f"{BF16}fallback: {{{given}}}")

    assert question_for(case.request, case.fallback, running, starts_anew=False) == case.request


def test_a_kept_plan_goes_on_saying_what_gave_way_until_that_is_asked_for() -> None:
    case = Case(BF16 + "fallback: {order: [quantization, context]}", ("L40S-48GB", 8))
    fallen = case.fall(lambda found: int(found.quantization == "fp8"))
    kept = replace(fallen, outcome=Outcome.KEPT, lowered=())
    before = ("spec.quantization: fp8 instead of bf16", "spec.maxModelLen: 32768 instead of 65536")

    now = still_lowered(kept, before, replace(case.request, max_model_len=65536))
    later = still_lowered(kept, before, replace(case.request, quantization=Quantization.FP8))

    assert now.lowered == before
    assert now.verdict.reason is Reason.PLAN_LOWERED
    assert later.lowered == ()
    assert still_lowered(kept, (), case.request) == kept
