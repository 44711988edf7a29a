"""From a ``quantization_config`` to the format of a checkpoint, for every tool that writes one.

Source of the keys: vLLM 0.33.0 ``model_executor/layers/quantization``: fp8.py, auto_awq.py,
auto_gptq.py, modelopt.py and compressed_tensors/compressed_tensors.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.catalog.ignored_modules import patterns_of, tidy
from qwen3_planner.catalog.rows import Storage
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.request import Quantization

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.catalog.config_values import ConfigValues

NVFP4_GROUP, MXFP4_GROUP = 16, 32
_INT4, _INT8 = 4, 8
_HEAD, _VISION = "lm_head", "visual"
_EVERY_LINEAR = "Linear"


@dataclass(frozen=True, slots=True)
class StoredFormat:
    """What a quantization_config says; the fields are those of a checkpoint's row."""

    quantization: Quantization = Quantization.BF16
    method: str = ""
    block_size: tuple[int, int] = (0, 0)
    group_size: int = 0
    has_zero_points: bool = False
    unquantized: tuple[str, ...] = ()
    quantizes_head: bool = False
    quantizes_vision: bool = False
    act_order: bool = False
    static_activations: bool = False
    kv_cache_dtype: str = ""
    stored: tuple[tuple[str, Storage], ...] = ()


def stored_format(
    config: ConfigValues, layers: int, experts: int, key: str = "quantization_config"
) -> StoredFormat:
    """Read the format of a folder's weights; without a quantization_config they are plain.

    Args:
        config: of the folder.
        layers: of the model.
        experts: of one layer.
        key: under which the configuration is.

    Raises:
        SpecError: a method, width or scheme that is not planned, by the name of its key.
    """
    if config.raw(key) is None:
        return StoredFormat()
    details = config.inner(key)
    method = details.get("quant_method", str, default=_unnamed_method(details))
    reader = _READERS.get(method)
    if reader is None:
        shown = method or "(missing)"
        reason = "is no quantization that is planned"
        raise SpecError(f"{details.path}: quant_method", shown, reason, nearest_first(shown, NAMES))
    found = reader(details)
    return replace(found, unquantized=tidy(found.unquantized, layers, experts))


def _unnamed_method(details: ConfigValues) -> str:
    """Recognize ModelOpt's own form, which names an algorithm instead of a method."""
    return "modelopt" if details.raw("quant_algo") or details.raw("quantization") else ""


def _fp8(details: ConfigValues) -> StoredFormat:
    skipped = details.names("modules_to_not_convert") or details.names("ignored_layers")
    block = _block(details)
    is_static = details.raw("activation_scheme") == "static"
    is_tensor = is_static and block == (0, 0)
    return StoredFormat(
        Quantization.FP8_STATIC if is_tensor else Quantization.FP8,
        "fp8",
        block_size=block,
        unquantized=skipped,
        quantizes_vision=not _names(skipped, _VISION),
        static_activations=is_static,
    )


def _names(skipped: tuple[str, ...], part: str) -> bool:
    """Whether a list of modules names this part of the model."""
    return any(part in pattern for pattern in skipped)


def _block(details: ConfigValues) -> tuple[int, int]:
    block = details.raw("weight_block_size")
    if block is None:
        return (0, 0)
    if isinstance(block, list) and [type(side) for side in block] == [int, int]:
        rows, columns = block
        if rows > 0 and columns > 0:
            return (rows, columns)
    reason = "must be two whole numbers"
    raise SpecError(f"{details.path}: weight_block_size", json.dumps(block), reason, ["[128, 128]"])


def _awq(details: ConfigValues) -> StoredFormat:
    _bits(details, (_INT4,))
    return StoredFormat(
        Quantization.AWQ_INT4,
        "awq",
        group_size=details.size("group_size"),
        has_zero_points=details.get("zero_point", bool, default=True),
        unquantized=details.names("modules_to_not_convert"),
    )


def _gptq(details: ConfigValues) -> StoredFormat:
    bits = _bits(details, (_INT4, _INT8))
    group = details.get("group_size", int)
    return StoredFormat(
        Quantization.GPTQ_INT4 if bits == _INT4 else Quantization.GPTQ_INT8,
        "gptq",
        group_size=max(0, group),  # -1: one scale for all inputs
        has_zero_points=not details.get("sym", bool, default=True),
        quantizes_head=details.get("lm_head", bool, default=False),
        act_order=details.get("desc_act", bool, default=False),
        unquantized=details.names("modules_in_block_to_not_quantize"),
    )


def _bits(details: ConfigValues, planned: tuple[int, ...]) -> int:
    bits = details.size("bits")
    if bits not in planned:
        choices = [str(width) for width in planned]
        raise SpecError(f"{details.path}: bits", bits, "is not planned", choices)
    return bits


