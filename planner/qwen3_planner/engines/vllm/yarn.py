"""YaRN: when a context needs it, how it is asked for by version."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from qwen3_planner.engines.vllm.semantics import YARN_ORIGINAL_POSITIONS, YarnForm

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture

LONG_NATIVE_POSITIONS = 262144
"""From here on a model's native context is its training length (the 2507 models)."""

FACTORS = (2.0, 4.0)
"""Factors that Qwen's pages use: 2.0 for 65536 tokens, 4.0 for 131072."""


def original_positions(model: ModelArchitecture) -> int:
    """Return the length the model was trained on, which YaRN stretches."""
    native = model.max_position_embeddings
    return native if native >= LONG_NATIVE_POSITIONS else YARN_ORIGINAL_POSITIONS


def yarn_factor(model: ModelArchitecture, context: int) -> float | None:
    """Return the smallest documented factor that reaches a context; None where none is needed."""
    if context <= model.max_position_embeddings:
        return None
    reach = original_positions(model)
    return next((factor for factor in FACTORS if context <= reach * factor), FACTORS[-1])


def rope_positions(model: ModelArchitecture, context: int) -> int:
    """Return the rows of the rotary table: native, or as far as YaRN stretches."""
    factor = yarn_factor(model, context)
    native = model.max_position_embeddings
    return native if factor is None else int(original_positions(model) * factor)


def yarn_arguments(model: ModelArchitecture, context: int, form: YarnForm) -> tuple[str, ...]:
    """Return the flag and its JSON that reach a context; empty where none is needed.

    Newer versions ignore the factor when they derive the longest context, so that length is
    stated beside it (facts: run on vLLM 0.32.0).
    """
    factor = yarn_factor(model, context)
    if factor is None:
        return ()
    original = original_positions(model)
    scaling = {
        "rope_type": "yarn",
        "factor": factor,
        "original_max_position_embeddings": original,
    }
    if form is YarnForm.ROPE_SCALING:
        return ("--rope-scaling", _compact(scaling))
    overrides = {
        "max_position_embeddings": int(original * factor),
        "rope_parameters": {**scaling, "rope_theta": model.rope_theta},
    }
    return ("--hf-overrides", _compact(overrides))


def _compact(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))
