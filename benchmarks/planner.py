"""What planning costs: a cold `qwen3 plan`, and the questions of the first release in one process.

    python benchmarks/planner.py [--runs 15] [--sweeps 3] [--profile FILE]

CPU seconds are user plus system time as the kernel counts them, so a busy machine lengthens the
wait, not the figure; peak memory is the child's resident set. The questions are those of
benchmarks/foundation.py, each sweep in a process of its own (cold caches). Budgets are part of the
output, so that a reader of an old file sees what it was judged by.
"""

from __future__ import annotations

import cProfile
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from foundation import MODELS, QUANTIZATIONS, hardware
from reporting import cpu_seconds, options, write

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import PlanRequest, Quantization

COLD = (
    "plan Qwen3-32B --hardware 2xH100-SXM-80GB -o json",
    "plan Qwen3-235B-A22B --hardware 2x8xH100-SXM-80GB --concurrency 64",
    "plan Qwen3-235B-A22B --hardware 4xA100-SXM-80GB --quantization bf16",  # nothing fits
    "plan Qwen3-8B --hardware RTX-4090-24GB --quantization gguf:Q4_K_M",
)
COLD_CPU_S, COLD_RSS_MIB, SWEEP_S = 0.35, 80.0, 5.0


def cold(command: str, runs: int) -> dict[str, object]:
    program = Path(sys.executable).with_name("qwen3")
    environment = {**os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # installed programs have theirs
    cpu_s, rss_mib = [], []
    for _ in range(runs + 1):
        child = os.posix_spawn(
            program,
            [str(program), *command.split()],
            environment,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
        )
        _, status, usage = os.wait4(child, 0)
        if os.waitstatus_to_exitcode(status) not in {0, 3}:
            raise SystemExit(f"qwen3 {command} failed")
        cpu_s.append(usage.ru_utime + usage.ru_stime)
        rss_mib.append(usage.ru_maxrss / 1024)
    # the first run fills the page cache and writes bytecode: it measures the disk
    return {
        "command": f"qwen3 {command}",
        "runs": runs,
        "cpuSecondsBest": round(min(cpu_s[1:]), 4),
        "cpuSecondsMedian": round(statistics.median(cpu_s[1:]), 4),
        "peakRssMib": round(max(rss_mib[1:]), 1),
        "budget": {"cpuSeconds": COLD_CPU_S, "peakRssMib": COLD_RSS_MIB},
    }


def sweep() -> dict[str, object]:
    """Answer every question once, in this process."""
    catalog = load_catalog()
    found = refused = 0
    slowest = ("", 0.0)
    began = cpu_seconds()
    for typed in hardware():
        inventory = parse_hardware(typed, catalog)
        for model in MODELS:
            for quantization in QUANTIZATIONS:
                one = time.process_time()
                request = PlanRequest(model, quantization=Quantization(quantization))
                feasible = isinstance(plan(request, inventory, catalog), Plan)
                found, refused = found + feasible, refused + (not feasible)
                took = time.process_time() - one
                if took > slowest[1]:
                    slowest = (f"{model} {quantization} on {typed}", took)
    return {
        "plans": found,
        "refused": refused,
        "cpuSeconds": round(cpu_seconds() - began, 3),
        "slowest": {"question": slowest[0], "cpuSeconds": round(slowest[1], 4)},
    }


def sweeps(count: int) -> dict[str, object]:
    found = []
    for _ in range(count):
        child = subprocess.run(
            [sys.executable, __file__, "--one-sweep"], capture_output=True, check=True
        )
        found.append(json.loads(child.stdout))
    best = min(found, key=lambda one: one["cpuSeconds"])
    return {
        "questions": best["plans"] + best["refused"],
        **best,
        "cpuSecondsOfEach": [one["cpuSeconds"] for one in found],
        "budget": {"cpuSeconds": SWEEP_S},
    }


def main() -> None:
    parser = options(__doc__, "planner")
    parser.add_argument("--runs", type=int, default=15, help="cold plans")
    parser.add_argument("--sweeps", type=int, default=3, help="sweeps, the best of which counts")
    parser.add_argument("--one-sweep", action="store_true", help="one sweep in this process")
    parser.add_argument("--profile", type=Path, help="profile one sweep into this file")
    arguments = parser.parse_args()
    if arguments.profile:
        cProfile.runctx("sweep()", globals(), {}, str(arguments.profile))
        return
    if arguments.one_sweep:
        print(json.dumps(sweep()))
        return
    write(
        {
            "cold": [cold(command, arguments.runs) for command in COLD],
            "sweep": sweeps(arguments.sweeps),
        },
        arguments.output,
    )


if __name__ == "__main__":
    main()
