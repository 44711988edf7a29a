"""Models that embed or score, as ``vllm serve`` is told about them.

The checkpoints call themselves causal language models: without these flags vLLM generates text with
a reranker, and with an embedding model whose folder lacks the files of Sentence Transformers.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from qwen3_planner.engines.pooling import is_reranker
from qwen3_planner.engines.vllm.flags import takes
from qwen3_planner.engines.vllm.yarn import yarn_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.engines.vllm.semantics import YarnForm

OVERRIDES_FLAG: Final = "--hf-overrides"

RERANKER: Final[Mapping[str, Any]] = {
    "architectures": ["Qwen3ForSequenceClassification"],
    "classifier_from_token": ["no", "yes"],
    "is_original_qwen3_reranker": True,
}
"""Makes a classifier of the logits of two answers. Source: PyPI vllm 0.9.2 to 0.33.0
vllm/model_executor/models/config.py Qwen3ForSequenceClassificationConfig; docs.vllm.ai pooling
models, Qwen3-Reranker (read 2026-11-23)."""


def runner_arguments(model: ModelArchitecture, version: Version) -> tuple[str, ...]:
    """Return the flags that make a server of vectors or scores; none for models that generate.

    ``--runner`` since 0.10.1, before that ``--task``. Source: PyPI vllm 0.10.0 and 0.10.1
    vllm/engine/arg_utils.py.
    """
    if not model.is_pooling:
        return ()
    if takes("--runner", version):
        return ("--runner", "pooling")
    return ("--task", "score" if is_reranker(model) else "embed")


def config_arguments(model: ModelArchitecture, context: int, form: YarnForm) -> tuple[str, ...]:
    """Return the flags that change what config.json says: a longer context, a reranker's head."""
    words = list(yarn_arguments(model, context, form))
    if not is_reranker(model):
        return tuple(words)
    stated: dict[str, Any] = {}
    if OVERRIDES_FLAG in words:
        place = words.index(OVERRIDES_FLAG)
        stated = json.loads(words[place + 1])
        del words[place : place + 2]
    merged = json.dumps({**stated, **RERANKER}, separators=(",", ":"))
    return (*words, OVERRIDES_FLAG, merged)
