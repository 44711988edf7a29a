"""Where a benchmark's figures go: to stdout, and as JSON into benchmarks/results.

Machines are shared and noisy, so what is compared with a budget is CPU time, and every figure is
the best or the middle of several runs; which of them, the benchmark says.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"


def options(doc: str | None, name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.set_defaults(name=name)
    parser.add_argument(
        "--output", type=Path, default=RESULTS / f"{name}.json", help="where the JSON goes"
    )
    return parser


def cpu_seconds() -> float:
    """Return user and system time of this process, all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def write(report: dict[str, object], output: Path) -> None:
    machine = {
        "python": platform.python_version(),
        "processor": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "loadBefore": round(os.getloadavg()[0], 2),
    }
    text = json.dumps({"machine": machine, **report}, indent=2)
    print(text)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text + "\n", encoding="utf-8")
