"""What may not get worse: the medians and worst errors that were once reached."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from support.accuracy.rows import FOLDER
from support.accuracy.scores import confusion, score
from support.performance.promises import speed_baseline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.accuracy.comparing import Comparison

PATH = FOLDER / "baseline.json"
DIGITS = 6
"""Of a share; what differs less is arithmetic, not accuracy."""


def measured(comparison: Comparison) -> dict[str, Any]:
    """Sum up what is compared with the baseline: one entry per part, engine and kind of row."""
    found: dict[str, Any] = {}
    for part, engine, is_fitted in sorted(
        {(f.part, f.engine, f.is_fitted) for f in comparison.figures}
    ):
        group = [
            f
            for f in comparison.figures
            if (f.part, f.engine, f.is_fitted) == (part, engine, is_fitted)
        ]
        kind = "fitted" if is_fitted else "tested"
        sums = score(group)
        found[f"{part} {engine} {kind}"] = {
            "rows": sums.rows,
            "median": round(sums.median, DIGITS),
            "worst": round(sums.worst, DIGITS),
        }
    told = confusion(v for v in comparison.verdicts if not v.is_fitted)
    wrong = len(told.starts_wrongly) + len(told.refuses_wrongly)
    found["verdict tested"] = {"rows": told.rows, "wrong": wrong}
    return {**found, **speed_baseline()}


def worsened(now: dict[str, Any], before: dict[str, Any]) -> Iterator[str]:
    """Say what got worse: fewer rows, a larger median, more wrong verdicts."""
    for name, then in before.items():
        here = now.get(name)
        if here is None:
            yield f"{name}: no row is compared any more; there were {then['rows']}"
            continue
        if here["rows"] < then["rows"]:
            yield f"{name}: {here['rows']} rows are compared; there were {then['rows']}"
        for figure in ("median", "wrong"):
            if figure in then and here[figure] > then[figure]:
                yield f"{name}: {figure} {then[figure]:g} became {here[figure]:g}"


def read(path: Path = PATH) -> dict[str, Any]:
    """Read the baseline."""
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def write(comparison: Comparison, path: Path = PATH) -> None:
    """Record what is measured now as what may not get worse."""
    path.write_text(json.dumps(measured(comparison), indent=2, sort_keys=True) + "\n", "utf-8")
