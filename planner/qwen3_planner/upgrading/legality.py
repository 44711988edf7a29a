"""Layouts under two versions: which are gained, which are lost, and by which rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.candidates import pools_of
from qwen3_planner.request import ParallelismWish
from qwen3_planner.rules.chains import layout_refusal, pool_refusal
from qwen3_planner.rules.facts import LayoutFacts
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.solving import candidates_of, pool_facts
from qwen3_planner.upgrading.values import Gone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Layout, Refusal
    from qwen3_planner.question import Question
    from qwen3_planner.upgrading.checking import Side


def legality_of(before: Side, after: Side, inventory: Inventory) -> Gone:
    """Compare what is legal: every layout of the hardware in the weight format of the plan."""
    old, new = _judged(before.question, inventory), _judged(after.question, inventory)
    gained = sorted(layout for layout in _legal(new) if layout not in _legal(old))
    lost = sorted(layout for layout in _legal(old) if layout not in _legal(new))
    return Gone(
        layouts_lost=tuple(lost),
        layouts_gained=tuple(gained),
        rules_lost=_rules(old, gained),
        rules_gained=_rules(new, lost),
    )


def _judged(question: Question, inventory: Inventory) -> dict[Layout, Refusal | None]:
    """Judge the layouts of the first format, with the sizes left free; None: legal somewhere."""
    if not question.choices:
        return {}
    wish = ParallelismWish(data=question.request.parallelism.data)
    free = replace(question, request=replace(question.request, parallelism=wish))
    choice = free.choices[0]
    found: dict[Layout, Refusal | None] = {}
    for pool in pools_of(inventory, question.request.accelerators):
        setting = serving_of(question.engine).setting(free, pool)
        facts = pool_facts(free, pool, choice, setting)
        of_pool = pool_refusal(facts)
        for candidate in candidates_of(free, pool, choice):
            layout = candidate.layout
            refusal = of_pool or layout_refusal(LayoutFacts(facts, layout))
            if found.get(layout, refusal) is not None or refusal is None:
                found[layout] = refusal
    return found


def _legal(judged: Mapping[Layout, Refusal | None]) -> set[Layout]:
    return {layout for layout, refusal in judged.items() if refusal is None}


def _rules(judged: Mapping[Layout, Refusal | None], layouts: Iterable[Layout]) -> tuple[str, ...]:
    """Say each rule that refuses some of the layouts once, as it refuses the first of them."""
    refusals = (judged.get(layout) for layout in layouts)
    said: dict[str, str] = {}
    for refusal in refusals:
        if refusal is not None:
            said.setdefault(refusal.rule, f"{refusal.rule}: {refusal.message}")
    return tuple(said.values())
