"""A model in a local folder: its ``config.json`` becomes rows of the catalog.

Any fine-tune of the two Qwen3 architectures is planned from its own figures; what the planner's
formulas do not cover is refused by name, never planned wrongly.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from qwen3_planner.catalog.rows import Checkpoint, ModelArchitecture
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.request import Quantization

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog

T = TypeVar("T", bool, int, float, str)

DENSE = "Qwen3ForCausalLM"
SPARSE = "Qwen3MoeForCausalLM"
CONFIG = "config.json"
FILE = "file://"
"""Scheme of a source on the machine that plans; a cluster cannot mount it."""

_INDEX = "model.safetensors.index.json"
_HEAD = "lm_head.weight"
_INT4_BITS = 4
_SIXTEEN_BIT = ("bfloat16", "float16")


def looks_like_folder(typed: str) -> bool:
    """Whether a MODEL argument means a place on this machine rather than a name."""
    if not typed.strip() or "\x00" in typed:
        return False
    return typed.startswith(("/", "./", "../", "~")) or Path(typed).is_dir()


def add_folder(typed: str, catalog: Catalog, *, field: str) -> tuple[str, Catalog, Checkpoint]:
    """Read a model's folder and add it to the catalog.

    Returns:
        The model's name, a catalog that holds its rows, and the checkpoint row.

    Raises:
        SpecError: there is no config.json, or it describes what is not planned.
    """
    try:
        folder = Path(typed).expanduser()
    except RuntimeError:  # ~somebody, whom this machine does not know
        raise SpecError(field, typed, "is no folder") from None
    config = _Config(_read_config(folder, typed, field), f"{typed.rstrip('/')}/{CONFIG}")
    name = _free_name(folder.resolve().name, catalog)
    as_of = _date_of(folder / CONFIG)
    model = _architecture(config, name, as_of, head_is_stored=_head_is_stored(folder))
    checkpoint = _checkpoint(config, model, f"{FILE}{folder.resolve()}")
    extended = replace(
        catalog,
        models=(*catalog.models, model),
        checkpoints=(*catalog.checkpoints, checkpoint),
    )
    return name, extended, checkpoint


def _read_config(folder: Path, typed: str, field: str) -> dict[str, Any]:
    path = folder / CONFIG
    if not path.is_file():
        reason = f"has no {CONFIG}" if folder.is_dir() else "is no folder"
        raise SpecError(field, typed, reason)
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SpecError(field, typed, f"its {CONFIG} cannot be read: {error}") from error
    if not isinstance(config, dict):
        raise SpecError(field, typed, f"its {CONFIG} is no JSON object")
    return config


def _free_name(name: str, catalog: Catalog) -> str:
    """Name the model after its folder; a folder called like a catalog row gets ``-local``."""
    taken = {row.name.lower() for row in catalog.models}
    return f"{name}-local" if name.lower() in taken else name


def _date_of(path: Path) -> str:
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC).date().isoformat()


def _head_is_stored(folder: Path) -> bool | None:
    """Look into the index of the weights for an output head; None where there is no index."""
    try:
        index = json.loads((folder / _INDEX).read_bytes())
        return _HEAD in index["weight_map"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


class _Config:
    """Typed access to a config.json; errors name the file and the key."""

    def __init__(self, values: dict[str, Any], path: str) -> None:
        self._values = values
        self.path = path

    def get(self, key: str, kind: type[T], default: T | None = None) -> T:
        """Return a value of that kind; whole numbers pass as fractions, never the reverse."""
        value = self._values.get(key)
        if value is None and default is not None:
            return default
        if kind is float and isinstance(value, int):
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            shown = "(missing)" if value is None else json.dumps(value)
            raise SpecError(f"{self.path}: {key}", shown, f"must be a {kind.__name__}")
        return value

    def size(self, key: str) -> int:
        """Return a whole number of at least 1."""
        value = self.get(key, int)
        if value < 1:
            raise SpecError(f"{self.path}: {key}", value, "must be at least 1")
        return value

    def raw(self, key: str) -> Any:  # noqa: ANN401 - the value of a foreign document
        """Return whatever is there, or None."""
        return self._values.get(key)

    def refuse_unless(self, key: str, planned: object) -> None:
        """Refuse a value that the formulas do not cover; absent and null are the planned one."""
        value = self._values.get(key)
        if value not in (None, planned):
            reason = "is not planned: the formulas cover Qwen3 as published"
            raise SpecError(f"{self.path}: {key}", json.dumps(value), reason, [str(planned)])


def _architecture(
    config: _Config, name: str, as_of: str, *, head_is_stored: bool | None
) -> ModelArchitecture:
    sparse = _kind_of(config) == SPARSE
    for key, planned in (("attention_bias", False), ("use_sliding_window", False)):
        config.refuse_unless(key, planned)
    if sparse:
        for key, planned_moe in (("decoder_sparse_step", 1), ("mlp_only_layers", [])):
            config.refuse_unless(key, planned_moe)
    tied = config.get("tie_word_embeddings", bool, default=False)
    dtype = "dtype" if config.raw("torch_dtype") is None else "torch_dtype"
    return ModelArchitecture(
        name=name,
        hidden_size=config.size("hidden_size"),
        layers=config.size("num_hidden_layers"),
        attention_heads=config.size("num_attention_heads"),
        kv_heads=config.size("num_key_value_heads"),
        head_dim=config.size("head_dim"),
        intermediate_size=config.size("intermediate_size"),
        moe_intermediate_size=config.size("moe_intermediate_size") if sparse else 0,
        experts=config.size("num_experts") if sparse else 0,
        experts_per_token=config.size("num_experts_per_tok") if sparse else 0,
        vocab_size=config.size("vocab_size"),
        tied_embeddings=tied,
        stores_lm_head=(not tied) if head_is_stored is None else head_is_stored,
        max_position_embeddings=config.size("max_position_embeddings"),
        rope_theta=_rope_theta(config),
        torch_dtype=_sixteen_bit(config, dtype),
        thinking="hybrid",
        source=config.path,
        as_of=as_of,
    )


def _kind_of(config: _Config) -> str:
    names = config.raw("architectures")
    kind = names[0] if isinstance(names, list) and names else None
    if kind not in (DENSE, SPARSE):
        shown = "(missing)" if names is None else json.dumps(names)
        reason = "is no architecture that is planned"
        choices = nearest_first(shown, (DENSE, SPARSE))
        raise SpecError(f"{config.path}: architectures", shown, reason, choices)
    return str(kind)


def _rope_theta(config: _Config) -> float:
    """Read the rotary base; transformers 5 moved it into ``rope_parameters``."""
    nested = config.raw("rope_parameters")
    if isinstance(nested, dict) and config.raw("rope_theta") is None:
        return _Config(nested, f"{config.path}: rope_parameters").get("rope_theta", float)
    return config.get("rope_theta", float)


def _sixteen_bit(config: _Config, key: str) -> str:
    dtype = config.get(key, str, default="bfloat16")
    if dtype not in _SIXTEEN_BIT:
        reason = "is not planned: weights must have 16 bit"
        raise SpecError(f"{config.path}: {key}", dtype, reason, _SIXTEEN_BIT)
    return dtype


def _checkpoint(config: _Config, model: ModelArchitecture, uri: str) -> Checkpoint:
    quantization, block, group, zero_points = _format(config)
    return Checkpoint(
        variant=model.name,
        quantization=quantization,
        uri=uri,
        block_size=block,
        group_size=group,
        has_zero_points=zero_points,
        official=False,
        source=config.path,
        as_of=model.as_of,
    )


def _format(config: _Config) -> tuple[Quantization, tuple[int, int], int, bool]:
    """Return quantization, FP8 block, int4 group and whether groups have zero points."""
    raw = config.raw("quantization_config")
    if raw is None:
        return Quantization.BF16, (0, 0), 0, False
    path = f"{config.path}: quantization_config"
    if not isinstance(raw, dict):
        raise SpecError(path, json.dumps(raw), "must be an object")
    method = _Config(raw, path).get("quant_method", str)
    if method == "fp8":
        return Quantization.FP8, _block(raw, path), 0, False
    if method in ("awq", "gptq"):
        details = _Config(raw, path)
        bits = details.size("bits")
        if bits != _INT4_BITS:
            raise SpecError(f"{path}: bits", bits, "is not planned", [str(_INT4_BITS)])
        kind = Quantization.AWQ_INT4 if method == "awq" else Quantization.GPTQ_INT4
        return kind, (0, 0), details.size("group_size"), _has_zero_points(details, kind)
    reason = "is no quantization that is planned"
    choices = nearest_first(method, ("fp8", "awq", "gptq"))
    raise SpecError(f"{path}: quant_method", method, reason, choices)


def _has_zero_points(details: _Config, kind: Quantization) -> bool:
    if kind is Quantization.AWQ_INT4:
        return details.get("zero_point", bool, default=True)
    return not details.get("sym", bool, default=True)


def _block(raw: dict[str, Any], path: str) -> tuple[int, int]:
    block = raw.get("weight_block_size")
    if block is None:
        return (0, 0)
    if isinstance(block, list) and [type(side) for side in block] == [int, int]:
        return (block[0], block[1])
    reason = "must be two whole numbers"
    raise SpecError(f"{path}: weight_block_size", json.dumps(block), reason, ["[128, 128]"])
