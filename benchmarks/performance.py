"""What predicting speed costs: layouts evaluated per second, a whole sweep, and imports.

    python benchmarks/performance.py [--output results.json]

One evaluation is legality, memory and performance of one layout, weight format and batch; what
several of them share (the rules of a pool, the memory of a layout, the times of a prompt) is
computed once. The sweep is every layout x weight format x batch of Qwen3-235B-A22B on eight GPUs,
first in a fresh process (cold caches), then warm.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from qwen3_planner.candidates import pools_of
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.performance.load import prompt_times
from qwen3_planner.performance.prediction import predict
from qwen3_planner.question import Question, understand
from qwen3_planner.request import PlanRequest, Quantization
from qwen3_planner.serving.verdicts import Fit
from qwen3_planner.solving import judge_pool
from qwen3_planner.speed import load_of, server_of

MODEL, HARDWARE = "Qwen3-235B-A22B", "8xH200-SXM-141GB"
BATCHES = tuple(range(1, 257))
LAYOUTS_PER_SECOND, SWEEP_S, IMPORT_MS = 20_000, 0.5, 20.0
RUNS = 7

IMPORTED = (
    "import qwen3_planner.planning, qwen3_planner.catalog.loading, time;"
    "before = time.process_time();"
    "import qwen3_planner.speed, qwen3_planner.economics.tokens, qwen3_planner.economics.renting;"
    "print(1000 * (time.process_time() - before))"
)


def questions() -> list[Question]:
    catalog = load_catalog()
    inventory = parse_hardware(HARDWARE, catalog)
    known = {row.quantization for row in catalog.checkpoints_of(MODEL)}
    formats = [q for q in Quantization if q in known and not q.is_gguf]
    return [understand(PlanRequest(MODEL, quantization=q), inventory, catalog) for q in formats]


def sweep(asked: list[Question]) -> tuple[int, int, float]:
    """Evaluate everything; return evaluations, those that hold their batch, and seconds."""
    catalog = load_catalog()
    pools = pools_of(parse_hardware(HARDWARE, catalog), ())
    evaluated = held = 0
    began = time.perf_counter()
    for question in asked:
        load = load_of(question)
        for choice in question.choices:
            for verdict in judge_pool(question, pools[0], choice):
                evaluated += len(BATCHES)
                if not isinstance(verdict, Fit):
                    continue
                server = server_of(question, verdict, catalog.efficiencies)
                if server is None:
                    raise SystemExit("no efficiency is known")
                prompts = prompt_times(server, load.input_tokens)
                for batch in BATCHES:
                    found = predict(server, replace(load, concurrency=batch), prompts)
                    held += found.service.running == batch
    return evaluated, held, time.perf_counter() - began


def predictions_per_second(asked: list[Question]) -> float:
    """Return how many batches a second are predicted for layouts that fit, without the rest."""
    catalog = load_catalog()
    pools = pools_of(parse_hardware(HARDWARE, catalog), ())
    fits = [
        (question, verdict)
        for question in asked
        for choice in question.choices
        for verdict in judge_pool(question, pools[0], choice)
        if isinstance(verdict, Fit)
    ]
    began, count = time.perf_counter(), 0
    for question, fit in fits:
        server = server_of(question, fit, catalog.efficiencies)
        if server is None:
            raise SystemExit("no efficiency is known")
        load = load_of(question)
        prompts = prompt_times(server, load.input_tokens)
        for batch in BATCHES:
            predict(server, replace(load, concurrency=batch), prompts)
            count += 1
    return count / (time.perf_counter() - began)


def import_ms() -> float:
    """Return the CPU milliseconds that importing the rooms adds to those of planning."""
    found = [
        float(
            subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, check=True).stdout
        )
        for _ in range(RUNS)
    ]
    return statistics.median(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, help="also write the JSON there")
    arguments = parser.parse_args()
    asked = questions()
    evaluated, held, cold_s = sweep(asked)
    warm_s = statistics.median(sweep(asked)[2] for _ in range(RUNS))
    report = {
        "machine": {
            "python": platform.python_version(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
        },
        "sweep": {
            "model": MODEL,
            "hardware": HARDWARE,
            "formats": [q.choices[0].fmt.quantization.value for q in asked if q.choices],
            "evaluated": evaluated,
            "heldTheirBatch": held,
            "coldSeconds": round(cold_s, 3),
            "warmSeconds": round(warm_s, 3),
            "perSecondWarm": round(evaluated / warm_s),
            "budget": {"seconds": SWEEP_S, "perSecond": LAYOUTS_PER_SECOND},
        },
        "predictionsPerSecond": round(predictions_per_second(asked)),
        "imports": {"addedCpuMs": round(import_ms(), 1), "budgetMs": IMPORT_MS},
    }
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
