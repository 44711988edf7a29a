"""`python -m support.node build|run`, with tests/ on PYTHONPATH.

`build` fetches and makes what needs a network; `run COMMAND …` runs one where a node
may live.
"""

from __future__ import annotations

import argparse
import sys

from support.controlplane import BuildError, MissingPrerequisiteError, find_or_build
from support.controlplane.binaries import say_on_stderr
from support.engine.errors import EngineRigError

from . import programs
from .sandbox import CANNOT, missing, run
from .supply import prepare


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status: 0, 1, or 3 where this machine cannot."""
    parser = argparse.ArgumentParser(
        prog="python -m support.node", description="A real node, for the tests."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="find or make programs, images and models")
    runner = commands.add_parser("run", help="run a command in namespaces of its own")
    runner.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND")
    options = parser.parse_args(arguments)
    if options.command == "run":
        if not options.words:
            runner.error("which command?")
        return run(options.words)
    return _build()


def _build() -> int:
    lack = missing()
    packages = programs.missing_packages()
    if lack is None and packages:
        command = f"apt-get install --no-install-recommends {' '.join(packages)} (make bootstrap)"
        lack = (f"Not installed: {', '.join(packages)}.", command)
    if lack is not None:
        say_on_stderr(f"no real node here: {lack[0]} To enable: {lack[1]}")
        return CANNOT
    try:
        find_or_build(say_on_stderr)
        programs.find_or_build(say_on_stderr)
        prepare(say_on_stderr)
    except (MissingPrerequisiteError, BuildError, EngineRigError, RuntimeError) as error:
        say_on_stderr(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
