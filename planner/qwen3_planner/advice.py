"""What the user should know about a plan that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.versions import parse_version
from qwen3_planner.rules.chains import cautions
from qwen3_planner.rules.facts import LayoutFacts
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.solving import pool_facts
from qwen3_planner.speed import server_of
from qwen3_planner.targeting import prediction_of, told
from qwen3_planner.units import format_gib

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.question import Question
    from qwen3_planner.serving.verdicts import Fit


def warnings_of(question: Question, fit: Fit, inventory: Inventory) -> tuple[str, ...]:
    """Collect the warnings of one plan, most important first."""
    return (
        *_about_certainty(fit),
        *_about_context(question, fit),
        *fit.candidate.choice.warnings,
        *serving_of(question.engine).warnings(question, fit),
        *_about_layout(question, fit),
        *_about_version(question),
        *_about_replicas(question, fit),
        *_about_idle_gpus(question, fit, inventory),
        *_about_measurements(question, fit),
    )


def _about_certainty(fit: Fit) -> Iterator[str]:
    if not fit.is_narrow:
        return
    block = min(fit.stages, key=lambda stage: stage.blocks).block
    spare = fit.blocks - fit.needed_blocks
    margin, short = fit.margin_blocks * block, (fit.margin_blocks - spare) * block
    yield (
        f"It fits narrowly and the engine may refuse to start: {format_gib(spare * block)} of KV"
        f" cache per GPU are spare, the estimate may be off by {format_gib(margin)}. A load or"
        f" --max-model-len that needs {format_gib(short)} less would surely fit."
    )


def _about_context(question: Question, fit: Fit) -> Iterator[str]:
    if fit.is_shortened:
        yield (
            f"The context is {fit.max_model_len} tokens, the longest that fits;"
            f" {question.model.name} has {question.wanted_context}."
        )


def _about_measurements(question: Question, fit: Fit) -> Iterator[str]:
    """Tell where a calibration is given and says nothing of this plan."""
    if not question.calibration:
        return
    from qwen3_planner.corrections.provenance import unheard  # noqa: PLC0415 - only where calibrated
    from qwen3_planner.corrections.subjects import subject_of  # noqa: PLC0415 - as above

    subject = subject_of(question, fit.candidate, fit.setting.batch)
    yield from unheard(question.calibration, subject, fit.correction)


def _about_layout(question: Question, fit: Fit) -> tuple[str, ...]:
    candidate = fit.candidate
    facts = pool_facts(question, candidate.pool, candidate.choice, fit.setting)
    return cautions(LayoutFacts(facts, candidate.layout))


def _about_version(question: Question) -> Iterator[str]:
    newest = parse_version(question.release.newest_known_version)
    if question.version > newest:
        yield (
            f"{question.release.name} {question.version} is newer than {newest}, the newest whose"
            " rules are known; those are applied."
        )


def _about_replicas(question: Question, fit: Fit) -> Iterator[str]:
    """Say what each of several replicas does, where it is asked of all of them together."""
    targets, replicas = question.request.targets, question.request.replicas
    tokens, requests = targets.output_tokens_per_second, targets.requests_per_second
    if replicas == 1 or (tokens is None and requests is None):
        return
    server = server_of(question, fit, question.efficiencies)
    said = None if server is None else prediction_of(question, server, replicas)
    if said is None:
        return
    if requests is not None:
        yield (
            f"{requests:g} requests/s are shared by {replicas} replicas, {requests / replicas:.3g}"
            " for each."
        )
    if tokens is not None:
        each = told(said.output_tokens_per_s.value)
        yield (
            f"{replicas} replicas generate {replicas * each:g} output tokens/s together, {each:g}"
            f" each; {tokens:g} are asked for."
        )


def _about_idle_gpus(question: Question, fit: Fit, inventory: Inventory) -> Iterator[str]:
    used = fit.candidate.layout.gpus_per_replica * question.request.replicas
    idle = []
    for accelerator in inventory.accelerators:
        total = sum(g.accelerators_per_node * g.count for g in inventory.pool(accelerator))
        free = total - (used if accelerator == fit.candidate.pool.accelerator else 0)
        if free > 0:
            idle.append(f"{free} of {total} {accelerator.name}")
    if idle:
        yield f"Not used by this plan: {', '.join(idle)}."
