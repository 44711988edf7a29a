"""`python -m support.engine build|path`, with tests/ on PYTHONPATH."""

from __future__ import annotations

import argparse
import sys

from .environment import BUILD_COMMAND, find, find_or_build, say_on_stderr
from .errors import EngineRigError


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m support.engine", description="Real vLLM on a CPU, for the tests."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="find or build the environment, print its folder")
    commands.add_parser("path", help="print the folder; fails when it is not built")
    options = parser.parse_args(arguments)
    try:
        environment = find_or_build() if options.command == "build" else find()
    except EngineRigError as error:
        say_on_stderr(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    if environment is None:
        say_on_stderr(f"not built; `{BUILD_COMMAND}` builds it")
        return 1
    sys.stdout.write(f"{environment.folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
