"""``qwen3 catalog``: what the planner knows, each figure with its source."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click

from qwen3_planner.cli.exit_codes import ExitCode
from qwen3_planner.cli.parameters import Named
from qwen3_planner.cli.writing import Listing, as_json, as_yaml, write

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.catalog.rows import (
        Accelerator,
        Catalog,
        Checkpoint,
        EngineRelease,
        ModelArchitecture,
    )


class Kind(StrEnum):
    """Parts of the catalog."""

    MODELS = "models"
    CHECKPOINTS = "checkpoints"
    ACCELERATORS = "accelerators"
    ENGINES = "engines"


@click.command
@click.argument("KIND", metavar="[KIND]", required=False, type=Named(Kind))
@click.option(
    "-o",
    "--output",
    type=Named(Listing),
    default=Listing.TABLE,
    help="Form of the listing; json and yaml have every figure with its source.  [default: table]",
)
@click.option("--debug", is_flag=True, expose_value=False, hidden=True)
def catalog(*, kind: Kind | None, output: Listing) -> int:
    """List what the planner knows: models, checkpoints, accelerators or engines.

    \b
    qwen3 catalog accelerators
    qwen3 catalog checkpoints -o json
    """  # noqa: D301 - \b is click's mark for lines to keep
    from qwen3_planner.catalog.loading import load_catalog  # noqa: PLC0415 - reads files

    known = load_catalog()
    kinds = [kind] if kind else list(Kind)
    if output is Listing.TABLE:
        write("\n\n".join("\n".join(_table(one, known)) for one in kinds) + "\n")
    else:
        listing = {one.value: [_document(row) for row in getattr(known, one)] for one in kinds}
        document = listing[kind.value] if kind else listing
        write(as_json(document) if output is Listing.JSON else as_yaml(document))
    return ExitCode.PLAN


def _document(row: Any) -> dict[str, Any]:  # noqa: ANN401 - any row of the catalog
    """Say a row with camelCase keys, as all our JSON; absent means not known or not applicable."""
    return {_camel(key): _plain(value) for key, value in asdict(row).items() if value is not None}


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(part.title() for part in rest)


def _plain(value: object) -> object:
    """Turn enum members and tuples into what YAML and JSON know."""
    if isinstance(value, StrEnum):
        return value.value
    return [_plain(part) for part in value] if isinstance(value, tuple) else value


def _table(kind: Kind, known: Catalog) -> Sequence[str]:
    from qwen3_planner.report.table import render  # noqa: PLC0415 - not needed for JSON

    match kind:
        case Kind.MODELS:
            return render(_MODEL, [_model(r) for r in known.models], right=_MODEL[1:-1])
        case Kind.CHECKPOINTS:
            return render(_CHECKPOINT, [_checkpoint(row) for row in known.checkpoints])
        case Kind.ACCELERATORS:
            rows = [_accelerator(row) for row in known.accelerators]
            return render(_ACCELERATOR, rows, right=_ACCELERATOR[1:-1])
        case Kind.ENGINES:
            return render(_ENGINE, [_engine(row) for row in known.engines])


_MODEL = ("model", "layers", "hidden", "heads", "KV heads", "experts", "context", "tied head")
_CHECKPOINT = ("checkpoint", "model", "quantization", "block or group", "publisher")
_ACCELERATOR = (
    "accelerator",
    "memory MiB",
    "usable MiB",
    "GB/s",
    "BF16 TFLOPS",
    "link GB/s",
    "CUDA",
)
_ENGINE = ("engine", "default", "newest known", "minimum", "images")


def _model(row: ModelArchitecture) -> tuple[str, ...]:
    experts = f"{row.experts_per_token} of {row.experts}" if row.is_moe else "-"
    sizes = (row.layers, row.hidden_size, row.attention_heads, row.kv_heads)
    context = f"{row.max_position_embeddings:,}"
    return (row.name, *map(str, sizes), experts, context, "yes" if row.tied_embeddings else "no")


def _checkpoint(row: Checkpoint) -> tuple[str, ...]:
    shape = "x".join(map(str, row.block_size)) if row.block_size != (0, 0) else "-"
    shape = str(row.group_size) if row.group_size else shape
    publisher = "Qwen" if row.official else "community"
    return (row.uri, row.variant, row.quantization, shape, publisher)


def _accelerator(row: Accelerator) -> tuple[str, ...]:
    flops = "-" if row.bf16_tflops is None else f"{row.bf16_tflops:g}"
    link = f"{row.link_gb_per_s:g}" if row.link_gb_per_s else "-"
    cuda = "-" if row.compute_capability is None else ".".join(map(str, row.compute_capability))
    memory = (str(row.memory_mib), str(row.usable_memory_mib), f"{row.memory_gb_per_s:g}")
    return (row.name, *memory, flops, link, cuda)


def _engine(row: EngineRelease) -> tuple[str, ...]:
    images = ", ".join(f"{vendor}: {image}" for vendor, image in row.images)
    return (row.name, row.default_version, row.newest_known_version, row.minimum_version, images)
