"""Names of tensors as different files spell them, and as the planner does. Pure."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"\.\d+(?=\.|$)")
_STACKED = ("gate_up_proj", "down_proj")


def canonical(name: str, *, has_vision: bool) -> str:
    """Spell a tensor's name as the planner does.

    >>> canonical("layers.0.mlp.up_proj.weight", has_vision=False)  # of an embedder
    'model.layers.0.mlp.up_proj.weight'
    >>> canonical("visual.blocks.0.attn.qkv.bias", has_vision=True)
    'model.visual.blocks.0.attn.qkv.bias'
    """
    if name.startswith(("lm_head.", "mtp.", "score.")):
        return name
    if has_vision:
        bare = name.removeprefix("model.").removeprefix("language_model.model.")
        if bare.startswith(("visual.", "language_model.")):
            return f"model.{bare}"
        return f"model.language_model.{bare.removeprefix('language_model.')}"
    return name if name.startswith("model.") else f"model.{name}"


def parts_of(name: str) -> tuple[str, str]:
    """Split a tensor's name into its module and its part.

    >>> parts_of("lm_head.weight")
    ('lm_head', 'weight')
    >>> parts_of("model.language_model.layers.0.mlp.experts.gate_up_proj_scale_inv")
    ('model.language_model.layers.0.mlp.experts', 'gate_up_proj_scale_inv')
    """
    module, _, part = name.rpartition(".")
    return module, part


def general(name: str) -> str:
    """Put a wildcard for every number of a module's name.

    >>> general("model.layers.7.mlp.experts.*.up_proj")
    'model.layers.*.mlp.experts.*.up_proj'
    """
    return _NUMBER.sub(".*", name)
