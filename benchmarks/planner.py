"""What planning costs: a cold `qwen3 plan`, and every plan of the catalog in one process.

    python benchmarks/planner.py [--runs 15] [--output results.json]

CPU seconds are user plus system time of the child as the kernel counts them (`wait4`), so a busy
machine lengthens the wait, not the figure; peak memory is the child's resident set. The budget is
part of the output, so that a reader of an old file sees what it was judged by.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import PlanRequest, Quantization

COLD = ("plan", "Qwen3-32B", "--hardware", "2xH100-SXM-80GB", "-o", "json")
COLD_CPU_S, COLD_RSS_MIB, SWEEP_S = 0.35, 80.0, 5.0


def cold(runs: int) -> dict[str, object]:
    program = Path(sys.executable).with_name("qwen3")
    cpu_s, rss_mib = [], []
    for _ in range(runs + 1):
        child = os.posix_spawn(
            program,
            [str(program), *COLD],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
        )
        _, status, usage = os.wait4(child, 0)
        if os.waitstatus_to_exitcode(status) != 0:
            raise SystemExit(f"{' '.join(COLD)} failed")
        cpu_s.append(usage.ru_utime + usage.ru_stime)
        rss_mib.append(usage.ru_maxrss / 1024)
    # the first run fills the page cache and writes bytecode: it measures the disk
    return {
        "command": f"qwen3 {' '.join(COLD)}",
        "runs": runs,
        "cpuSecondsMedian": round(statistics.median(cpu_s[1:]), 4),
        "cpuSecondsMax": round(max(cpu_s[1:]), 4),
        "peakRssMib": round(max(rss_mib[1:]), 1),
        "budget": {"cpuSeconds": COLD_CPU_S, "peakRssMib": COLD_RSS_MIB},
    }


def sweep() -> dict[str, object]:
    catalog = load_catalog()
    quantizations = [q for q in Quantization if q is not Quantization.AUTO]
    found = refused = 0
    slowest = ("", 0.0)
    began, cpu_began = time.perf_counter(), time.process_time()
    for row in catalog.accelerators:
        count = 8 if row.device_class is AcceleratorClass.GPU else 1
        inventory = parse_hardware(f"{count}x{row.name}", catalog)
        for model in catalog.models:
            for quantization in quantizations:
                one = time.perf_counter()
                request = PlanRequest(model.name, quantization=quantization)
                feasible = isinstance(plan(request, inventory, catalog), Plan)
                found, refused = found + feasible, refused + (not feasible)
                took = time.perf_counter() - one
                if took > slowest[1]:
                    slowest = (f"{model.name} {quantization} on {count}x{row.name}", took)
    return {
        "variants": len(catalog.models),
        "accelerators": len(catalog.accelerators),
        "quantizations": len(quantizations),
        "plans": found,
        "refused": refused,
        "wallSeconds": round(time.perf_counter() - began, 3),
        "cpuSeconds": round(time.process_time() - cpu_began, 3),
        "slowest": {"question": slowest[0], "seconds": round(slowest[1], 4)},
        "budget": {"seconds": SWEEP_S},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--output", type=Path, help="also write the JSON there")
    arguments = parser.parse_args()
    report = {
        "machine": {
            "python": platform.python_version(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
        },
        "cold": cold(arguments.runs),
        "sweep": sweep(),
    }
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.output:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
