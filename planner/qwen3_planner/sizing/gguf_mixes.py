"""Which element type llama-quantize gives each tensor of a stock file type.

The rule looks at a tensor's role, its place among those of its role, and the model's ratio of
heads to KV heads. It is written here as one table per file type; source:
ggml-org/llama.cpp@007dbbf src/llama-quant.cpp (llama_tensor_get_type_impl, tensor_type_fallback,
tensor_requires_imatrix), unchanged for this family up to b11549.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from qwen3_planner.sizing.ggml_types import TYPES, GgmlType

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

SMALL_RATIO: Final = 4
"""Heads per KV head from which attn_v is so small that it is given more bits."""

UNQUANTIZED_ROLES: Final = frozenset({"ffn_gate_inp", "ssm_conv1d"})
"""Matrices that every file type keeps in F32, besides everything of one dimension."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor stands among those that share its role.

    Attributes:
        index: its place, from 0: the layer.
        count: of them: the layers.
        ratio: query heads per KV head.
        with_imatrix: whether an importance matrix was given.
        visited: tensors of the role before it: more than ``index`` where a layer has several.
        has_experts: whether the model routes to four experts or more.
    """

    index: int
    count: int
    ratio: int
    with_imatrix: bool
    visited: int
    has_experts: bool

    @property
    def is_early(self) -> bool:
        """Whether it is in the first eighth of the layers."""
        return self.index < self.count // 8

    @property
    def is_late(self) -> bool:
        """Whether it is in the last eighth of the layers."""
        return self.index >= 7 * self.count // 8

    @property
    def deserves_more(self) -> bool:
        """First and last eighth, and every third between: the mixes ending in M favour them."""
        return self.is_early or self.is_late or (self.index - self.count // 8) % 3 == 2  # noqa: PLR2004 - every third

    @property
    def has_small_v(self) -> bool:
        """Whether few KV heads make attn_v small."""
        return self.ratio >= SMALL_RATIO


if TYPE_CHECKING:
    Choice: TypeAlias = str | Callable[[Place], str | None]


@dataclass(frozen=True, slots=True)
class Mix:
    """What one file type gives each role.

    Attributes:
        base: type of what is not named.
        roles: type of a role, or how it follows from the place; None falls back to ``base``.
        head: type of the output head, and of the embedding where it is tied.
        embedding: type of an untied embedding.
    """

    base: str
    roles: Mapping[str, Choice] = field(default_factory=dict)
    head: str = "Q6_K"
    embedding: str | None = None


def _more(kind: str) -> Callable[[Place], str | None]:
    return lambda place: kind if place.deserves_more else None


def _early(kind: str, otherwise: str | None = None) -> Callable[[Place], str | None]:
    return lambda place: kind if place.is_early else otherwise


def _small_v(kind: str, otherwise: str | None = None) -> Callable[[Place], str | None]:
    return lambda place: kind if place.has_small_v else otherwise


def _first(count: int, kind: str, otherwise: str | None = None) -> Callable[[Place], str | None]:
    return lambda place: kind if place.index < count else otherwise


def _middle(kind: str) -> Callable[[Place], str | None]:
    return lambda place: None if place.is_early or place.is_late else kind


def _early_without_imatrix(kind: str) -> Callable[[Place], str | None]:
    return lambda place: kind if place.is_early and not place.with_imatrix else None


def _early_with_imatrix(kind: str) -> Callable[[Place], str | None]:
    return lambda place: kind if place.is_early and place.with_imatrix else None


def _iq3_xxs_v(place: Place) -> str:
    if place.has_small_v:
        return "Q4_K"
    return "IQ3_XXS" if place.with_imatrix else "IQ3_S"


def _iq3_xxs_down(place: Place) -> str | None:
    if place.with_imatrix:
        return None
    return "Q4_K" if place.is_early else "Q3_K"


def _lowest(base: str, extra: str, output: str | None) -> Mix:
    """Mix of the 1- and 2-bit types; ``extra`` is what spared tensors get."""
    roles: dict[str, Choice] = {
        "attn_v": lambda place: "Q4_K" if place.has_small_v or place.has_experts else extra,
        "ffn_down": lambda place: extra if place.visited < place.count // 8 else None,
    }
    if output is not None:
        roles["attn_output"] = output
    return Mix(base, roles, head="Q5_K", embedding=extra)


_IQ4: Final[dict[str, Choice]] = {
    "attn_v": _small_v("Q5_K"),
    "ffn_down": _early_without_imatrix("Q5_K"),
}

MIXES: Final[dict[str, Mix]] = {
    "F16": Mix("F16", head="F16"),
    "BF16": Mix("BF16", head="BF16"),
    "Q8_0": Mix("Q8_0", head="Q8_0"),
    "Q6_K": Mix("Q6_K"),
    "Q5_K_S": Mix("Q5_K"),
    "Q5_K_M": Mix("Q5_K", {"attn_v": _more("Q6_K"), "ffn_down": _more("Q6_K")}),
    "Q5_0": Mix("Q5_0", {"ffn_down": _early_with_imatrix("Q5_1")}),
    "Q5_1": Mix("Q5_1"),
    "Q4_K_S": Mix("Q4_K", {"attn_v": _first(4, "Q5_K"), "ffn_down": _early("Q5_K")}),
    "Q4_K_M": Mix("Q4_K", {"attn_v": _more("Q6_K"), "ffn_down": _more("Q6_K")}),
    "Q4_0": Mix("Q4_0", {"ffn_down": _early_with_imatrix("Q4_1")}),
    "Q4_1": Mix("Q4_1"),
    "IQ4_NL": Mix("IQ4_NL", _IQ4),
    "IQ4_XS": Mix("IQ4_XS", _IQ4),
    "Q3_K_S": Mix("Q3_K"),
    "Q3_K_M": Mix(
        "Q3_K",
        {
            "attn_v": _first(2, "Q5_K", "Q4_K"),
            "ffn_down": lambda place: "Q5_K" if place.index < place.count // 16 else "Q4_K",
            "attn_output": "Q4_K",
        },
    ),
    "Q3_K_L": Mix("Q3_K", {"attn_v": "Q5_K", "ffn_down": "Q5_K", "attn_output": "Q5_K"}),
    "IQ3_M": Mix("IQ3_S", {"attn_v": "Q4_K", "ffn_down": _early("Q4_K"), "attn_output": "Q4_K"}),
    "IQ3_S": Mix("IQ3_S", {"attn_v": _small_v("Q4_K")}),
    "IQ3_XS": Mix(
        "IQ3_S",
        {
            "attn_v": _small_v("Q4_K"),
            "attn_q": "IQ3_XXS",
            "attn_k": "IQ3_XXS",
            "ffn_gate": _middle("IQ3_XXS"),
            "ffn_up": _middle("IQ3_XXS"),
        },
    ),
    "IQ3_XXS": Mix(
        "IQ3_XXS",
        {
            "attn_v": _iq3_xxs_v,
            "attn_q": "IQ2_S",
            "attn_k": "IQ2_S",
            "ffn_down": _iq3_xxs_down,
            "attn_output": "IQ3_S",
        },
        head="Q5_K",
        embedding="IQ3_S",
    ),
    "Q2_K": Mix(
        "Q2_K", {"attn_v": _small_v("Q4_K", "Q3_K"), "ffn_down": "Q3_K", "attn_output": "Q3_K"}
    ),
    "Q2_K_S": Mix("Q2_K", {"attn_v": _small_v("Q4_K"), "ffn_down": _early("Q4_K")}),
    "IQ2_M": _lowest("IQ2_S", "IQ3_S", "IQ3_S"),
    "IQ2_S": _lowest("IQ2_XS", "IQ3_S", "IQ3_S"),
    "IQ2_XS": _lowest("IQ2_XS", "Q2_K", None),
    "IQ2_XXS": _lowest("IQ2_XXS", "Q2_K", None),
    "IQ1_M": _lowest("IQ1_M", "Q2_K", "IQ2_XXS"),
    "IQ1_S": _lowest("IQ1_S", "Q2_K", "IQ2_XXS"),
}
"""File types by name."""

FALLBACK: Final = {
    **dict.fromkeys(
        ("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_XS"), "IQ4_NL"
    ),
    "Q2_K": "Q4_0",
    "Q3_K": "Q4_0",
    "Q4_K": "Q5_0",
    "Q5_K": "Q5_1",
    "Q6_K": "Q8_0",
}
"""What replaces a type whose blocks do not divide a row; F16 where that does not either."""

_NEED_IMATRIX: Final = frozenset({"IQ3_XXS", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ1_M", "IQ1_S"})


def needs_importance_matrix(file_type: str) -> bool:
    """Whether llama-quantize refuses to make this file type without an importance matrix.

    >>> [name for name in MIXES if needs_importance_matrix(name)]
    ['IQ3_XS', 'IQ3_XXS', 'Q2_K_S', 'IQ2_M', 'IQ2_S', 'IQ2_XS', 'IQ2_XXS', 'IQ1_M', 'IQ1_S']
    """
    if file_type == "Q2_K_S":
        return True
    mix = MIXES[file_type]
    fixed = {kind for kind in mix.roles.values() if isinstance(kind, str)}
    return bool(_NEED_IMATRIX & {mix.base, *fixed})


def depends_on_importance_matrix(file_type: str) -> bool:
    """Whether a matrix, where one is given, changes the mix (and with it the size).

    >>> [name for name in MIXES if depends_on_importance_matrix(name)]
    ['Q5_0', 'Q4_0', 'IQ4_NL', 'IQ4_XS', 'IQ3_XXS']
    """
    return file_type in ("Q5_0", "Q4_0", "IQ4_NL", "IQ4_XS", "IQ3_XXS")


def meant_type(file_type: str, role: str, place: Place) -> str:
    """Return the type a matrix inside a layer, or the embedding, is meant to have.

    Its shape is looked at by :func:`fitting_type`. Source: llama_tensor_get_type_impl.

    Args:
        file_type: name of the mix.
        role: of the tensor; parts of experts count as the part they are of.
        place: among those of the role.
    """
    mix = MIXES[file_type]
    if role == "token_embd":
        return mix.embedding or mix.base
    choice = mix.roles.get(role, mix.base)
    chosen = choice if isinstance(choice, str) else choice(place)
    return chosen or mix.base


def head_type(file_type: str, row: int) -> GgmlType:
    """Return the type of the output head, or of the embedding that stands for it.

    >>> head_type("Q4_K_M", 2560).name, head_type("Q4_K_M", 320).name
    ('Q6_K', 'Q8_0')
    """
    mix = MIXES[file_type]
    if row % TYPES[mix.base].block:
        return fitting_type("Q8_0", row)
    return fitting_type(mix.head, row)


def fitting_type(name: str, row: int) -> GgmlType:
    """Return the type that a row of so many elements really gets.

    >>> fitting_type("Q4_K", 2560).name, fitting_type("Q4_K", 320).name
    ('Q4_K', 'Q5_0')
    """
    kind = TYPES[name]
    if row % kind.block == 0:
        return kind
    other = TYPES[FALLBACK.get(name, "F16")]
    return other if row % other.block == 0 else TYPES["F16"]
