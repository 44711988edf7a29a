"""Whether `qwen3 sweep` gets faster with workers: cases per second with one, two, and on Ray.

    python benchmarks/sweep.py [--copies 9] [--ray]

The questions of benchmarks/foundation.py, each several times with another load, answered by
`qwen3_planner.sweep.running`: the code behind the command. Every run has an interpreter of its
own, so that no way finds in memory what another worked out. Ways take turns, and the best round of
each is compared, over the last three quarters of its rows: starting workers, Ray's above all, costs
seconds once, and a sweep that is worth a cluster takes hours.

Wall time means something only where nothing else runs: `busyShareOfOthers` says how much did. What
can be judged on a busy machine is `gainOfCpu`: if workers need no more CPU time than one process
does, and share it evenly, as many of them are as many times as fast.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from foundation import MODELS, QUANTIZATIONS, hardware
from reporting import options, write

from qwen3_planner.sweep.running import batches_of, in_processes, in_this_process, on_ray

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from qwen3_planner.sweep.answering import Row
    from qwen3_planner.sweep.cases import Fields

    Batches = Iterable[list[Fields]]
    Answer = Callable[[Batches], Iterator[list[Row]]]

LEAST_GAIN = 1.7
UNCOUNTED = 0.25
"""Share of the rows that come while workers start."""
BATCH, RAY_BATCH = 16, 32


def cases(copies: int) -> list[Fields]:
    """List the cases, hardware innermost, so that each batch is as heavy as another."""
    return [
        {"model": model, "hardware": on, "quantization": name, "concurrency": 1 + copy}
        for copy in range(copies)
        for name in QUANTIZATIONS
        for model in MODELS
        for on in hardware()
    ]


def busy_s() -> float:
    """Return the CPU seconds that all processes of the machine have used."""
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    fields = [float(part) for part in first.split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")  # idle, waiting


def used_s() -> float:
    """Return those of this process and of its children that have ended."""
    return sum(os.times()[:4])


class Round(NamedTuple):
    wall_s: float
    cpu_s: float


def ways(workers: int) -> dict[str, tuple[Answer, int]]:
    """Return who may answer, each with the cases that it is handed at once."""
    return {
        "one": (in_this_process, BATCH),
        "processes": (lambda batches: in_processes(batches, workers), BATCH),
        "ray": (lambda batches: on_ray(batches, None), RAY_BATCH),
    }


def answered(answer: Answer, asked: list[Fields], size: int) -> Round:
    """Time one way; the first rows do not count, but are paid for in CPU seconds."""
    used, began, skipped, done = used_s(), 0.0, 0, 0
    for rows in answer(batches_of(asked, size)):
        done += len(rows)
        if not began and done >= len(asked) * UNCOUNTED:
            began, skipped = time.perf_counter(), done
    took = time.perf_counter() - began
    return Round(took * len(asked) / (len(asked) - skipped), used_s() - used)


def in_a_fresh_interpreter(way: str, copies: int) -> Round:
    script = [sys.executable, __file__, "--way", way, "--copies", str(copies)]
    told = subprocess.run(script, stdout=subprocess.PIPE, check=True, text=True).stdout
    return Round(*json.loads(told.splitlines()[-1]))


def compared(copies: int, rounds: int, *, with_ray: bool) -> dict[str, object]:
    workers = len(os.sched_getaffinity(0))
    names = [name for name in ways(workers) if with_ray or name != "ray"]
    asked = cases(copies)
    took: dict[str, list[Round]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            took[name].append(in_a_fresh_interpreter(name, copies))
    wall = {name: min(one.wall_s for one in each) for name, each in took.items()}
    cpu = {name: min(one.cpu_s for one in each) for name, each in took.items()}
    return {
        "cases": len(asked),
        "workers": workers,
        "wallSecondsBest": {name: round(each, 3) for name, each in wall.items()},
        "wallSecondsOfEach": {
            name: [round(one.wall_s, 3) for one in each] for name, each in took.items()
        },
        "casesPerSecond": {name: round(len(asked) / each) for name, each in wall.items()},
        "gain": {name: round(wall["one"] / each, 2) for name, each in wall.items()},
        "cpuSecondsBest": {name: round(cpu[name], 3) for name in ("one", "processes")},
        "gainOfCpu": round(workers * cpu["one"] / cpu["processes"], 2),
        "budget": {"gainWithTwoCores": LEAST_GAIN},
    }


def main() -> None:
    parser = options(__doc__, "sweep")
    parser.add_argument("--copies", type=int, default=9, help="loads of each question")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ray", action="store_true", help="on a local Ray cluster too")
    parser.add_argument("--way", choices=ways(1), help="time this one alone, in this process")
    arguments = parser.parse_args()
    if arguments.way:
        answer, size = ways(len(os.sched_getaffinity(0)))[arguments.way]
        print(json.dumps(answered(answer, cases(arguments.copies), size)))
        return
    busy, used, began = busy_s(), used_s(), time.perf_counter()
    report = compared(arguments.copies, arguments.rounds, with_ray=arguments.ray)
    wall, cores = time.perf_counter() - began, os.cpu_count() or 1
    others = max(0.0, busy_s() - busy - (used_s() - used)) / (wall * cores)
    write({"sweep": report, "busyShareOfOthers": round(others, 3)}, arguments.output)


if __name__ == "__main__":
    main()
