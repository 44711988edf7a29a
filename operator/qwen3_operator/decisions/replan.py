"""Whether the running plan stays.

A plan stays while it still holds: a running model is never moved because a better plan appeared,
a node came or the operator was upgraded. It holds when the planner, asked for exactly that plan,
still gives it for the specification and the hardware of today.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from qwen3_operator.decisions.feasibility import explain_no_plan, say_plan
from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.v1alpha1 import Replan
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.plan import NoPlan, Plan, Refusal
from qwen3_planner.request import (
    EngineName,
    KvCacheDtype,
    Objective,
    ParallelismWish,
    Quantization,
    Targets,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from qwen3_planner.plan import PlanResult
    from qwen3_planner.request import PlanRequest


class Outcome(StrEnum):
    """What becomes of the plan."""

    PLANNED = "planned"
    """There was none; this is the first."""

    KEPT = "kept"
    """The one in status.plan stays."""

    REPLANNED = "replanned"
    """The one in status.plan no longer holds, or the specification changed; this replaces it."""

    INFEASIBLE = "infeasible"
    """Nothing fits. What runs stays as it is."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The plan to go by.

    Attributes:
        outcome: what became of the earlier plan.
        result: the plan; with INFEASIBLE the refusals.
        verdict: for the condition PlanFeasible.
        lowered: what gave way in the plan, as spec.fallback allows.
    """

    outcome: Outcome
    result: PlanResult
    verdict: Verdict
    lowered: tuple[str, ...] = ()


def choose(  # noqa: PLR0913 - everything a plan depends on
    request: PlanRequest,
    policy: Replan,
    running: Mapping[str, Any] | None,
    *,
    spec_changed: bool,
    ask: Callable[[PlanRequest], PlanResult],
    no_hardware: Verdict | None = None,
) -> Chosen:
    """Choose between the plan that runs and a new one.

    Args:
        request: the resource as a question, replicas on one node each.
        policy: ``spec.replan``.
        running: ``status.plan`` if it is a feasible plan; None where there is none yet.
        spec_changed: whether the specification changed since ``running`` was made.
        ask: the planner on the cluster's hardware; asked at most twice.
        no_hardware: why the cluster has no GPU for these pods; None where it has.
    """
    fresh = ask(request)
    if running is None:
        return _decided(Outcome.PLANNED, fresh, no_hardware)
    if isinstance(fresh, Plan) and identity_of(fresh) == identity_in(running):
        return _decided(Outcome.KEPT, fresh)
    if policy is Replan.ON_SPEC_CHANGE and spec_changed:
        return _decided(Outcome.REPLANNED, fresh, no_hardware)
    conflicts = conflicts_with(request, running)
    kept = None if conflicts else ask(pinned_to(request, running))
    if isinstance(kept, Plan) and identity_of(kept) == identity_in(running):
        return Chosen(Outcome.KEPT, kept, _kept_although(kept, fresh))
    if policy is Replan.NEVER:
        return _stuck(request, running, conflicts, kept)
    return _decided(Outcome.REPLANNED, fresh, no_hardware)


def _decided(outcome: Outcome, result: PlanResult, no_hardware: Verdict | None = None) -> Chosen:
    if isinstance(result, NoPlan):
        return Chosen(Outcome.INFEASIBLE, result, no_hardware or explain_no_plan(result))
    return Chosen(outcome, result, Verdict(Reason.PLAN_COMPUTED, f"Planned: {say_plan(result)}."))


def _kept_although(kept: Plan, fresh: PlanResult) -> Verdict:
    message = f"The plan made earlier still holds and stays: {say_plan(kept)}."
    if isinstance(fresh, Plan):
        message += f" Planned anew it would be {say_plan(fresh)}."
    return Verdict(Reason.PLAN_KEPT, message)


def _stuck(
    request: PlanRequest,
    running: Mapping[str, Any],
    conflicts: list[str],
    kept: PlanResult | None,
) -> Chosen:
    """With ``replan: Never`` a plan that no longer holds is not replaced."""
    if isinstance(kept, NoPlan):
        verdict = explain_no_plan(kept)
        why = verdict.message
        reason, result = verdict.reason, kept
    else:
        why = "the specification now says otherwise: " + ", ".join(conflicts or ["the checkpoint"])
        reason = Reason.NO_FEASIBLE_PLAN
        model = running["model"]
        refusal = Refusal(reason.value, f"spec.replan is Never, and {why}", running["quantization"])
        result = NoPlan(request.model, model["parameters"], model["source"], (refusal,))
    message = f"The plan made earlier no longer holds and spec.replan is Never: {why}"
    return Chosen(Outcome.INFEASIBLE, result, Verdict(reason, message))


def identity_of(plan: Plan) -> tuple[object, ...]:
    """Return what makes a plan the same plan: everything that moves weights or pods."""
    layout = plan.layout
    return (
        plan.variant,
        plan.source,
        plan.engine,
        plan.engine_version,
        plan.quantization,
        plan.kv_cache_dtype,
        plan.max_model_len,
        (layout.tensor, layout.pipeline, layout.data, layout.expert, layout.nodes_per_replica),
        plan.placement.accelerator,
    )


def identity_in(document: Mapping[str, Any]) -> tuple[object, ...] | None:
    """Return the same of a plan document; None if it is not one that this version reads."""
    try:
        layout = document["layout"]
        return (
            document["model"]["variant"],
            document["model"]["source"],
            document["engine"]["name"],
            document["engine"]["version"],
            document["quantization"],
            document["kvCacheDtype"],
            document["maxModelLen"],
            tuple(layout[n] for n in ("tensor", "pipeline", "data", "expert", "nodesPerReplica")),
            document["placement"]["accelerator"],
        )
    except (KeyError, TypeError):
        return None


def conflicts_with(request: PlanRequest, running: Mapping[str, Any]) -> list[str]:
    """Name the fields in which the specification rules the running plan out."""
    if not _is_readable(running):
        return ["a plan that this version cannot read"]
    layout, engine, wish = running["layout"], running["engine"], request.parallelism
    accelerator = running["placement"]["accelerator"]
    checks = (
        ("spec.model.variant", request.model, running["model"]["variant"]),
        ("spec.model.source", request.source, running["model"]["source"]),
        ("spec.engine.name", _unless(request.engine, EngineName.AUTO), engine["name"]),
        ("spec.engine.version", _release(request.engine_version), engine["version"]),
        (
            "spec.quantization",
            _unless(request.quantization, Quantization.AUTO),
            running["quantization"],
        ),
        (
            "spec.kvCacheDtype",
            _unless(request.kv_cache_dtype, KvCacheDtype.AUTO),
            running["kvCacheDtype"],
        ),
        ("spec.maxModelLen", request.max_model_len, running["maxModelLen"]),
        ("spec.parallelism.tensor", wish.tensor, layout["tensor"]),
        ("spec.parallelism.pipeline", wish.pipeline, layout["pipeline"]),
        ("spec.parallelism.data", wish.data, layout["data"]),
        ("spec.parallelism.expert", wish.expert, layout["expert"]),
    )
    found = [
        f"{field}: {wanted} (running: {has})"
        for field, wanted, has in checks
        if wanted is not None and wanted != has
    ]
    if request.accelerators and accelerator not in request.accelerators:
        found.append(f"spec.accelerators: {list(request.accelerators)} (running: {accelerator})")
    return found


def _is_readable(running: Mapping[str, Any]) -> bool:
    """Whether this version can ask for such a plan; another one may have written it."""
    return (
        identity_in(running) is not None
        and running["quantization"] in list(Quantization)
        and running["engine"]["name"] in list(EngineName)
    )


def _unless(value: str, auto: str) -> str | None:
    return None if value == auto else str(value)


def _release(typed: str | None) -> str | None:
    """Write a version as plans do: ``0.32`` is ``0.32.0``."""
    return None if typed is None else str(parse_version(typed))


def pinned_to(request: PlanRequest, running: Mapping[str, Any]) -> PlanRequest:
    """Ask for exactly the running plan; what the specification fixes otherwise stays asked for.

    The dtype of the KV cache stays as it was asked: it follows from checkpoint and version, and
    naming it would put a flag on the command line.
    """
    layout = running["layout"]
    return replace(
        request,
        engine=EngineName(running["engine"]["name"]),
        engine_version=running["engine"]["version"],
        quantization=Quantization(running["quantization"]),
        parallelism=ParallelismWish(
            tensor=layout["tensor"],
            pipeline=layout["pipeline"],
            data=layout["data"],
            expert=layout["expert"],
        ),
        max_model_len=running["maxModelLen"],
        accelerators=(running["placement"]["accelerator"],),
        targets=Targets(),  # predictions of another release move no model that runs
        objective=Objective.COST,
    )
