"""The tensors of one rank, put together by what they are for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_planner.explanation import Term

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.sizing.linear import Tensor

_GROUPS = (
    ("embedding", ("embed_tokens",)),
    ("output head", ("lm_head",)),
    ("rotary table", ("rotary_emb",)),
    ("image encoder", ("patch_embed", "pos_", "rotary_pos_emb", "blocks.", "merger", "deepstack")),
    ("linear attention", ("conv1d", "in_proj_", "dt_bias", "A_log", "out_proj")),
    ("norms", ("norm", "q_norm", "k_norm", "input_layernorm", "post_attention_layernorm")),
    ("attention", ("qkv_proj", "o_proj", "attn.")),
    ("router", ("gate.", "shared_expert_gate")),
    ("experts", ("experts.", "shared_expert.")),
    ("MLP", ("gate_up_proj", "down_proj")),
)  # fmt: skip
"""(name, beginnings of the tensors' names); the first that fits counts."""

_SHOWN = (
    "embedding", "attention", "linear attention", "MLP", "experts", "router", "norms",
    "output head", "rotary table", "image encoder", "other tensors",
)  # fmt: skip
"""The order in which a token passes through them."""


def tensor_terms(tensors: Iterable[Tensor]) -> tuple[Term, ...]:
    """Add up the tensors of each group, without the allocator's rounding."""
    alike: dict[str, dict[Tensor, int]] = {}
    for tensor in tensors:
        one = replace(tensor, count=1)
        group = alike.setdefault(group_of(tensor.name), {})
        group[one] = group.get(one, 0) + tensor.count
    return tuple(
        Term(group, _bytes(alike[group]), _formula(alike[group]))
        for group in _SHOWN
        if group in alike
    )


def group_of(name: str) -> str:
    """Return what a tensor is for.

    >>> group_of("qkv_proj.weight"), group_of("experts.w13.weight"), group_of("k_norm.weight")
    ('attention', 'experts', 'norms')
    """
    for group, beginnings in _GROUPS:
        if name.startswith(beginnings):
            return group
    return "other tensors"


_MOST_KINDS = 2
"""Kinds of tensors of one group that are written out."""


def _bytes(alike: dict[Tensor, int]) -> int:
    return sum(tensor.n_bytes * count for tensor, count in alike.items())


def _formula(alike: dict[Tensor, int]) -> str:
    """Write out the largest tensors of a group; what is left over in bytes."""
    kinds = sorted(alike.items(), key=lambda kind: -kind[0].n_bytes * kind[1])
    shown = [_written(tensor, count) for tensor, count in kinds[:_MOST_KINDS]]
    rest = sum(tensor.n_bytes * count for tensor, count in kinds[_MOST_KINDS:])
    return " + ".join([*shown, f"{rest:,}"] if rest else shown)


def _written(tensor: Tensor, count: int) -> str:
    """Write tensors as a product: how many, what, of which shape and width."""
    shape = " x ".join(f"{size:,}" for size in tensor.shape)
    name = tensor.name.removesuffix(".weight")
    times = f"{count} x " if count > 1 else ""
    return f"{times}{name} {shape} x {tensor.element_bits / 8:g} B"
