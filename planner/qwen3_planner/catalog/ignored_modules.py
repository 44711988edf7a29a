"""Lists of modules that a checkpoint leaves unquantized, made short.

Tools write one entry for each layer and list what no tool quantizes anyway; as the planner asks
each layer's modules for their format, the list is reduced to what tells layers apart.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ALWAYS_PLAIN = re.compile(
    r"(.*lm_head|.*norm\w*|.*mlp\.gate|.*\.shared_expert_gate|.*embed_tokens|.*\.conv1d"
    r"|.*\.in_proj_ba|.*visual.*)\*?"
)
"""Modules that the planner holds at 16 bit without being told."""

_REGEX = "re:"
_NUMBER = re.compile(r"\.(\d+)(?=\.|$)")
_ANY = re.compile(r"\.\*|\[\^?[^]]*\][*+]?|\\d\+?")


def tidy(names: Iterable[str], layers: int, experts: int = 0) -> tuple[str, ...]:
    """Reduce a list of modules to patterns, in its order.

    What is listed for every layer (and every expert of every layer) becomes one pattern.

    >>> tidy(["lm_head", *(f"model.layers.{i}.self_attn" for i in range(94))], 94)
    ('model.layers.*.self_attn',)
    >>> tidy(["model.layers.0.mlp", "re:.*self_attn.*", "model.layers.3.mlp.gate"], 94)
    ('model.layers.0.mlp', '*self_attn*')
    """
    patterns = patterns_of(names)
    kept = [pattern for pattern in patterns if not ALWAYS_PLAIN.fullmatch(pattern)]
    counts = Counter(_NUMBER.sub(".*", pattern) for pattern in kept)
    full = (layers, layers * experts)
    short = (_shorten(pattern, counts, full) for pattern in kept)
    return tuple(dict.fromkeys(short))


def patterns_of(names: Iterable[str]) -> tuple[str, ...]:
    """Turn names and regular expressions (``re:...``) into patterns with wildcards, each once."""
    return tuple(dict.fromkeys(_wildcard(name) for name in names))


def _shorten(pattern: str, counts: Counter[str], full: tuple[int, int]) -> str:
    general = _NUMBER.sub(".*", pattern)
    return general if counts[general] in full else pattern


def _wildcard(name: str) -> str:
    """Turn a regular expression of compressed-tensors into a pattern with wildcards."""
    if not name.startswith(_REGEX):
        return name
    body = name.removeprefix(_REGEX).removeprefix("^").removesuffix("$")
    return _ANY.sub("*", body.replace(r"\.", "\x00").replace(".*", "*")).replace("\x00", ".")
