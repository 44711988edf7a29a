"""The state of Gated DeltaNet layers: of fixed size for each sequence, whatever its length.

Source: vLLM 0.33.0 ``model_executor/layers/mamba/mamba_utils.py``
(``gated_delta_net_state_shape``, ``gated_delta_net_state_dtype``): a convolution window of
``kernel - 1`` columns and one matrix per value head, both in the model's element type unless
``--mamba-cache-dtype`` or ``--mamba-ssm-cache-dtype`` says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture


def layer_state_bytes(
    model: ModelArchitecture,
    tensor: int,
    *,
    draft_tokens: int = 0,
    conv_element_bytes: int = 2,
    state_element_bytes: int = 2,
) -> int:
    """Return the bytes one sequence keeps in one linear-attention layer on one rank.

    Args:
        model: the architecture; 0 where it has no such layers.
        tensor: ranks that share the heads.
        draft_tokens: tokens drafted per step, by which the window grows.
        conv_element_bytes: of the convolution's window.
        state_element_bytes: of the recurrent state.
    """
    attention = model.linear_attention
    if attention is None:
        return 0
    window = attention.conv_width // tensor * (attention.conv_kernel - 1 + draft_tokens)
    heads = attention.value_heads // tensor
    state = heads * attention.value_head_dim * attention.key_head_dim
    return window * conv_element_bytes + state * state_element_bytes


def linear_layers(model: ModelArchitecture, first: int = 0, end: int | None = None) -> int:
    """Count the layers with such a state among those from ``first`` up to ``end`` (all)."""
    last = model.layers if end is None else end
    return (last - first) - model.full_attention_layers(first, last)
