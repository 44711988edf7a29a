"""The tensors of a Qwen3 model as a GGUF file names and shapes them.

Shapes are in ggml's order: the first dimension is that of a row. Source: ggml-org/llama.cpp b11549
src/models/{qwen3,qwen3moe,qwen3vl,qwen3vlmoe,qwen3next}.cpp, src/llama-arch.cpp.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import LinearAttention, ModelArchitecture

OUTSIDE: Final = -1
"""Layer of a tensor that is in none."""


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor of a file.

    Attributes:
        name: ``blk.3.attn_q.weight``.
        shape: elements of a row first.
        layer: that it belongs to; ``OUTSIDE`` for embedding, last norm and head.
    """

    name: str
    shape: tuple[int, ...]
    layer: int

    @property
    def elements(self) -> int:
        """Elements of the tensor."""
        return prod(self.shape)

    @property
    def role(self) -> str:
        """Name without layer and ending: ``attn_q``, ``token_embd``."""
        parts = self.name.split(".")
        return parts[2] if self.layer != OUTSIDE else parts[0]


@lru_cache(maxsize=64)
def gguf_tensors(model: ModelArchitecture) -> tuple[GgufTensor, ...]:
    """List the tensors in the order in which llama-quantize visits them.

    An image encoder is a file of its own (``mmproj``), and so no part of this. Layers that only
    predict further tokens are not in the files of Qwen3-Next that are published.
    """
    hidden, vocab = model.hidden_size, model.vocab_size
    tensors = []
    if not (model.tied_embeddings or model.is_pooling):
        tensors.append(GgufTensor("output.weight", (hidden, vocab), OUTSIDE))
    tensors.append(GgufTensor("output_norm.weight", (hidden,), OUTSIDE))
    tensors.append(GgufTensor("token_embd.weight", (hidden, vocab), OUTSIDE))
    for layer in range(model.layers):
        tensors += [
            GgufTensor(f"blk.{layer}.{name}", shape, layer)
            for name, shape in sorted(_layer(model, layer))
        ]
    return tuple(tensors)


def _layer(model: ModelArchitecture, layer: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden = model.hidden_size
    yield "attn_norm.weight", (hidden,)
    yield ("post_attention_norm.weight" if model.is_hybrid else "ffn_norm.weight"), (hidden,)
    if model.linear_attention is None or model.has_full_attention(layer):
        yield from _attention(model)
    else:
        yield from _linear_attention(model.linear_attention, hidden)
    yield from _experts(model) if model.is_moe else _mlp(model)


def _attention(model: ModelArchitecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden, head_dim = model.hidden_size, model.head_dim
    heads, kv_heads = model.attention_heads * head_dim, model.kv_heads * head_dim
    yield "attn_q.weight", (hidden, heads * (2 if model.attention_output_gate else 1))
    yield "attn_k.weight", (hidden, kv_heads)
    yield "attn_v.weight", (hidden, kv_heads)
    yield "attn_output.weight", (heads, hidden)
    yield "attn_q_norm.weight", (head_dim,)
    yield "attn_k_norm.weight", (head_dim,)


def _linear_attention(
    linear: LinearAttention, hidden: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    values = linear.value_heads * linear.value_head_dim
    yield "attn_qkv.weight", (hidden, linear.conv_width)
    yield "attn_gate.weight", (hidden, values)
    yield "ssm_conv1d.weight", (linear.conv_kernel, linear.conv_width)
    yield "ssm_dt.bias", (linear.value_heads,)
    yield "ssm_a", (linear.value_heads,)
    yield "ssm_ba.weight", (hidden, 2 * linear.value_heads)
    yield "ssm_norm.weight", (linear.value_head_dim,)
    yield "ssm_out.weight", (values, hidden)


def _mlp(model: ModelArchitecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden, inner = model.hidden_size, model.intermediate_size
    yield "ffn_gate.weight", (hidden, inner)
    yield "ffn_up.weight", (hidden, inner)
    yield "ffn_down.weight", (inner, hidden)


def _experts(model: ModelArchitecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    hidden, inner, experts = model.hidden_size, model.moe_intermediate_size, model.experts
    yield "ffn_gate_inp.weight", (hidden, experts)
    yield "ffn_gate_exps.weight", (hidden, inner, experts)
    yield "ffn_up_exps.weight", (hidden, inner, experts)
    yield "ffn_down_exps.weight", (inner, hidden, experts)
    shared = model.shared_expert_intermediate_size
    if shared:
        yield "ffn_gate_inp_shexp.weight", (hidden,)
        yield "ffn_gate_shexp.weight", (hidden, shared)
        yield "ffn_up_shexp.weight", (hidden, shared)
        yield "ffn_down_shexp.weight", (shared, hidden)
