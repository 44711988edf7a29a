"""Planning from the files at hand: a checkpoint's row made exact by the headers of its files."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from qwen3_planner.catalog.local_folder import FILE, looks_like_folder
from qwen3_planner.catalog.resolving import ResolvedModel
from qwen3_planner.catalog.rows import Checkpoint, Storage
from qwen3_planner.checkpoints.names import canonical, general, parts_of
from qwen3_planner.checkpoints.reading import holds_weights, read_checkpoint
from qwen3_planner.checkpoints.recognizing import Found, storage_of
from qwen3_planner.errors import SpecError
from qwen3_planner.request import Quantization
from qwen3_planner.sizing.formats import HEAD, format_of
from qwen3_planner.sizing.modules import (
    Linear,
    layer_modules,
    outside_modules,
    prediction_modules,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.checkpoints.header import CheckpointHeader, HeaderTensor

OPTION = "--from-checkpoint"
_PLAIN = (Quantization.BF16, Quantization.FP16)


def with_files(
    resolved: ResolvedModel, typed: str, from_checkpoint: str | None, source: str | None = None
) -> ResolvedModel:
    """Take what the headers of the weights say over what a config.json or the catalog says.

    Args:
        resolved: what the MODEL argument stands for.
        typed: that argument; a folder with weights is read without being asked.
        from_checkpoint: file or folder of weights to read; None: none was named.
        source: where the weights will come from, if that was fixed.

    Raises:
        SpecError: the files cannot be read, or are not those of the model.
    """
    if from_checkpoint is not None:
        place, field = from_checkpoint, OPTION
    elif looks_like_folder(typed) and holds_weights(Path(typed).expanduser()):
        place, field = typed, "MODEL"
    else:
        return resolved
    header = read_checkpoint(place, field=field)
    uri = source or resolved.source or _uri(place)
    model = resolved.catalog.model(resolved.name)
    row = exact_row(header, model, _like(resolved, uri), field=field)
    others = tuple(other for other in resolved.catalog.checkpoints if other.uri != uri)
    extended = replace(resolved.catalog, checkpoints=(row, *others))
    return ResolvedModel(resolved.name, extended, Quantization(row.quantization), uri)


def _uri(place: str) -> str:
    path = Path(place).expanduser().resolve()
    return f"{FILE}{path if path.is_dir() else path.parent}"


def _like(resolved: ResolvedModel, uri: str) -> Checkpoint:
    """Return the row that the files belong to, or the likest: it tells what no header does."""
    rows = resolved.catalog.checkpoints_of(resolved.name)
    known = [row for row in rows if row.uri == uri] or list(rows)
    if not known:
        raise SpecError(OPTION, uri, f"no checkpoint of {resolved.name} is known to compare with")
    return replace(known[0], uri=uri, file="")


def exact_row(
    header: CheckpointHeader, model: ModelArchitecture, like: Checkpoint, *, field: str
) -> Checkpoint:
    """Make a checkpoint's row exact from the header of its files.

    Args:
        header: of the files.
        model: that they must be of.
        like: row with what headers do not say (act order, KV cache scheme).
        field: that named the files, for messages.

    Raises:
        SpecError: tensors are missing, of another shape, or stored in a way that is not planned.
    """
    groups = _by_module(header, model)
    found = {
        module.name: (module, _found(module, groups, header, field))
        for module in _linears(model, groups)
    }
    _refuse_strangers(found, groups, header, model, field)
    main = _usual(found.values())
    same = like.quantization == main.storage.quantization
    row = Checkpoint(
        variant=model.name,
        quantization=_label(main, model),
        uri=like.uri,
        block_size=main.storage.block_size,
        group_size=main.storage.group_size,
        has_zero_points=like.has_zero_points if same else main.storage.has_zero_points,
        official=like.official,
        source=f"header of {header.place}",
        as_of=like.as_of,
        method=main.method,
        quantizes_vision=True,
        quantizes_head=True,
        act_order=like.act_order and same,
        static_activations=main.is_static,
        kv_cache_dtype=like.kv_cache_dtype if same else "",
        tensor_bytes=header.n_bytes,
    )
    return replace(row, stored=_exceptions(row, found))


def _label(main: Found, model: ModelArchitecture) -> str:
    if main.storage.quantization == Quantization.BF16 and model.torch_dtype == "float16":
        return Quantization.FP16
    return main.storage.quantization


_Groups = dict[str, dict[str, "HeaderTensor"]]


def _by_module(header: CheckpointHeader, model: ModelArchitecture) -> _Groups:
    """Group tensors by the module they belong to, under the names the planner uses."""
    groups: _Groups = defaultdict(dict)
    for tensor in header.tensors:
        module, part = parts_of(canonical(tensor.name, has_vision=model.vision is not None))
        groups[module][part] = tensor
    return groups


def _linears(model: ModelArchitecture, groups: Mapping[str, object]) -> Iterable[Linear]:
    """Yield every linear layer that the files must hold: those of each expert apart."""
    with_head = HEAD in groups or not (model.tied_embeddings or model.is_pooling)
    modules = [*outside_modules(model, with_head=with_head)]
    for layer in range(model.layers):
        modules += layer_modules(model, layer)
    if any(name.startswith("mtp.") for name in groups):
        modules += prediction_modules(model)
    return (module for module in modules if isinstance(module, Linear))


def _found(module: Linear, groups: _Groups, header: CheckpointHeader, field: str) -> Found:
    """Recognize one module, or all experts of one: they must be alike.

    Raises:
        SpecError: it is missing, of another shape, or its experts differ.
    """
    names = [module.name.replace("*", str(index)) for index in range(module.copies)]
    if module.copies > 1 and names[0] not in groups:
        stacked = _stacked(module, groups)
        if stacked is not None:
            return stacked
    kinds = set()
    for name in names:
        parts = groups.get(name)
        if not parts:
            reason = f"lacks {name}, which {module.rows} x {module.columns} weights belong to"
            raise SpecError(field, header.place, reason)
        kind = storage_of(module, parts)
        if kind is None:
            shown = ", ".join(f"{part} {t.dtype} {list(t.shape)}" for part, t in parts.items())
            size = f"{module.rows} x {module.columns}"
            reason = f"holds {name} in no form that is planned for {size}: {shown}"
            raise SpecError(field, header.place, reason)
        kinds.add(kind)
    if len(kinds) > 1:
        reason = f"stores the experts of {module.name} in {len(kinds)} ways; no engine fuses them"
        raise SpecError(field, header.place, reason)
    return kinds.pop()


def _stacked(module: Linear, groups: _Groups) -> Found | None:
    """Recognize experts that are stored in one tensor (``mlp.experts.gate_up_proj``)."""
    stem, _, part = module.name.partition(".*.")
    parts = groups.get(stem, {})
    name = "down_proj" if part == "down_proj" else "gate_up_proj"
    tensor = parts.get(name)
    sides = 1 if part == "down_proj" else 2
    if tensor is None or sorted(tensor.shape) != sorted(
        (module.copies, sides * module.rows, module.columns)
    ):
        return None
    if f"{name}_scale_inv" in parts:
        return Found(Storage(Quantization.FP8, (128, 128)), "fp8")
    return Found(Storage(Quantization.BF16))


def _refuse_strangers(
    found: Mapping[str, object],
    groups: _Groups,
    header: CheckpointHeader,
    model: ModelArchitecture,
    field: str,
) -> None:
    """Refuse files with layers or experts that the architecture does not have.

    Raises:
        SpecError: naming the first tensor that is too many.
    """
    known = {general(name) for name in found}
    for name, parts in groups.items():
        if "weight" in parts and len(parts["weight"].shape) == 2 and general(name) in known:  # noqa: PLR2004 - a matrix
            is_known = name in found or _expert_is_known(name, model)
            if not is_known:
                reason = f"holds {parts['weight'].name}, which {model.name} does not have"
                raise SpecError(field, header.place, reason)


def _expert_is_known(name: str, model: ModelArchitecture) -> bool:
    before, dot, after = name.partition(".experts.")
    number, _, _ = after.partition(".")
    layer = next((part for part in before.split(".") if part.isdigit()), "0")
    limit = max(model.layers, model.prediction_layers)
    return bool(dot) and number.isdigit() and int(number) < model.experts and int(layer) < limit


def _usual(found: Iterable[tuple[Linear, Found]]) -> Found:
    """Return the format that most weights of the decoder have; 16 bit only where all have it."""
    weights: Counter[Found] = Counter()
    for module, kind in found:
        if kind.storage.quantization not in _PLAIN:
            weights[kind] += module.elements
    return weights.most_common(1)[0][0] if weights else Found(Storage(Quantization.BF16))


def _exceptions(
    row: Checkpoint, found: Mapping[str, tuple[Linear, Found]]
) -> tuple[tuple[str, Storage], ...]:
    """List the modules that differ from the row, those of all layers by one pattern."""
    usual = format_of(row)
    if not usual.is_quantized:
        return ()
    differing: dict[str, Storage] = {}
    for name, (module, kind) in found.items():
        plain = kind.storage.quantization in _PLAIN
        if module.keeps_precision:
            if not plain:
                differing[name] = kind.storage
        elif plain or not _is_like(row, kind):
            differing[name] = Storage(Quantization.BF16) if plain else kind.storage
    return _shortened(differing, found)


def _is_like(row: Checkpoint, kind: Found) -> bool:
    storage = kind.storage
    return (storage.quantization, storage.block_size, storage.group_size) == (
        row.quantization,
        row.block_size,
        row.group_size,
    )


def _shortened(
    differing: Mapping[str, Storage], found: Mapping[str, object]
) -> tuple[tuple[str, Storage], ...]:
    """Write one pattern where all modules of a kind differ alike."""
    all_alike = Counter(general(name) for name in found)
    ways: defaultdict[str, Counter[Storage]] = defaultdict(Counter)
    for name, storage in differing.items():
        ways[general(name)][storage] += 1
    patterns = {}
    for name, storage in differing.items():
        wide = general(name)
        is_all = ways[wide][storage] == all_alike[wide]
        patterns[wide if is_all else name] = storage
    return tuple(patterns.items())
