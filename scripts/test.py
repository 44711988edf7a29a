"""Run the floors of the test bed one after the other and say how long each took.

Usage: scripts/test.py FLOOR [FLOOR ...]   (static, quick, unit, cluster, engine, e2e)

All floors run even when one fails; the exit code is 0 only when all passed. With CI set in the
environment a floor that skips is a failure (the fixtures see to it). A command that ends with 3
says that this machine cannot run the rest of its floor. Ctrl-C ends what runs and exits with 130.

Floors with real clusters and engines ask a few failing tests a second time, alone: a machine that
is busy with something else can be too slow for any deadline. The table says which passed only then;
they are defects to look at, of the test or of the product. Whatever is broken fails twice.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CANNOT = 3
INTERRUPTED = 130
TESTS_FAILED = 1
"""Exit status of pytest when tests ran and some failed."""

ASKED_TWICE = frozenset({"cluster", "engine", "e2e"})
MOST_ASKED_TWICE = 3
"""More failing tests are no accident."""

LAST_FAILED = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
ENVIRONMENT = {"QWEN3_TEST_DEPTH": "1", "PYTHONPATH": str(ROOT / "tests"), **os.environ}
"""Bare pytest tries properties on fewer examples (tests/support/depth.py)."""

EVERY_TEST = ""
"""A choice of markers: bare pytest leaves out those that take long (pyproject.toml)."""


def _in_processes(most: int) -> tuple[str, ...]:
    """Return what spreads tests; a file's stay together, so what they share is made once."""
    return ("-n", "auto", "--maxprocesses", str(most), "--dist", "loadfile")


IN_TWO = _in_processes(2)
IN_FOUR = _in_processes(4)
"""More processes collect the unit tests for longer than they run them."""

SANDBOX = f"popen//python={sys.executable} -m support.node run {sys.executable}"
"""Where a process of xdist has a machine with nodes to itself."""

FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "static": (
        (str(BIN / "ruff"), "format", "--check", "--quiet", "."),
        (str(BIN / "ruff"), "check", "--quiet", "."),
        (str(BIN / "mypy"),),
        (str(BIN / "mypy"), "--strict", "scripts", "tests/support"),
        (str(BIN / "lint-imports"),),
        (sys.executable, "scripts/generate.py", "--check"),
    ),
    "quick": ((sys.executable, "-m", "pytest", "-q", *IN_FOUR),),
    "unit": (
        (sys.executable, "-m", "pytest", "-q", *IN_FOUR, "-m", EVERY_TEST),
        (sys.executable, "-m", "pytest", "-q", "-m", "browser", "tests/browser"),
    ),
    # two control planes side by side: tests wait for controllers more than they compute
    "cluster": (
        (
            *(sys.executable, "-m", "pytest", "-q", "-m", "cluster", "tests/cluster"),
            *IN_TWO,
        ),
    ),
    "engine": (
        (
            *(sys.executable, "-m", "pytest", "-q", "-m", "engine", "tests/engine"),
            *IN_TWO,
        ),
    ),
    # two clusters side by side: while one waits for an engine to start or to end, the other works
    "e2e": (
        (sys.executable, "-m", "support.node", "build"),
        (
            *(sys.executable, "-m", "pytest", "-v", "-m", "e2e", "tests/e2e"),
            *("--dist=loadfile", "--no-loadscope-reorder", "--tx", f"2*{SANDBOX}"),
        ),
    ),
}


def main(names: list[str]) -> int:
    """Run the named floors; return an exit code."""
    unknown = [name for name in names if name not in FLOORS]
    if unknown or not names:
        print(f"floors: {', '.join(FLOORS)}; not {', '.join(unknown) or 'none'}", file=sys.stderr)
        return 2
    results = [(name, *_run(name)) for name in names]
    print("\nFloor     seconds  result")
    for name, seconds, failed, late in results:
        result = f"FAILED: {'; '.join(failed)}" if failed else "passed"
        print(f"{name:<9} {seconds:7.0f}  {result}")
        for test in late:
            print(f"{'':<19}only the second time: {test}")
    return 1 if any(failed for _, _, failed, _ in results) else 0


def _run(name: str) -> tuple[float, list[str], list[str]]:
    """Return seconds, failed commands, and tests that passed only when they were asked twice."""
    print(f"\n=== {name} ===", flush=True)
    started = time.monotonic()
    failed: list[str] = []
    late: list[str] = []
    for command in FLOORS[name]:
        shown = shlex.join([Path(command[0]).name, *command[1:]])
        print(f"--- {shown}", flush=True)
        LAST_FAILED.unlink(missing_ok=True)
        code = _call(command)
        if code == CANNOT and os.environ.get("CI", "").lower() not in {"1", "true"}:
            print(f"--- skipped here: the rest of {name}", flush=True)
            break
        if code == TESTS_FAILED and name in ASKED_TWICE:
            code, passed = _ask_again(command)
            late += passed
        if code != 0:
            failed.append(shown)
    return time.monotonic() - started, failed, late


def _call(command: Sequence[str]) -> int:
    """Run a command; return its exit status.

    Raises:
        SystemExit: Ctrl-C. A terminal tells the command, too: it is waited for, so that it ends
            what it has started.
    """
    with subprocess.Popen(command, cwd=ROOT, env=ENVIRONMENT) as running:
        try:
            return running.wait()
        except KeyboardInterrupt:
            print("\ninterrupted: what runs is ending", file=sys.stderr, flush=True)
            running.wait()
            raise SystemExit(INTERRUPTED) from None


def _ask_again(command: tuple[str, ...]) -> tuple[int, list[str]]:
    """Run the failed tests alone; return the exit status and, if that is 0, which they were."""
    tests = sorted(json.loads(LAST_FAILED.read_text())) if LAST_FAILED.exists() else []
    if not 0 < len(tests) <= MOST_ASKED_TWICE:
        return TESTS_FAILED, []
    print(f"--- a second time: {', '.join(tests)}", flush=True)
    alone = [word.replace("2*", "1*") for word in command if word not in IN_TWO]
    again = [*alone, "--last-failed", "--last-failed-no-failures=none"]
    code = _call(again)
    return code, tests if code == 0 else []


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
