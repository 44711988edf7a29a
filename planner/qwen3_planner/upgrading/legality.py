"""Layouts and rules under two versions: what is gained, what is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.candidates import pools_of
from qwen3_planner.request import ParallelismWish
from qwen3_planner.rules.chains import LAYOUT_CHAINS, POOL_CHAINS, layout_refusal, pool_refusal
from qwen3_planner.rules.facts import LayoutFacts
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.solving import candidates_of, pool_facts
from qwen3_planner.upgrading.values import Gone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.engines.versions import Version
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Layout
    from qwen3_planner.question import Question
    from qwen3_planner.rules.rule import F, Rule
    from qwen3_planner.upgrading.checking import Side


def legality_of(before: Side, after: Side, inventory: Inventory) -> Gone:
    """Compare what is legal: every layout of the hardware in the weight format of the plan."""
    old, new = _legal(before.question, inventory), _legal(after.question, inventory)
    return Gone(
        layouts_lost=tuple(sorted(old - new)),
        layouts_gained=tuple(sorted(new - old)),
        rules_lost=tuple(_rules(before.question, after.question)),
        rules_gained=tuple(_rules(after.question, before.question)),
    )


def _legal(question: Question, inventory: Inventory) -> set[Layout]:
    """List the layouts that the rules allow in the first format, with the sizes left free."""
    if not question.choices:
        return set()
    wish = ParallelismWish(data=question.request.parallelism.data)
    free = replace(question, request=replace(question.request, parallelism=wish))
    choice = free.choices[0]
    found: set[Layout] = set()
    for pool in pools_of(inventory, question.request.accelerators):
        setting = serving_of(question.engine).setting(free, pool)
        facts = pool_facts(free, pool, choice, setting)
        if pool_refusal(facts) is not None:
            continue
        layouts = (candidate.layout for candidate in candidates_of(free, pool, choice))
        found |= {one for one in layouts if layout_refusal(LayoutFacts(facts, one)) is None}
    return found


def _rules(here: Question, there: Question) -> Iterator[str]:
    """Name the rules that hold for one version and not for the other."""
    yield from _only_here(POOL_CHAINS[here.engine], here.version, there.version)
    yield from _only_here(LAYOUT_CHAINS[here.engine], here.version, there.version)


def _only_here(chain: Sequence[Rule[F]], here: Version, there: Version) -> Iterator[str]:
    for rule in chain:
        if rule.is_in_force(here) and not rule.is_in_force(there):
            yield f"{rule.name}: {rule.said}"
