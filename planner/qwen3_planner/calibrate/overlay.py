"""Overlay files: read, merged under a lock, written whole or not at all."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen3_planner.catalog.calibration import NOTHING_MEASURED
from qwen3_planner.corrections.document import (
    SCHEMA,
    calibration_of,
    merged,
    rows_of,
    to_document,
)
from qwen3_planner.corrections.parsing import from_document
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.catalog.calibration import Calibration
    from qwen3_planner.corrections.document import Row

STDIN = "-"

HEAD = (
    "# Written by `qwen3 calibrate`. Entries may be edited; comments are lost when it runs again.\n"
)


def read_overlay(path: str, field: str) -> Calibration:
    """Read an overlay file, YAML or JSON; ``-`` is stdin.

    Raises:
        SpecError: it cannot be read or is none; where.
    """
    try:
        text = sys.stdin.read() if path == STDIN else Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SpecError(field, path, f"cannot be read: {reason}") from None
    return parse_overlay(text, path, field)


def parse_overlay(text: str, path: str, field: str) -> Calibration:
    """Read the text of an overlay.

    Raises:
        SpecError: it is none; where.
    """
    return from_document(_parsed(text, path, field), path)


def looks_like_overlay(head: str) -> bool:
    """Whether a text begins as an overlay does, in YAML or JSON."""
    return SCHEMA in head and head.lstrip().startswith(("{", "#", "schema", "entries"))


def merge_into(path: str, rows: Sequence[Row], field: str) -> Calibration:
    """Add rows to an overlay file; it is made where there is none.

    Whoever merges at the same time waits, so that no entry is lost.

    Raises:
        SpecError: the file there is no overlay, or cannot be written.
    """
    if path == STDIN:
        raise SpecError(field, path, "nothing can be added to stdin: name a file", ["mine.yaml"])
    target = Path(path)
    try:
        with _locked(target):
            exists = target.exists() and target.stat().st_size > 0
            known = read_overlay(path, field) if exists else NOTHING_MEASURED
            whole = calibration_of(merged(rows_of(known), rows))
            write_whole(target, _written(whole, target))
    except OSError as error:
        raise SpecError(field, path, f"cannot be written: {error.strerror or error}") from None
    return whole


def write_whole(target: Path, text: str) -> None:
    """Replace a file at once: a reader sees the old one or the new one, also after a crash."""
    real = target.resolve()
    mode = real.stat().st_mode & 0o777 if real.exists() else 0o644
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(real)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Hold the folder's lock of this file; it is the folder that is locked, so no file is left."""
    import fcntl  # noqa: PLC0415 - POSIX only, as is all that writes here

    folder = os.open(target.resolve().parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _is_json(path: Path) -> bool:
    return path.suffix.lower() == ".json"


def _written(whole: Calibration, target: Path) -> str:
    document = to_document(rows_of(whole))
    if _is_json(target):
        import json  # noqa: PLC0415 - one of two forms

        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    import yaml  # noqa: PLC0415 - as above

    return HEAD + str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100))


def _parsed(text: str, path: str, field: str) -> Any:  # noqa: ANN401 - whatever it holds
    if text.lstrip().startswith("{"):
        import json  # noqa: PLC0415 - a hundred times as fast as YAML

        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            reason = f"is no JSON: {error.msg}, line {error.lineno} column {error.colno}"
            raise SpecError(field, path, reason) from None
    import yaml  # noqa: PLC0415 - as above

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1} column {mark.column + 1}" if mark else ""
        reason = f"is no YAML: {getattr(error, 'problem', None) or 'it cannot be parsed'}{where}"
        raise SpecError(field, path, reason) from None
