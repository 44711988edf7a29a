"""Which of vLLM's two model runners starts a model, by version and class of model.

Source: ``vllm/config/vllm.py`` use_v2_model_runner of each release. Where Triton is missing the
first runner is taken everywhere; no GPU image lacks it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from qwen3_planner.engines.versions import Ruling, Version, ruling_at


class Runner(StrEnum):
    """vLLM's model runners; they differ in what start-up profiling sees."""

    V1 = "v1"
    V2 = "v2"


class Trait(StrEnum):
    """What of a model or of its tuning keeps a version from taking the second runner."""

    MOE = "mixture of experts"
    QUANTIZED = "quantized weights"
    VISION = "image encoder"
    POOLING = "pooling model"
    HYBRID = "linear attention layers"
    DRAFT = "draft model"


_EVERYTHING: Final = frozenset(Trait)

FIRST_RUNNER_FOR: Final[tuple[Ruling[frozenset[Trait] | None], ...]] = (
    Ruling(
        None,
        Version(0, 0),
        "PyPI vllm 0.21.0 vllm/envs.py VLLM_USE_V2_MODEL_RUNNER (off unless asked for)",
        "A",
    ),
    Ruling(
        _EVERYTHING,
        Version(0, 22),
        "PyPI vllm 0.22.0 vllm/config/vllm.py _is_default_v2_model_runner_model:"
        " Qwen3ForCausalLM that generates, not quantized",
        "A",
    ),
    Ruling(
        _EVERYTHING - {Trait.QUANTIZED},
        Version(0, 24),
        "PyPI vllm 0.24.0 vllm/config/vllm.py DEFAULT_V2_MODEL_RUNNER_ARCHITECTURES:"
        " Qwen3ForCausalLM, quantized or not",
        "A",
    ),
    Ruling(
        frozenset((Trait.MOE, Trait.POOLING, Trait.HYBRID, Trait.DRAFT)),
        Version(0, 25),
        "PyPI vllm 0.25.0 vllm/config/vllm.py _is_default_v2_model_runner_model: whatever"
        " generates and has neither experts nor states",
        "A",
    ),
    Ruling(
        frozenset((Trait.DRAFT,)),
        Version(0, 29),
        "PyPI vllm 0.29.0 vllm/config/vllm.py use_v2_model_runner: all but unsupported features,"
        " of which a draft model is one",
        "A",
    ),
    Ruling(
        frozenset[Trait](),
        Version(0, 30),
        "PyPI vllm 0.30.0 vllm/config/vllm.py _get_v2_model_runner_unsupported_features: a draft"
        " model is no longer among them",
        "A",
    ),
)
"""Traits that leave a model on the first runner; None: every model is left there."""


def runner_at(version: Version, traits: frozenset[Trait]) -> Runner:
    """Return the runner that a version starts a model of these traits with.

    >>> plain, experts = frozenset(), frozenset({Trait.MOE})
    >>> [runner_at(Version(0, minor), plain).value for minor in (21, 22)]
    ['v1', 'v2']
    >>> [runner_at(Version(0, minor), experts).value for minor in (28, 29)]
    ['v1', 'v2']
    """
    excluded = ruling_at(FIRST_RUNNER_FOR, version).value
    if excluded is None or excluded & traits:
        return Runner.V1
    return Runner.V2
