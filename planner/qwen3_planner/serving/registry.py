"""The engines by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.request import EngineName
from qwen3_planner.serving.llamacpp import LlamaCppServing
from qwen3_planner.serving.sglang import SglangServing
from qwen3_planner.serving.vllm import VllmServing

if TYPE_CHECKING:
    from qwen3_planner.serving.contract import Serving

_SERVINGS: dict[EngineName, Serving] = {
    EngineName.VLLM: VllmServing(),
    EngineName.SGLANG: SglangServing(),
    EngineName.LLAMACPP: LlamaCppServing(),
}


def serving_of(engine: EngineName) -> Serving:
    """Return how an engine serves; ``auto`` has been settled before."""
    return _SERVINGS[engine]


def known_engines() -> tuple[EngineName, ...]:
    """List the engines, the one that ``auto`` takes on GPUs first."""
    return tuple(_SERVINGS)
