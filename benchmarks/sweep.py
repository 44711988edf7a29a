"""Whether `qwen3 sweep` gets faster with workers: cases per second with one, two, and on Ray.

    python benchmarks/sweep.py [--copies 3] [--ray]

The questions of benchmarks/foundation.py, each several times with another load, answered by
`qwen3_planner.sweep.running`: the code behind the command. Ways take turns and the best round of
each is compared, from its first rows to its last (so that starting Ray does not count).

Wall time means something only where nothing else runs: `busyShareOfOthers` says how much did. What
can be judged on a busy machine is `gainOfCpu`: if workers need no more CPU time than one process
does, and share it evenly, as many of them are as many times as fast.
"""

from __future__ import annotations

import os
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


def answered(answer: Answer, asked: list[Fields], size: int) -> Round:
    used, began, first = used_s(), 0.0, 0
    for rows in answer(batches_of(asked, size)):
        if not began:
            began, first = time.perf_counter(), len(rows)
    took = time.perf_counter() - began
    return Round(took * len(asked) / (len(asked) - first), used_s() - used)


def compared(asked: list[Fields], rounds: int, *, with_ray: bool) -> dict[str, object]:
    workers = len(os.sched_getaffinity(0))
    ways: dict[str, tuple[Answer, int]] = {
        "one": (in_this_process, BATCH),
        "processes": (lambda batches: in_processes(batches, workers), BATCH),
    }
    if with_ray:
        ways["ray"] = (lambda batches: on_ray(batches, None), RAY_BATCH)
    answered(in_this_process, asked, BATCH)  # caches are warm, and workers inherit them
    took: dict[str, list[Round]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, (answer, size) in ways.items():
            took[name].append(answered(answer, asked, size))
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
    parser.add_argument("--copies", type=int, default=3, help="loads of each question")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ray", action="store_true", help="on a local Ray cluster too")
    arguments = parser.parse_args()
    busy, used, began = busy_s(), used_s(), time.perf_counter()
    report = compared(cases(arguments.copies), arguments.rounds, with_ray=arguments.ray)
    wall, cores = time.perf_counter() - began, os.cpu_count() or 1
    others = max(0.0, busy_s() - busy - (used_s() - used)) / (wall * cores)
    write({"sweep": report, "busyShareOfOthers": round(others, 3)}, arguments.output)


if __name__ == "__main__":
    main()
