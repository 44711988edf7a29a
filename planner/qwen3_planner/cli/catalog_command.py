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
    from collections.abc import Callable, Sequence

    from qwen3_planner.catalog.choosing import ExportRule, Licence, Score
    from qwen3_planner.catalog.figures import ApiPrice, GpuPrice, PurchasePrice
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
    PRICES = "prices"
    PURCHASES = "purchases"
    HOSTS = "hosts"
    SCORES = "scores"
    LICENCES = "licences"
    EXPORT_RULES = "export-rules"


PLANNED_WITH = (Kind.MODELS, Kind.CHECKPOINTS, Kind.ACCELERATORS, Kind.ENGINES)
"""What is listed where no kind is named; the others are for comparing and choosing."""


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

    Also what GPUs cost to rent (prices) and to buy (purchases), what hosts ask for tokens, scores,
    licences and export rules; each row with its source and date.

    \b
    qwen3 catalog accelerators
    qwen3 catalog checkpoints -o json
    qwen3 catalog hosts
    """  # noqa: D301 - \b is click's mark for lines to keep
    from qwen3_planner.catalog.loading import load_catalog  # noqa: PLC0415 - reads files

    known = load_catalog()
    kinds = [kind] if kind else list(PLANNED_WITH)
    if output is Listing.TABLE:
        write("\n\n".join("\n".join(_table(one, known)) for one in kinds) + "\n")
    else:
        listing = {one.value: [_document(row) for row in _rows(one, known)] for one in kinds}
        document = listing[kind.value] if kind else listing
        write(as_json(document) if output is Listing.JSON else as_yaml(document))
    return ExitCode.PLAN


def _rows(kind: Kind, known: Catalog) -> Sequence[Any]:
    """Return the rows of a kind; those that plans do not need are read now."""
    from qwen3_planner.catalog import choosing, loading  # noqa: PLC0415 - reads files

    rows: Sequence[Any]
    match kind:
        case Kind.PURCHASES:
            rows = loading.load_purchase_prices()
        case Kind.HOSTS:
            rows = loading.load_api_prices()
        case Kind.SCORES | Kind.LICENCES | Kind.EXPORT_RULES:
            rows = getattr(choosing.load_choosing(), kind.replace("-", "_"))
        case _:
            rows = getattr(known, kind)
    return rows


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
        case _:
            headers, right, line = _OTHERS[kind]
            return render(headers, [line(row) for row in _rows(kind, known)], right=right)


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


def _usd(value: float) -> str:
    return f"{value:,.4g}" if value < THOUSAND else f"{value:,.0f}"


THOUSAND = 1000.0


def _rent(row: GpuPrice) -> tuple[str, ...]:
    return (row.accelerator, _usd(row.usd_per_hour), row.market, row.provider, row.as_of or "-")


def _purchase(row: PurchasePrice) -> tuple[str, ...]:
    asked = f"{_usd(row.usd_low)} to {_usd(row.usd_high)}"
    return (row.accelerator, asked, row.condition, row.as_of)


def _host(row: ApiPrice) -> tuple[str, ...]:
    thinking = row.usd_per_million_reasoning
    prices = (_usd(row.usd_per_million_input), _usd(row.usd_per_million_output))
    return (
        row.variant or row.model,
        row.provider,
        *prices,
        "-" if thinking is None else _usd(thinking),
        row.as_of,
    )


def _score(row: Score) -> tuple[str, ...]:
    return (row.variant, row.mode, row.benchmark, f"{row.score:g}")


def _licence(row: Licence) -> tuple[str, ...]:
    return (row.publisher, row.licence, row.as_of)


def _export_rule(row: ExportRule) -> tuple[str, ...]:
    return (row.name, row.status, " ".join(row.regions), row.as_of)


_OTHERS: dict[Kind, tuple[Sequence[str], Sequence[str], Callable[[Any], tuple[str, ...]]]] = {
    Kind.PRICES: (("accelerator", "$/hour", "market", "provider", "as of"), ["$/hour"], _rent),
    Kind.PURCHASES: (("accelerator", "$", "condition", "as of"), ["$"], _purchase),
    Kind.HOSTS: (
        ("model", "host", "$/M in", "$/M out", "thinking", "as of"),
        ["$/M in", "$/M out", "thinking"],
        _host,
    ),
    Kind.SCORES: (("variant", "mode", "benchmark", "score"), ["score"], _score),
    Kind.LICENCES: (("publisher", "licence", "as of"), [], _licence),
    Kind.EXPORT_RULES: (("rule", "status", "regions", "as of"), [], _export_rule),
}
"""Of the kinds that plans do without: headers, those at the right, and a row in words."""
