"""The rules of each engine in the order they are asked; the first that says no is the answer."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from qwen3_planner.request import EngineName
from qwen3_planner.rules.llamacpp import LLAMACPP_CAUTIONS, LLAMACPP_CHAIN, LLAMACPP_POOL_CHAIN
from qwen3_planner.rules.rule import FIRST, first_no, in_force, sentences
from qwen3_planner.rules.sglang import SGLANG_CAUTIONS, SGLANG_CHAIN, SGLANG_POOL_CHAIN
from qwen3_planner.rules.vllm import VLLM_POOL_CHAIN
from qwen3_planner.rules.vllm_layouts import VLLM_CAUTIONS, VLLM_CHAIN

if TYPE_CHECKING:
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.plan import Refusal
    from qwen3_planner.rules.facts import LayoutFacts, PoolFacts
    from qwen3_planner.rules.rule import Rule

POOL_CHAINS: Final[dict[EngineName, tuple[Rule[PoolFacts], ...]]] = {
    EngineName.VLLM: VLLM_POOL_CHAIN,
    EngineName.SGLANG: SGLANG_POOL_CHAIN,
    EngineName.LLAMACPP: LLAMACPP_POOL_CHAIN,
}
"""What must hold for a weight format on a pool, whatever the layout."""

LAYOUT_CHAINS: Final[dict[EngineName, tuple[Rule[LayoutFacts], ...]]] = {
    EngineName.VLLM: VLLM_CHAIN,
    EngineName.SGLANG: SGLANG_CHAIN,
    EngineName.LLAMACPP: LLAMACPP_CHAIN,
}
"""What must hold for a layout."""

CAUTION_CHAINS: Final[dict[EngineName, tuple[Rule[LayoutFacts], ...]]] = {
    EngineName.VLLM: VLLM_CAUTIONS,
    EngineName.SGLANG: SGLANG_CAUTIONS,
    EngineName.LLAMACPP: LLAMACPP_CAUTIONS,
}
"""What should be known of a layout that is legal: all that apply are told, as warnings."""


@lru_cache(maxsize=256)
def _pool_rules(engine: EngineName, version: Version) -> tuple[Rule[PoolFacts], ...]:
    return in_force(POOL_CHAINS[engine], version)


@lru_cache(maxsize=256)
def _layout_rules(engine: EngineName, version: Version) -> tuple[Rule[LayoutFacts], ...]:
    """Choose once what thousands of layouts are asked."""
    return in_force(LAYOUT_CHAINS[engine], version)


def pool_refusal(facts: PoolFacts) -> Refusal | None:
    """Return the first no of the pool's chain."""
    return first_no(_pool_rules(facts.engine, facts.version), facts)


def layout_refusal(facts: LayoutFacts) -> Refusal | None:
    """Return the first no of the layout's chain."""
    return first_no(_layout_rules(facts.pool.engine, facts.pool.version), facts)


def cautions(facts: LayoutFacts) -> tuple[str, ...]:
    """Return what should be known of a legal layout."""
    return sentences(CAUTION_CHAINS[facts.pool.engine], facts)


@lru_cache(maxsize=8)
def turning_points(engine: EngineName) -> tuple[Version, ...]:
    """List the versions at which a rule of an engine begins, changes or ends, oldest first."""
    chains = (POOL_CHAINS[engine], LAYOUT_CHAINS[engine])
    points = {point for chain in chains for rule in chain for point in rule.turning_points()}
    return tuple(sorted(points - {FIRST}))
