"""Planning from a GGUF file: the architecture and the exact weights that its header states."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from qwen3_planner.catalog.resolving import ResolvedModel
from qwen3_planner.catalog.rows import Checkpoint, LinearAttention, ModelArchitecture
from qwen3_planner.checkpoints.gguf import GgufHeader, read_gguf
from qwen3_planner.engines.llamacpp.semantics import ARCHITECTURES
from qwen3_planner.errors import SpecError
from qwen3_planner.request import Quantization
from qwen3_planner.sizing.gguf_mixes import MIXES
from qwen3_planner.sizing.gguf_tensors import gguf_tensors
from qwen3_planner.sizing.llamacpp import weigh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.catalog.rows import Catalog

FILE_TYPES: Final = {
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
}
"""Numbers of ``general.file_type``. Source: ggml-org/llama.cpp b11549 include/llama.h."""

SHAPE: Final = (
    "hidden_size",
    "layers",
    "attention_heads",
    "kv_heads",
    "head_dim",
    "vocab_size",
    "experts",
    "experts_per_token",
)
"""What a file and the model it is said to be must have in common."""


def with_gguf(
    resolved: ResolvedModel, place: str, source: str | None = None, *, field: str
) -> ResolvedModel:
    """Take what a GGUF file says over what the catalog says of a model.

    Args:
        resolved: what the MODEL argument stands for.
        place: path of the file.
        source: where the weights will come from, if that was fixed.
        field: option that named the file, for messages.

    Raises:
        SpecError: the file cannot be read, or is not that model's.
    """
    header = read_gguf(place, field=field)
    model = resolved.catalog.model(resolved.name)
    found = architecture_in(header, resolved.name, field=field)
    for name in SHAPE:
        mine, theirs = getattr(model, name), getattr(found, name)
        if mine != theirs:
            reason = f"is not of {model.name}: its {name} is {theirs}, not {mine}"
            raise SpecError(field, place, reason)
    uri = source or resolved.source or _uri(place)
    return _resolved(header, model, uri, resolved.catalog, field=field)


def gguf_as_model(place: str, catalog: Catalog, *, field: str = "MODEL") -> ResolvedModel:
    """Plan the model that a GGUF file holds, whatever the catalog knows.

    Raises:
        SpecError: the file cannot be read, or its architecture is not planned.
    """
    header = read_gguf(place, field=field)
    name = Path(place).expanduser().stem
    if any(row.name == name for row in catalog.models):
        name = f"{name}-local"
    model = architecture_in(header, name, field=field)
    extended = replace(catalog, models=(*catalog.models, model))
    return _resolved(header, model, _uri(place), extended, field=field)


def _uri(place: str) -> str:
    return f"file://{Path(place).expanduser().resolve()}"


def _resolved(
    header: GgufHeader, model: ModelArchitecture, uri: str, catalog: Catalog, *, field: str
) -> ResolvedModel:
    quantization = _quantization(header, field)
    tensors = [(tensor.name, tensor.n_bytes) for tensor in header.tensors]
    row = Checkpoint(
        variant=model.name,
        quantization=quantization.value,
        uri=uri,
        block_size=(0, 0),
        group_size=0,
        has_zero_points=False,
        official=False,
        source=f"header of {header.place}",
        as_of=_date(header.place),
        tensor_bytes=sum(size for _, size in tensors),
        gguf=weigh(tensors, model.layers, header.file_bytes),
    )
    others = tuple(
        other
        for other in catalog.checkpoints
        if (other.uri, other.quantization) != (uri, quantization.value)
    )
    extended = replace(catalog, checkpoints=(row, *others))
    return ResolvedModel(model.name, extended, quantization, uri)


def _quantization(header: GgufHeader, field: str) -> Quantization:
    """Return the file type: as stated, else that of most bytes."""
    stated = header.metadata.get("general.file_type")
    if isinstance(stated, int) and not isinstance(stated, bool) and stated in FILE_TYPES:
        return Quantization(f"gguf:{FILE_TYPES[stated]}")
    sizes: Counter[str] = Counter()
    for tensor in header.tensors:
        sizes[tensor.kind.name] += tensor.n_bytes
    base = sizes.most_common(1)[0][0] if sizes else ""
    for name, mix in MIXES.items():
        if mix.base == base:
            return Quantization(f"gguf:{name}")
    reason = f"has file type {stated} with weights in {base or 'nothing'}, which is not planned"
    raise SpecError(field, header.place, reason, tuple(MIXES))


def architecture_in(header: GgufHeader, name: str, *, field: str) -> ModelArchitecture:
    """Read the architecture off a header.

    Raises:
        SpecError: it is none of the family, a figure is missing, or tensors contradict it.
    """
    figures = _Figures(header, field)
    kind = figures.architecture
    shapes = {tensor.name: tensor.shape for tensor in header.tensors}
    embedding = shapes.get("token_embd.weight")
    if embedding is None or len(embedding) != 2:  # noqa: PLR2004 - a matrix
        raise SpecError(field, header.place, "holds no token_embd.weight: it is no language model")
    is_moe = kind.endswith("moe") or kind == "qwen3next"
    heads, hidden = figures.number("attention.head_count"), figures.number("embedding_length")
    model = ModelArchitecture(
        name=name,
        hidden_size=hidden,
        layers=figures.number("block_count"),
        attention_heads=heads,
        kv_heads=figures.number("attention.head_count_kv", heads),
        head_dim=figures.number("attention.key_length", hidden // heads),
        intermediate_size=figures.number("feed_forward_length", 0 if is_moe else None),
        moe_intermediate_size=figures.number("expert_feed_forward_length") if is_moe else 0,
        experts=figures.number("expert_count") if is_moe else 0,
        experts_per_token=figures.number("expert_used_count") if is_moe else 0,
        vocab_size=embedding[1],
        tied_embeddings="output.weight" not in shapes,
        stores_lm_head="output.weight" in shapes,
        max_position_embeddings=figures.number("context_length"),
        rope_theta=figures.real("rope.freq_base", 1e6),
        torch_dtype="bfloat16",
        thinking="hybrid",
        source=f"header of {header.place}",
        as_of=_date(header.place),
    )
    if kind == "qwen3next":
        model = _hybrid(model, figures)
    _check_tensors(model, shapes, header, field)
    return model


def _hybrid(model: ModelArchitecture, figures: _Figures) -> ModelArchitecture:
    width, heads = figures.number("ssm.inner_size"), figures.number("ssm.time_step_rank")
    linear = LinearAttention(
        key_heads=figures.number("ssm.group_count"),
        value_heads=heads,
        key_head_dim=figures.number("ssm.state_size"),
        value_head_dim=width // heads,
        conv_kernel=figures.number("ssm.conv_kernel"),
    )
    return replace(
        model,
        linear_attention=linear,
        full_attention_interval=figures.number("full_attention_interval", 4),
        attention_output_gate=True,
        shared_expert_intermediate_size=figures.number("expert_shared_feed_forward_length", 0),
    )


def _check_tensors(
    model: ModelArchitecture,
    shapes: dict[str, tuple[int, ...]],
    header: GgufHeader,
    field: str,
) -> None:
    for tensor in gguf_tensors(model):
        shape = shapes.get(tensor.name)
        if shape is None:
            raise SpecError(field, header.place, f"lacks the tensor {tensor.name}")
        if _bare(shape) != _bare(tensor.shape):
            reason = f"has {tensor.name} of {list(shape)}, which should be {list(tensor.shape)}"
            raise SpecError(field, header.place, reason)


def _bare(shape: Sequence[int]) -> tuple[int, ...]:
    """Drop sides of 1, which writers add and leave out."""
    return tuple(side for side in shape if side != 1)


def _date(place: str) -> str:
    changed = Path(place).expanduser().stat().st_mtime
    return datetime.fromtimestamp(changed, UTC).date().isoformat()


class _Figures:
    """Figures of the architecture in the metadata."""

    def __init__(self, header: GgufHeader, field: str) -> None:
        self._header, self._field = header, field
        kind = header.metadata.get("general.architecture")
        if not isinstance(kind, str) or kind not in ARCHITECTURES:
            reason = f"has the architecture {kind}, which is not planned"
            raise SpecError(field, header.place, reason, tuple(ARCHITECTURES))
        self.architecture = kind

    def number(self, key: str, default: int | None = None) -> int:
        """Return a whole number of at least 1 (0 where that is the default)."""
        value = self._header.metadata.get(f"{self.architecture}.{key}", default)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if isinstance(value, int) and is_number and (value > 0 or value == default):
            return value
        reason = f"has {value} as {self.architecture}.{key}, which must be a whole number above 0"
        raise SpecError(self._field, self._header.place, reason)

    def real(self, key: str, default: float) -> float:
        """Return a number above 0."""
        value = self._header.metadata.get(f"{self.architecture}.{key}", default)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0:
            return float(value)
        reason = f"has {value} as {self.architecture}.{key}, which must be above 0"
        raise SpecError(self._field, self._header.place, reason)