def _modelopt(details: ConfigValues) -> StoredFormat:
    """Read both forms: ModelOpt's own (``quantization: {quant_algo}``) and the flat one."""
    inner = details.inner("quantization") if details.raw("quantization") else details
    algorithm = inner.get("quant_algo", str).upper()
    skipped = inner.names("exclude_modules") or inner.names("ignore")
    kv = inner.raw("kv_cache_quant_algo") or inner.raw("kv_cache_scheme")
    shared = {
        "method": "modelopt",
        "unquantized": skipped,
        "quantizes_head": not _names(skipped, _HEAD),
        "quantizes_vision": not _names(skipped, _VISION),
        "kv_cache_dtype": "fp8" if kv else "",
        "static_activations": True,
    }
    if algorithm == "FP8":
        return StoredFormat(Quantization.FP8_STATIC, **shared)  # type: ignore[arg-type]
    if algorithm in ("NVFP4", "NVFP4_AWQ"):
        group = inner.size("group_size", NVFP4_GROUP)
        return StoredFormat(Quantization.NVFP4, group_size=group, **shared)  # type: ignore[arg-type]
    reason = "is no algorithm that is planned"
    raise SpecError(f"{inner.path}: quant_algo", algorithm, reason, ("FP8", "NVFP4"))


def _compressed_tensors(details: ConfigValues) -> StoredFormat:
    """Read the group that is for every linear layer; others are for the modules they target."""
    groups = details.inner("config_groups")
    parts = [groups.inner(name) for name in groups.keys()]  # noqa: SIM118 - no dictionary
    if not parts:
        raise SpecError(f"{details.path}: config_groups", "{}", "must hold a group")
    parts.sort(key=lambda part: _EVERY_LINEAR not in part.names("targets"))
    main, *others = (_group_format(part) for part in parts)
    skipped = details.names("ignore")
    apart = tuple(
        (pattern, Storage(f.quantization, f.block_size, f.group_size, f.has_zero_points))
        for part, f in zip(parts[1:], others, strict=True)
        for pattern in patterns_of(part.names("targets"))
    )
    return replace(
        main,
        unquantized=skipped,
        quantizes_head=not _names(skipped, _HEAD),
        quantizes_vision=not _names(skipped, _VISION),
        kv_cache_dtype="fp8" if details.raw("kv_cache_scheme") else "",
        stored=apart,
    )


def _group_format(group: ConfigValues) -> StoredFormat:
    weights = group.inner("weights")
    is_static = _is_static(group)
    quantization = _scheme(weights, is_static=is_static)
    return StoredFormat(
        quantization,
        "compressed-tensors",
        block_size=_structure(weights) if weights.raw("strategy") == "block" else (0, 0),
        group_size=_group(weights, quantization),
        has_zero_points=weights.raw("symmetric") is False,
        act_order=weights.raw("actorder") in ("group", True),
        static_activations=is_static or quantization is Quantization.NVFP4,
    )


def _is_static(group: ConfigValues) -> bool:
    activations = group.raw("input_activations")
    return isinstance(activations, dict) and activations.get("dynamic") is False


def _scheme(weights: ConfigValues, *, is_static: bool) -> Quantization:
    """Name the quantization of one scheme of compressed-tensors.

    Raises:
        SpecError: a width or type that is not planned.
    """
    bits, kind = weights.size("num_bits"), weights.get("type", str, default="int")
    strategy = weights.raw("strategy")
    if (kind, bits) == ("float", 8):
        is_tensor = strategy == "tensor" or (strategy is None and is_static)
        return Quantization.FP8_STATIC if is_tensor else Quantization.FP8
    if (kind, bits) == ("int", 8):
        grouped = strategy == "group" or weights.raw("group_size") is not None
        return Quantization.GPTQ_INT8 if grouped else Quantization.INT8
    if (kind, bits) == ("int", 4):
        asymmetric = weights.raw("symmetric") is False
        return Quantization.AWQ_INT4 if asymmetric else Quantization.GPTQ_INT4
    if (kind, bits) == ("float", 4):
        is_mx = weights.raw("group_size") == MXFP4_GROUP
        return Quantization.MXFP4 if is_mx else Quantization.NVFP4
    reason = "is no width that is planned"
    choices = ("4 bit int or float", "8 bit int or float")
    raise SpecError(f"{weights.path}: num_bits", f"{bits} bit {kind}", reason, choices)


def _group(weights: ConfigValues, quantization: Quantization) -> int:
    if quantization in (Quantization.INT8, Quantization.FP8, Quantization.FP8_STATIC):
        return 0
    usual = NVFP4_GROUP if quantization is Quantization.NVFP4 else MXFP4_GROUP
    is_float = quantization in (Quantization.NVFP4, Quantization.MXFP4)
    group = weights.raw("group_size")
    if group is None and not is_float:
        return 0  # one scale for all inputs
    return weights.size("group_size", usual)


def _structure(weights: ConfigValues) -> tuple[int, int]:
    block = weights.raw("block_structure")
    if isinstance(block, list) and [type(side) for side in block] == [int, int]:
        return (block[0], block[1])
    reason = "must be two whole numbers"
    raise SpecError(f"{weights.path}: block_structure", json.dumps(block), reason, ["[128, 128]"])


_READERS: dict[str, Callable[[ConfigValues], StoredFormat]] = {
    "fp8": _fp8,
    "awq": _awq,
    "gptq": _gptq,
    "modelopt": _modelopt,
    "modelopt_fp4": _modelopt,
    "compressed-tensors": _compressed_tensors,
}

NAMES = tuple(_READERS)
"""Methods that are planned."""
