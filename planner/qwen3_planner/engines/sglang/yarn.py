"""YaRN: how a longer context is asked for.

With ``original_max_position_embeddings`` present SGLang takes ``max_position_embeddings`` as it is
and ignores the factor when it derives the longest context, so both are stated. The base of the
rotary embedding goes along: newer releases may replace the whole group of rope parameters. Source:
PyPI sglang 0.4.6.post1 to 0.5.23 ``hf_transformers_utils.py`` (later
``utils/hf_transformers/``) get_context_length, get_config.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from qwen3_planner.engines.vllm.yarn import original_positions, yarn_factor

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture


def yarn_arguments(model: ModelArchitecture, context: int) -> tuple[str, ...]:
    """Return the flag and its JSON that reach a context; empty where none is needed."""
    factor = yarn_factor(model, context)
    if factor is None:
        return ()
    original = original_positions(model)
    overrides = {
        "max_position_embeddings": int(original * factor),
        "rope_scaling": {
            "rope_type": "yarn",
            "factor": factor,
            "original_max_position_embeddings": original,
            "rope_theta": model.rope_theta,
        },
    }
    return ("--json-model-override-args", json.dumps(overrides, separators=(",", ":")))
