"""The story: who can do it, who may, who fits; the best first, every other one with its reason."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING

from qwen3_planner.plan import NoPlan
from qwen3_planner.planning import plan
from qwen3_planner.question import DEFAULT_OUTPUT_TOKENS
from qwen3_planner.recommend.need import PROFILES, THINKING, mode_of, unfit_for
from qwen3_planner.recommend.policy import (
    CAUTION,
    Barred,
    allowed_catalog,
    barred,
    licence_of,
    without,
)
from qwen3_planner.recommend.quality import Key, ordered
from qwen3_planner.recommend.recommendation import Option, Recommendation, Rejected, Wish
from qwen3_planner.recommend.search import Searched, Terms, search
from qwen3_planner.recommend.telling import gives_up_of, reasons_of
from qwen3_planner.request import PlanRequest, Workload
from qwen3_planner.sizing.tensors import parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qwen3_planner.catalog.choosing import Choosing, Score
    from qwen3_planner.catalog.rows import Catalog, ModelArchitecture
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Change


def recommend(
    wish: Wish,
    inventory: Inventory,
    catalog: Catalog,
    choosing: Choosing,
    progress: Callable[[str], None] = lambda _: None,
) -> Recommendation:
    """Rank the variants for a need. Pure but for the progress it reports.

    Args:
        wish: what is wanted.
        inventory: the hardware there is.
        catalog: what is known of models, checkpoints and accelerators.
        choosing: scores, licences and export rules.
        progress: told each variant before it is planned.
    """
    keys, unsuited = _suited(wish, catalog)
    counts = {row.name: parameters(row) for row in catalog.models}
    placed = ordered(keys, choosing.scores, PROFILES[wish.needs[0]].benchmarks, counts)
    kept_away = barred(inventory.accelerators, choosing.export_rules, wish.policy)
    here = without(inventory, frozenset(one.accelerator for one in kept_away))
    usable = allowed_catalog(catalog, wish.policy, choosing.licences)
    options: list[Option] = []
    rejected: list[Rejected] = []
    for key, score in placed:
        progress(key[0])
        terms = _terms(wish, key[1])
        why = _not_allowed(key, wish, usable, here, kept_away)
        found = None if why else search(key[0], terms, here, usable)
        if found is not None and found.found is not None:
            options.append(_option(key, score, terms, found, catalog, choosing))
        else:
            rejected.append(replace(why or _rejected(key, terms, found, here, usable), score=score))
    best = _with_gaps(options, rejected)
    warnings = tuple(_warnings(wish, best, kept_away))
    return Recommendation(wish, best, tuple(rejected), unsuited, kept_away, warnings)


def _suited(wish: Wish, catalog: Catalog) -> tuple[list[Key], tuple[Rejected, ...]]:
    """Return who can do it, with the mode in which they answer, and why the others cannot."""
    thinks = PROFILES[wish.needs[0]].thinks if wish.thinks is None else wish.thinks
    keys, unsuited = [], []
    for model in catalog.models:
        reasons = [reason for need in wish.needs if (reason := unfit_for(model, need))]
        mode = mode_of(model, thinks=thinks)
        if reasons:
            unsuited.append(Rejected(model.name, "NotForTheNeed", f"{model.name} {reasons[0]}."))
        elif mode is None:
            message = f"{model.name} thinks before every answer."
            unsuited.append(Rejected(model.name, "AlwaysThinks", message, "--thinking on"))
        else:
            keys.append((model.name, mode))
    return keys, tuple(unsuited)


def _terms(wish: Wish, mode: str) -> Terms:
    profiles = [PROFILES[need] for need in wish.needs]
    contexts = [profile.context for profile in profiles if profile.context is not None]
    limits = [profile.tpot_ms for profile in profiles if profile.tpot_ms is not None]
    context = wish.context if wish.context is not None else max(contexts, default=None)
    output = wish.output_tokens
    if mode == THINKING and wish.thinking_tokens:
        output = (DEFAULT_OUTPUT_TOKENS if output is None else output) + wish.thinking_tokens
    return Terms(
        wish=wish,
        context=context,
        ttft_ms=wish.ttft_ms,
        tpot_ms=wish.tpot_ms if wish.tpot_ms is not None else min(limits, default=None),
        output_tokens=output,
    )


def _not_allowed(
    key: Key, wish: Wish, usable: Catalog, here: Inventory, kept_away: tuple[Barred, ...]
) -> Rejected | None:
    variant = key[0]
    if not here.groups:
        first = kept_away[0]
        message = (
            f"No accelerator is left in {wish.policy.region}: {first.rule.name}"
            f" ({first.rule.status}; {first.accelerator} {first.why})."
        )
        return Rejected(variant, "ExportBarred", message, f"--export-licence {first.accelerator}")
    if not usable.checkpoints_of(variant):
        message = f"No known checkpoint of {variant} meets the policy on sources and licences."
        return Rejected(variant, "CheckpointNotAllowed", message)
    return None


def _rejected(
    key: Key, terms: Terms, found: Searched | None, here: Inventory, usable: Catalog
) -> Rejected:
    """Say what stands against a variant that may be used: time, money, knowledge or memory."""
    variant = key[0]
    if found is not None and found.cheapest is not None:
        usd = ceil(100.0 * (found.cheapest.usd_per_hour or 0.0)) / 100.0
        cheapest = found.cheapest.plan
        message = (
            f"The cheapest that does it costs ${usd:.2f} an hour: {cheapest.quantization}"
            f" on {cheapest.gpus} x {cheapest.placement.accelerator}."
        )
        return Rejected(variant, "OverBudget", message, f"--budget-usd-per-hour {usd:.2f}")
    if found is not None and found.fastest is not None:
        return Rejected(variant, "TooSlow", _too_slow(terms, found))
    if found is not None and found.is_unpriced:
        message = "It fits, but no price of the hardware is known to hold against the budget."
        return Rejected(variant, "PriceUnknown", message, "--usd-per-gpu-hour")
    if found is not None and found.is_untimed:
        message = "It fits, but its speed there cannot be predicted: the limits cannot be judged."
        return Rejected(variant, "SpeedUnknown", message)
    return _does_not_fit(variant, terms, here, usable)


def _too_slow(terms: Terms, found: Searched) -> str:
    fastest = found.fastest
    assert fastest is not None  # noqa: S101 - asked only where there is one
    speed = fastest.plan.performance
    first = speed or fastest.plan.reading
    missed = []
    if first is not None and terms.ttft_ms is not None and first.ttft_ms > terms.ttft_ms:
        what = "first token" if speed is not None else "answer"
        missed.append(f"{what} after {first.ttft_ms:g} ms where {terms.ttft_ms:g} are wanted")
    if speed is not None and terms.tpot_ms is not None and speed.tpot_ms > terms.tpot_ms:
        missed.append(f"{speed.tpot_ms:g} ms a token where {terms.tpot_ms:g} are wanted")
    shape = f"{fastest.plan.quantization} on {fastest.plan.gpus} x"
    usd = fastest.usd_per_hour
    price = "" if usd is None else f", ${usd:.2f} an hour"
    return f"At best {' and '.join(missed)}: {shape} {fastest.plan.placement.accelerator}{price}."


def _does_not_fit(variant: str, terms: Terms, here: Inventory, usable: Catalog) -> Rejected:
    wish = terms.wish
    load = Workload(wish.users, wish.input_tokens, terms.output_tokens)
    request = PlanRequest(variant, max_model_len=terms.context, workload=load)
    answer = plan(request, here, usable)
    if not isinstance(answer, NoPlan):
        # fits alone, but not with the replicas, GPUs or formats that were tried
        return Rejected(variant, "DoesNotFit", f"{variant} does not hold the load as wanted.")
    fix = "" if answer.nearest is None else _fix(variant, answer.nearest.change)
    message = (
        answer.refusals[0].message if answer.refusals else f"No format of {variant} fits there."
    )
    return Rejected(variant, "DoesNotFit", message, fix)


def _fix(variant: str, change: Change) -> str:
    """Say a change as an option of this command, or as the command that takes it."""
    if [name for name, _ in change.assignments] == ["hardware"]:
        return str(change)
    return f"qwen3 plan {variant} {change}"


def _option(  # noqa: PLR0913, PLR0917 - what an option tells
    key: Key,
    score: Score | None,
    terms: Terms,
    searched: Searched,
    catalog: Catalog,
    choosing: Choosing,
) -> Option:
    found = searched.found
    assert found is not None  # noqa: S101 - asked only where there is one
    variant, mode = key
    model: ModelArchitecture = catalog.model(variant)
    licence = licence_of(found.plan.source, choosing.licences)
    benchmark = PROFILES[terms.wish.needs[0]].benchmarks[0]
    return Option(
        variant=variant,
        mode=mode,
        plan=found.plan,
        score=score,
        rate=found.rate,
        usd_per_hour=found.usd_per_hour,
        licence=licence,
        reasons=tuple(reasons_of(found, score, benchmark)),
        gives_up=tuple(gives_up_of(found, model, terms, licence)),
    )


def _with_gaps(options: list[Option], rejected: list[Rejected]) -> tuple[Option, ...]:
    """Add to the best option what a better variant that was rejected would have scored."""
    if not options or options[0].score is None:
        return tuple(options)
    best = options[0]
    mine = options[0].score
    assert mine is not None  # noqa: S101 - checked above
    better = [
        other
        for other in rejected
        if other.score is not None
        and other.score.benchmark == mine.benchmark
        and other.score.score > mine.score
    ]
    if not better:
        return tuple(options)
    first = better[0]
    assert first.score is not None  # noqa: S101 - checked above
    gap = (
        f"{first.score.score - mine.score:.1f} points of {mine.benchmark} to {first.variant}:"
        f" {first.rule}"
    )
    return (replace(best, gives_up=(*best.gives_up, gap)), *options[1:])


def _warnings(
    wish: Wish, options: tuple[Option, ...], kept_away: tuple[Barred, ...]
) -> Iterator[str]:
    thinkers = [option.variant for option in options if option.mode == THINKING]
    if thinkers and not wish.thinking_tokens:
        yield (
            "What is thought before an answer is not counted: --thinking-tokens says how much"
            f" ({', '.join(thinkers[:3])}{', …' if len(thinkers) > MOST_NAMED else ''})."
        )
    unscored = [option.variant for option in options if option.score is None]
    if unscored:
        yield (
            f"No published score orders {', '.join(unscored[:3])}"
            f"{', …' if len(unscored) > MOST_NAMED else ''}: they stand last, the largest first."
        )
    if wish.policy.region:
        known = "" if kept_away else f" None is known here for {wish.policy.region}."
        yield f"{CAUTION}{known}"


MOST_NAMED = 3
