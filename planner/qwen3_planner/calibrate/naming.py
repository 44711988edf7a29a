"""What a log calls a model and a card, in the catalog's words; contradictions are errors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from qwen3_planner.catalog.resolving import resolve_accelerator, resolve_model
from qwen3_planner.errors import SpecError, nearest_first

if TYPE_CHECKING:
    from qwen3_planner.calibrate.facts import Facts
    from qwen3_planner.calibrate.reading import Stated
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory

_CACHED = re.compile(r"models--([^/]+)--([^/]+)")
_LLAMA = re.compile(r"qwen3(?:moe)?\s+([\d.]+)B(?:\.A([\d.]+)B)?\b", re.IGNORECASE)


def model_typed(typed: str | None, facts: Facts, catalog: Catalog) -> str:
    """Return what the question's MODEL is: as typed, or as the inputs name it.

    Raises:
        SpecError: neither names one that is known, or they name different ones.
    """
    stated = facts.get("model") or facts.get("gguf")
    found = None if stated is None else model_named(str(stated.value), catalog)
    if typed is not None:
        if found is not None and stated is not None:
            _same_model(typed, found, stated, catalog)
        return typed
    if found is not None:
        return found
    names = [row.name for row in catalog.models]
    if stated is None:
        reason = "no input names the model: name it"
        raise SpecError("--model", "(missing)", reason, names[:8])
    reason = f"({stated.place}) is no model of the catalog: say with --model which one it is"
    nearest = nearest_first(str(stated.value).rpartition("/")[2], names)[:5]
    raise SpecError("--model", stated.value, reason, nearest)


def model_named(said: str, catalog: Catalog) -> str | None:
    """Return a name that the catalog resolves: the id itself, or the last part of a path.

    >>> from qwen3_planner.catalog.loading import load_catalog
    >>> paths = ("/models/Qwen3-8B/", "/hub/models--Qwen--Qwen3-32B-FP8/snapshots/ab12", "x/y")
    >>> [model_named(path, load_catalog()) for path in paths]
    ['Qwen3-8B', 'Qwen/Qwen3-32B-FP8', None]
    """
    cached = _CACHED.search(said)
    llama = _LLAMA.match(said)
    tail = said.rstrip("/").rpartition("/")[2]
    tries = [f"{cached[1]}/{cached[2]}"] if cached else [said, tail, f"Qwen/{tail}"]
    if llama:
        tries = [f"Qwen3-{llama[1]}B" + (f"-A{llama[2]}B" if llama[2] else "")]
    ids = {row.name.lower() for row in catalog.models}
    ids |= {row.uri.removeprefix("hf://").lower() for row in catalog.checkpoints}
    known = next((name for name in tries if name.lower() in ids), None)
    return said if known is None and Path(said, "config.json").is_file() else known


def _same_model(typed: str, found: str, stated: Stated, catalog: Catalog) -> None:
    wanted = resolve_model(typed, catalog, field="--model").name
    logged = resolve_model(found, catalog, field="--model").name
    is_alike = "gguf" in str(stated.place) or _architecture(wanted, catalog) == _architecture(
        logged, catalog
    )
    if wanted != logged and not is_alike:
        reason = f"contradicts {stated.place}, which says {stated.value}"
        raise SpecError("--model", typed, reason, (logged,))


def _architecture(name: str, catalog: Catalog) -> tuple[object, ...] | str:
    """Return what tells architectures apart, for fine-tunes and editions of one model."""
    row = next((row for row in catalog.models if row.name == name), None)
    if row is None:
        return name
    return row.hidden_size, row.layers, row.kv_heads, row.experts, row.vision is None, row.runner


def hardware_typed(typed: tuple[str, ...], facts: Facts, catalog: Catalog) -> tuple[str, ...]:
    """Return the hardware of the question: as typed, or the card that a log names.

    Raises:
        SpecError: neither names a card, or they name different ones, or it is no GPU.
    """
    device = facts.get("device")
    if device is not None and str(device.value) == "cpu" and facts["engine"].value != "llamacpp":
        reason = f"{device.place}: it ran on a CPU, where {facts['engine'].value} is not planned"
        raise SpecError("FILE", device.place.rpartition(" line ")[0] or "log", reason)
    named = facts.get("accelerator")
    if typed:
        return typed
    if named is None:
        reason = "no input names the card: say what it ran on"
        raise SpecError("--hardware", "(missing)", reason, ("1xH100-SXM-80GB", "2xL40S-48GB"))
    label = str(named.value).replace("_", "-")
    try:
        row = resolve_accelerator(label, catalog.accelerators, field="--hardware")
    except SpecError as error:
        reason = f"({named.place}) {error.reason}; say with --hardware which card it is"
        raise SpecError("--hardware", named.value, reason, error.choices) from None
    return (f"{gpus_of(facts)}x{row.name}",)


def check_card(inventory: Inventory, facts: Facts, catalog: Catalog) -> None:
    """Refuse hardware that is another card than the log names.

    Raises:
        SpecError: naming both. A card that the log names in words of its own says nothing.
    """
    named = facts.get("accelerator")
    if named is None:
        return
    label = str(named.value).replace("_", "-")
    here = inventory.accelerators
    try:
        meant = resolve_accelerator(label, catalog.accelerators, field="--hardware")
    except SpecError:
        return  # several, or none that is known
    is_here = any(
        row.name == meant.name  # or one that an inventory describes as being like it
        or (row.architecture, row.memory_gb_per_s) == (meant.architecture, meant.memory_gb_per_s)
        for row in here
    )
    if not is_here:
        typed = ", ".join(row.name for row in here)
        reason = f"contradicts {named.place}, which says {named.value}"
        raise SpecError("--hardware", typed, reason, (f"{gpus_of(facts)}x{meant.name}",))


def gpus_of(facts: Facts) -> int:
    """Return the GPUs of one replica, as far as they are stated."""
    sizes = [int(facts[name].value) if name in facts else 1 for name in ("tensor", "pipeline")]
    data = 1 if "data_attention" in facts or "data" not in facts else int(facts["data"].value)
    return sizes[0] * sizes[1] * data
