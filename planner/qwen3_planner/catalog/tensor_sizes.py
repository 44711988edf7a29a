"""Which tensor-parallel sizes a model's shapes allow, whatever the GPU, format and engine.

Asked twice: by the API server when a resource is applied, and by the planner's rules, which say
more. Engines stop with an error or an assertion otherwise (PyPI vllm 0.33.0 vllm/config/model.py,
vllm/model_executor/models/{qwen3,qwen3_next,qwen3_vl}.py, vllm/distributed/utils.py; PyPI sglang
0.5.23 srt/models/qwen3.py).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.catalog.rows import ModelArchitecture

LARGEST_TENSOR = 128
"""Sizes up to this are named; no replica here is larger."""

VOCABULARY_PADDING = 64
"""Rows of the embedding come in multiples of this.

Source: PyPI vllm 0.33.0 vllm/model_executor/layers/vocab_parallel_embedding.py.
"""


def divides_heads(model: ModelArchitecture, tensor: int) -> bool:
    """Whether every rank gets the same number of query heads."""
    return model.attention_heads % tensor == 0


def divides_kv_heads(model: ModelArchitecture, tensor: int) -> bool:
    """Whether KV heads divide over the ranks, or the ranks over the KV heads."""
    if tensor <= model.kv_heads:
        return model.kv_heads % tensor == 0
    return tensor % model.kv_heads == 0


def padded_vocabulary(model: ModelArchitecture) -> int:
    """Return the rows of the embedding as engines hold it, padded to a multiple of 64."""
    return -(-model.vocab_size // VOCABULARY_PADDING) * VOCABULARY_PADDING


def divides_vocabulary(model: ModelArchitecture, tensor: int) -> bool:
    """Whether every rank gets the same number of vocabulary rows."""
    return padded_vocabulary(model) % tensor == 0


def divides_dense_inner(model: ModelArchitecture, tensor: int) -> bool:
    """Whether what is cut of the MLP divides: the dense one, or the shared expert.

    Routed experts have rules of their own: expert parallelism leaves them whole.
    """
    inner = model.shared_expert_intermediate_size if model.is_moe else model.intermediate_size
    return inner % tensor == 0


def divides_linear_heads(model: ModelArchitecture, tensor: int) -> bool:
    """Whether the heads of linear attention divide; they are never copied."""
    linear = model.linear_attention
    return linear is None or (linear.key_heads % tensor == 0 and linear.value_heads % tensor == 0)


def divides_image_encoder(model: ModelArchitecture, tensor: int) -> bool:
    """Whether the image encoder's heads and MLP divide."""
    vision = model.vision
    return vision is None or (vision.heads % tensor == 0 and vision.intermediate_size % tensor == 0)


_DIVISIONS: tuple[Callable[[ModelArchitecture, int], bool], ...] = (
    divides_heads,
    divides_kv_heads,
    divides_vocabulary,
    divides_dense_inner,
    divides_linear_heads,
    divides_image_encoder,
)


@lru_cache(maxsize=128)
def legal_tensor_sizes(model: ModelArchitecture) -> tuple[int, ...]:
    """List the tensor-parallel sizes that bf16 weights allow, smallest first."""
    sizes = range(1, min(LARGEST_TENSOR, model.attention_heads) + 1)
    return tuple(t for t in sizes if all(divides(model, t) for divides in _DIVISIONS))
