"""Measured speeds, what aiconfigurator says of each, and what the planner says: dated data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.peers.figures import PeerQuestion
from support.performance.rows import predicted, read_rows
from support.performance.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.performance.rows import Row

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "docs" / "reference" / "peers.json"
PAGE = ROOT / "docs" / "reference" / "peers.md"

DIGITS = 5

MEASURE = "tpot_ms"
"""What both predict alike: time per output token; measured times to the first token hold queues
that aiconfigurator leaves out."""

HEAD = """# Beside aiconfigurator

<!-- Written by `make accuracy-peers` from docs/reference/peers.json; do not edit. -->

What [aiconfigurator](https://github.com/ai-dynamo/aiconfigurator) {version} (Apache-2.0) says of
the time per output token, and what this planner says, both against what was measured: the rows of
vLLM and SGLang in `tests/unit/planner/accuracy/performance/rows.json`. Asked on {as_of} through its
`cli_estimate`, mode `agg`, one call a row. Its tables are of {tables}; rows are of other releases
too, and it sees no limit of the scheduler.

The planner's efficiencies are fitted to two thirds of these rows, so only those *kept out* compare
fairly. Errors are medians of |said / measured - 1|. Measured times to the first token hold queues,
which aiconfigurator leaves out, so they are not compared.
"""


@dataclass(frozen=True, slots=True)
class Said:
    """One row.

    Attributes:
        id: of the row.
        group: engine, card, kind of model and weight format.
        kept_out: whether the planner was not fitted to it.
        measured: milliseconds.
        ours: as predicted now.
        peer: as aiconfigurator said; None where it says nothing.
        reason: why it says nothing; empty where it does.
    """

    id: str
    group: str
    kept_out: bool
    measured: float
    ours: float
    peer: float | None
    reason: str = ""


def rows() -> tuple[Row, ...]:
    """List the rows that state a time per token, of engines that both plan."""
    return tuple(
        row
        for row in read_rows()
        if not row.is_excluded and MEASURE in row.measured and row.engine != "llamacpp"
    )


def question_of(row: Row) -> PeerQuestion:
    """Say a row as any planner would be asked."""
    load = row.load
    return PeerQuestion(
        model=row.model,
        engine=row.engine,
        accelerator=row.raw["device"],
        quantization=row.raw["quantization"],
        kv_cache_dtype="bf16",
        layout=row.layout,
        input_tokens=load.input_tokens,
        output_tokens=load.output_tokens,
        concurrency=load.concurrency,
    )


def compared(asked: Callable[[PeerQuestion], tuple[float | None, str]]) -> Iterator[Said]:
    """Compare every row; a peer's answer is milliseconds, or none and a reason."""
    table = Table({}, load_catalog().efficiencies, {})
    for row in rows():
        efficiency = table.of(row)
        if efficiency is None:
            continue
        peer, reason = asked(question_of(row))
        yield Said(
            id=row.id,
            group=f"{row.engine} {row.raw['device']} {row.kind} {row.weights}",
            kept_out=row.is_tested,
            measured=row.measured[MEASURE],
            ours=predicted(row, efficiency)[MEASURE],
            peer=peer,
            reason=reason,
        )


def document(
    said: Sequence[Said], version: str, tables: Sequence[str], as_of: str
) -> dict[str, Any]:
    """Say what was asked as dated data."""
    return {
        "peer": "aiconfigurator",
        "version": version,
        "tables": sorted(set(tables)),
        "as_of": as_of,
        "measure": MEASURE,
        "rows": [_row_document(each) for each in said],
    }


def _row_document(said: Said) -> dict[str, Any]:
    row = {**asdict(said), "ours": _short(said.ours)}
    row["peer"] = None if said.peer is None else _short(said.peer)
    return row if said.reason else {key: row[key] for key in row if key != "reason"}


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def renewed(data: dict[str, Any]) -> dict[str, Any]:
    """Predict again what the planner says; what the peer said stays."""
    known = {row["id"]: (row["peer"], row.get("reason", "")) for row in data["rows"]}
    ids = iter([row.id for row in rows()])

    def asked(question: PeerQuestion) -> tuple[float | None, str]:
        del question  # rows come in the same order
        return known.get(next(ids), (None, "it was not asked"))

    return document(list(compared(asked)), data["version"], data["tables"], data["as_of"])


def page(data: dict[str, Any]) -> str:
    """Write the page from the data."""
    said = [Said(**{"reason": "", **row}) for row in data["rows"]]
    head = HEAD.format(
        version=data["version"], as_of=data["as_of"], tables=" and ".join(data["tables"])
    )
    return "\n".join([head, *_table(said), "", *_reasons(said)]).rstrip() + "\n"


def _table(said: Sequence[Said]) -> Iterator[str]:
    yield "| rows | n | aiconfigurator | ours | kept out | aiconfigurator | ours |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    both = [each for each in said if each.peer is not None]
    for group in sorted({each.group for each in both}):
        yield _line(group, [each for each in both if each.group == group])
    yield _line("**all**", both)


def _line(name: str, chosen: Sequence[Said]) -> str:
    kept = [each for each in chosen if each.kept_out]
    cells = [
        name,
        str(len(chosen)),
        _peer(chosen),
        _ours(chosen),
        str(len(kept)),
        _peer(kept),
        _ours(kept),
    ]
    return f"| {' | '.join(cells)} |"


def _peer(chosen: Sequence[Said]) -> str:
    return _median([abs((each.peer or 0.0) / each.measured - 1.0) for each in chosen])


def _ours(chosen: Sequence[Said]) -> str:
    return _median([abs(each.ours / each.measured - 1.0) for each in chosen])


def _median(errors: Sequence[float]) -> str:
    return f"{median(errors):.1%}" if errors else "-"


def _reasons(said: Sequence[Said]) -> Iterator[str]:
    counts: dict[str, int] = {}
    for each in said:
        if each.reason:
            counts[each.reason] = counts.get(each.reason, 0) + 1
    if counts:
        yield "Rows that it says nothing of:"
        yield ""
        for reason, count in sorted(counts.items()):
            yield f"- {count}: {reason}"
