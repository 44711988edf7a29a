"""Planning one question under two versions, the second time with the first answer held fixed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.candidates import pools_of
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.planning import plan
from qwen3_planner.question import understand
from qwen3_planner.request import ParallelismWish, Quantization
from qwen3_planner.solving import solve
from qwen3_planner.upgrading.figures import figures_of
from qwen3_planner.upgrading.flags import flags_gone, words_that_differ
from qwen3_planner.upgrading.legality import legality_of
from qwen3_planner.upgrading.turns import turns_between
from qwen3_planner.upgrading.values import Upgrade

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import PlanResult
    from qwen3_planner.question import Question
    from qwen3_planner.request import PlanRequest
    from qwen3_planner.serving.verdicts import Fit
    from qwen3_planner.upgrading.values import FlagGone, Turn


@dataclass(frozen=True, slots=True)
class Side:
    """One question under one version.

    Attributes:
        question: what was planned.
        answer: of the planner.
        fit: the winner; None where nothing fits.
    """

    question: Question
    answer: PlanResult
    fit: Fit | None


def check_upgrade(
    request: PlanRequest,
    inventory: Inventory,
    catalog: Catalog,
    *,
    versions: tuple[str, str],
    extra_args: tuple[str, ...] = (),
) -> Upgrade:
    """Say what changes when the engine of a plan is upgraded. Pure.

    Args:
        request: what is asked; its own engine version is left aside.
        inventory: the hardware the plan may use.
        catalog: the models, checkpoints, accelerators and engines that are known.
        versions: from which, to which, as typed.
        extra_args: arguments that are added to the command of the plan.

    Raises:
        SpecError: a version is none of this engine's, or the request itself is wrong.
    """
    old, new = versions
    before = _side(_at(request, old, "--from"), inventory, catalog)
    held = _held(request, before)
    after = _side(_at(held, new, "--to"), inventory, catalog)
    engine = before.question.engine
    target = parse_version(new)
    rendered = before.answer.command if isinstance(before.answer, Plan) else ()
    flags = (
        *flags_gone(engine, rendered, target, "command"),
        *flags_gone(engine, extra_args, target, "extraArgs"),
    )
    found = Upgrade(
        engine=engine.value,
        from_version=str(before.question.version),
        to_version=str(after.question.version),
        before=before.answer,
        after=after.answer,
        breaks=_breaks(before, after, flags),
        flags=flags,
        turns=_turns(before, after, inventory),
    )
    if before.fit is None or after.fit is None:
        return replace(found, legality=legality_of(before, after, inventory))
    return _compared(found, before, after, inventory)


def _at(request: PlanRequest, typed: str, option: str) -> PlanRequest:
    try:
        parse_version(typed)
    except SpecError as error:
        raise SpecError(option, typed, error.reason) from None
    return replace(request, engine_version=typed)


def _side(request: PlanRequest, inventory: Inventory, catalog: Catalog) -> Side:
    question = understand(request, inventory, catalog)
    best = solve(question, inventory).best
    return Side(question, plan(request, inventory, catalog), None if best is None else best.fit)


def _held(request: PlanRequest, before: Side) -> PlanRequest:
    """Fix what the first plan chose: weights, layout, context, accelerator and engine."""
    chosen = before.answer
    if isinstance(chosen, NoPlan):
        return replace(request, engine=before.question.engine)
    layout = chosen.layout
    return replace(
        request,
        engine=before.question.engine,
        quantization=Quantization(chosen.quantization),
        parallelism=ParallelismWish(layout.tensor, layout.pipeline, layout.data, layout.expert),
        max_model_len=chosen.max_model_len,
        accelerators=(chosen.placement.accelerator,),
    )


def _breaks(before: Side, after: Side, flags: tuple[FlagGone, ...]) -> tuple[str, ...]:
    """Say what stands against the upgrade."""
    found = []
    if isinstance(after.answer, NoPlan):
        first = after.answer.refusals[0] if after.answer.refusals else None
        why = first.message if first else "Nothing fits."
        had = "no longer holds the plan" if before.fit is not None else "has no plan either"
        found.append(f"{after.question.engine.value} {after.question.version} {had}: {why}")
    for flag in flags:
        if flag.where == "extraArgs":
            since = f" since {flag.since}" if flag.since else ""
            instead = f"; write {flag.instead}" if flag.instead else ""
            found.append(f"extraArgs use {flag.flag}, which is gone{since}{instead}.")
    return tuple(found)


def _turns(before: Side, after: Side, inventory: Inventory) -> tuple[Turn, ...]:
    """Ask on the plan's own hardware, or on the first there is."""
    question, to = before.question, after.question.version
    if before.fit is not None:
        candidate = before.fit.candidate
        return turns_between(question, to, candidate.choice, candidate.pool)
    pools = pools_of(inventory, question.request.accelerators)
    if not pools or not question.choices:
        return ()
    return turns_between(question, to, question.choices[0], pools[0])


def _compared(found: Upgrade, before: Side, after: Side, inventory: Inventory) -> Upgrade:
    old, new = before.answer, after.answer
    if not (isinstance(old, Plan) and isinstance(new, Plan)):
        raise TypeError("both sides have a winner, so both have a plan")
    removed, added = words_that_differ(old.command, new.command)
    return replace(
        found,
        figures=figures_of(before, after),
        legality=legality_of(before, after, inventory),
        words_removed=removed,
        words_added=added,
        env_before=old.env,
        env_after=new.env,
    )
