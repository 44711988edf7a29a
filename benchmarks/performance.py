"""What a grid of layouts, weight formats and batches costs, and what predicting speed imports.

    python benchmarks/performance.py [--runs 7]

One evaluation is legality, memory and performance of one layout, weight format and batch (requests
in flight); what several of them share is computed once. It is `qwen3_planner.grid.evaluate`, which
judges with the functions that plan. Only cells with a predicted speed count: a refusal costs less.
The grid is every layout x weight format x batch of Qwen3-235B-A22B on eight GPUs, first in a fresh
process (cold caches), then warm.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from typing import NamedTuple

from reporting import cpu_seconds, options, write

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.grid import Cell, evaluate
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.question import understand
from qwen3_planner.request import PlanRequest, Quantization

MODEL, HARDWARE = "Qwen3-235B-A22B", "8xH200-SXM-141GB"
BATCHES = tuple(range(1, 257))
CELLS_PER_SECOND, GRID_S, IMPORT_MS = 20_000, 0.5, 20.0

IMPORTED = (
    "import qwen3_planner.planning, qwen3_planner.catalog.loading, time;"
    "before = time.process_time();"
    "import qwen3_planner.grid;"
    "print(1000 * (time.process_time() - before))"
)


class Grid(NamedTuple):
    cells: int
    predicted: int
    candidates: int
    formats: list[str]
    cpu_s: float


def grid() -> Grid:
    """Evaluate the grid once; formats are all that files of the model are known in."""
    catalog = load_catalog()
    inventory = parse_hardware(HARDWARE, catalog)
    known = {row.quantization for row in catalog.checkpoints_of(MODEL)}
    formats = [each for each in Quantization if each in known and not each.is_gguf]
    cells: list[Cell] = []
    began = cpu_seconds()
    for quantization in formats:
        request = PlanRequest(MODEL, quantization=quantization)
        question = understand(request, inventory, catalog)
        cells += evaluate(question, inventory, BATCHES, catalog.efficiencies)
    took = cpu_seconds() - began
    return Grid(
        cells=len(cells),
        predicted=sum(cell.prediction is not None for cell in cells),
        candidates=sum(cell.concurrency == BATCHES[0] for cell in cells),
        formats=[each.value for each in formats],
        cpu_s=took,
    )


def measured(runs: int) -> dict[str, object]:
    cold = []
    for _ in range(runs):
        child = subprocess.run([sys.executable, __file__, "--one"], capture_output=True, check=True)
        cold.append(float(child.stdout))
    grid()
    warm = [grid() for _ in range(runs)]
    best = min(warm, key=lambda one: one.cpu_s)
    return {
        "model": MODEL,
        "hardware": HARDWARE,
        "formats": best.formats,
        "batches": len(BATCHES),
        "candidates": best.candidates,
        "cells": best.cells,
        "predicted": best.predicted,
        "coldCpuSeconds": round(statistics.median(cold), 3),
        "warmCpuSeconds": round(best.cpu_s, 3),
        "predictedPerCpuSecond": round(best.predicted / best.cpu_s),
        "budget": {"coldCpuSeconds": GRID_S, "predictedPerCpuSecond": CELLS_PER_SECOND},
    }


def import_ms(runs: int) -> dict[str, float]:
    """Return the CPU milliseconds that importing the room adds to those of planning."""
    found = [
        float(
            subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, check=True).stdout
        )
        for _ in range(runs)
    ]
    return {"addedCpuMs": round(statistics.median(found), 1), "budgetMs": IMPORT_MS}


def main() -> None:
    parser = options(__doc__, "performance")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--one", action="store_true", help="one grid in this process")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(grid().cpu_s))
        return
    write(
        {"grid": measured(arguments.runs), "imports": import_ms(arguments.runs)}, arguments.output
    )


if __name__ == "__main__":
    main()
