"""Rows on disk: written in order and whole, so that an interrupted sweep goes on where it was."""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen3_planner.errors import SpecError
from qwen3_planner.sweep.answering import COLUMNS, is_row_of
from qwen3_planner.sweep.cases import FIELD_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qwen3_planner.sweep.answering import Row
    from qwen3_planner.sweep.cases import Cases

ENDINGS = (".jsonl", ".csv", ".parquet")
ROWS_AT_ONCE = 10_000
"""Rows of one Parquet row group."""

_TEXT = frozenset(
    {"error", "engine", "engineVersion", "quantization", "kvCacheDtype", "accelerator", "layout"}
    | {"rule", "message", "nearest"}
)
_FRACTIONS = frozenset(
    {"maxConcurrency", "ttftMs", "tpotMs", "outputTokensPerSecond", "usdPerHour"}
    | {"usdPerMillionOutputTokens"}
)


@dataclass(frozen=True, slots=True)
class Keeper:
    """Where the rows of one sweep go.

    Attributes:
        out: the file that was asked for.
        journal: JSON lines, one a case in order; ``out`` itself where that is JSONL.
    """

    out: Path
    journal: Path


def keeper_of(out: str) -> Keeper:
    """Say where rows go, by the ending.

    Raises:
        SpecError: the ending says no form, the folder is missing, or Parquet cannot be written.
    """
    path = Path(out)
    if path.suffix.lower() not in ENDINGS:
        raise SpecError("--output", out, "has an ending that says no form", ENDINGS)
    if not path.parent.is_dir():
        raise SpecError("--output", out, f"there is no folder {path.parent}")
    if path.suffix.lower() == ".parquet":
        _pyarrow(out)
    is_lines = path.suffix.lower() == ".jsonl"
    return Keeper(path, path if is_lines else path.with_name(f"{path.name}.part.jsonl"))


def rows_done(keeper: Keeper, cases: Cases) -> int:
    """Count the rows of an earlier run, and cut off a last one that was not written whole.

    Raises:
        SpecError: they are of other cases, or the result is already there.
    """
    if keeper.journal != keeper.out and keeper.out.exists():
        reason = "is there already; name another file or remove it"
        raise SpecError("--output", str(keeper.out), reason)
    if not keeper.journal.exists():
        return 0
    whole, count, last = 0, 0, b""
    with keeper.journal.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                break
            whole, count, last = whole + len(line), count + 1, line
    if count > cases.count or (count and not _is_case(last, cases, count - 1)):
        reason = f"{keeper.journal} holds rows of other cases; name another file or remove it"
        raise SpecError("--output", str(keeper.out), reason)
    os.truncate(keeper.journal, whole)
    return count


def _is_case(line: bytes, cases: Cases, number: int) -> bool:
    try:
        row = json.loads(line)
    except ValueError:
        return False
    fields = next(islice(cases.read(), number, None), None)
    return fields is not None and is_row_of(row, fields)


def append(keeper: Keeper, batches: Iterable[list[Row]]) -> Iterator[list[Row]]:
    """Write each batch at once and whole, and pass it on."""
    with keeper.journal.open("ab") as file:
        for rows in batches:
            file.write("".join(json.dumps(row) + "\n" for row in rows).encode())
            file.flush()
            yield rows


def finish(keeper: Keeper) -> None:
    """Turn the journal into what was asked for; nothing to do for JSONL."""
    if keeper.journal == keeper.out:
        return
    unfinished = keeper.out.with_name(f"{keeper.out.name}.part")
    if keeper.out.suffix.lower() == ".csv":
        _write_csv(keeper.journal, unfinished)
    else:
        _write_parquet(keeper.journal, unfinished)
    unfinished.replace(keeper.out)
    keeper.journal.unlink()


def errors_in(rows: Iterable[Row]) -> int:
    """Count the cases that were wrong in themselves."""
    return sum(1 for row in rows if "error" in row)


def _rows(journal: Path) -> Iterator[Row]:
    with journal.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield {**{f"case.{name}": value for name, value in row.pop("case").items()}, **row}


def _columns(journal: Path) -> list[str]:
    """List the columns: what the cases say, in the order of the options, then what was answered."""
    said: set[str] = set()
    for row in _rows(journal):
        said.update(name for name in row if name.startswith("case."))
    return [f"case.{n}" for n in FIELD_NAMES if f"case.{n}" in said] + list(COLUMNS[1:])


def _write_csv(journal: Path, out: Path) -> None:
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _columns(journal))
        writer.writeheader()
        writer.writerows(_rows(journal))


def _write_parquet(journal: Path, out: Path) -> None:
    pyarrow = _pyarrow(str(out))
    columns = _columns(journal)
    schema = pyarrow.schema([(name, _kind(name, pyarrow)) for name in columns])
    rows = _rows(journal)
    with pyarrow.parquet.ParquetWriter(out, schema) as writer:
        while group := list(islice(rows, ROWS_AT_ONCE)):
            table = {name: [_cell(name, row.get(name)) for row in group] for name in columns}
            writer.write_table(pyarrow.table(table, schema=schema))


def _kind(name: str, pyarrow: Any) -> Any:  # noqa: ANN401 - types of an optional library
    if name.startswith("case.") or name in _TEXT:
        return pyarrow.string()
    if name == "feasible":
        return pyarrow.bool_()
    return pyarrow.float64() if name in _FRACTIONS else pyarrow.int64()


def _cell(name: str, value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    return str(value) if name.startswith("case.") and value is not None else value


def _pyarrow(out: str) -> Any:  # noqa: ANN401 - a module that may be absent
    try:
        pyarrow = import_module("pyarrow")
        import_module("pyarrow.parquet")
    except ImportError:
        reason = "needs pyarrow: pip install 'qwen3-operator[parquet]'"
        raise SpecError("--output", out, reason, [".jsonl", ".csv"]) from None
    return pyarrow
