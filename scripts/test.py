"""Run the floors of the test bed one after the other and say how long each took.

Usage: scripts/test.py FLOOR [FLOOR ...]   (static, unit, cluster, engine, e2e)

All floors run even when one fails; the exit code is 0 only when all passed. With CI set in the
environment a floor that skips is a failure (the fixtures see to it). A command that ends with 3
says that this machine cannot run the rest of its floor.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
FLOORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "static": (
        (str(BIN / "ruff"), "format", "--check", "--quiet", "."),
        (str(BIN / "ruff"), "check", "--quiet", "."),
        (str(BIN / "mypy"),),
        (str(BIN / "mypy"), "--strict", "scripts", "tests/support"),
        (str(BIN / "lint-imports"),),
        (sys.executable, "scripts/generate.py", "--check"),
    ),
    # a file's tests stay together, so what they share is made once; more processes than this
    # collect for longer than they test
    "unit": (
        (
            *(sys.executable, "-m", "pytest", "-q"),
            *("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile"),
        ),
        (sys.executable, "-m", "pytest", "-q", "-m", "browser", "tests/browser"),
    ),
    # two control planes side by side: tests wait for controllers more than they compute
    "cluster": (
        (
            *(sys.executable, "-m", "pytest", "-q", "-m", "cluster", "tests/cluster"),
            *("-n", "auto", "--maxprocesses", "2", "--dist", "loadfile"),
        ),
    ),
    "engine": (
        (
            *(sys.executable, "-m", "pytest", "-q", "-m", "engine", "tests/engine"),
            *("-n", "auto", "--maxprocesses", "2", "--dist", "loadfile"),
        ),
    ),
    "e2e": (
        (sys.executable, "-m", "support.node", "build"),
        (
            *(sys.executable, "-m", "support.node", "run"),
            *(sys.executable, "-m", "pytest", "-q", "-m", "e2e", "tests/e2e"),
        ),
    ),
}
CANNOT = 3


def main(names: list[str]) -> int:
    """Run the named floors; return an exit code."""
    unknown = [name for name in names if name not in FLOORS]
    if unknown or not names:
        print(f"floors: {', '.join(FLOORS)}; not {', '.join(unknown) or 'none'}", file=sys.stderr)
        return 2
    results = [(name, *_run(name)) for name in names]
    print("\nFloor     seconds  result")
    for name, seconds, failed in results:
        print(f"{name:<9} {seconds:7.0f}  {'FAILED: ' + '; '.join(failed) if failed else 'passed'}")
    return 1 if any(failed for _, _, failed in results) else 0


def _run(name: str) -> tuple[float, list[str]]:
    print(f"\n=== {name} ===", flush=True)
    started = time.monotonic()
    failed = []
    for command in FLOORS[name]:
        shown = " ".join([Path(command[0]).name, *command[1:]])
        print(f"--- {shown}", flush=True)
        code = subprocess.run(command, check=False, cwd=ROOT).returncode
        if code == CANNOT and os.environ.get("CI", "").lower() not in {"1", "true"}:
            print(f"--- skipped here: the rest of {name}", flush=True)
            break
        if code != 0:
            failed.append(shown)
    return time.monotonic() - started, failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
