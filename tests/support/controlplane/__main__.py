"""`python -m support.controlplane up|build|path`, with tests/ on PYTHONPATH."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from .binaries import find, find_or_build, say_on_stderr
from .cluster import ControlPlane
from .errors import ControlPlaneError
from .nodes import DEMO_NODES

if TYPE_CHECKING:
    from collections.abc import Sequence

_NODES = {"demo": DEMO_NODES, "none": ()}

_CHECK_SECONDS = 1.0
"""How soon a part that died by itself is noticed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status."""
    options = _parser().parse_args(arguments)
    # SIGTERM must unwind like Ctrl-C, so that everything started is stopped.
    signal.signal(signal.SIGTERM, _exit_on_signal)
    try:
        match options.command:
            case "up":
                _up(options)
            case "build":
                _print(find_or_build().search_path())
            case _:
                return _path()
    except ControlPlaneError as error:
        say_on_stderr(str(error))
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m support.controlplane",
        description="A real Kubernetes control plane on loopback, with KWOK GPU nodes.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start it, print its kubeconfig, stop it on Ctrl-C")
    up.add_argument(
        "--kubeconfig", type=Path, help="where to write the kubeconfig (removed at end)"
    )
    up.add_argument("--nodes", choices=sorted(_NODES), default="demo", help="default: demo")
    up.add_argument("--audit", action="store_true", help="write an audit log")
    up.add_argument("--logs", type=Path, help="folder to copy the logs of the parts to at the end")
    commands.add_parser("build", help="find or build the programs, print their folder")
    commands.add_parser("path", help="print the folder of the programs; fails when one is missing")
    return parser


def _up(options: argparse.Namespace) -> None:
    say_on_stderr("starting")
    with ControlPlane(
        nodes=_NODES[options.nodes],
        audit=options.audit,
        kubeconfig=options.kubeconfig and options.kubeconfig.absolute(),
        logs_to=options.logs,
    ) as cluster:
        say_on_stderr(f"{cluster.server} is ready; Ctrl-C stops it and removes everything")
        if options.audit:
            say_on_stderr(f"audit log: {cluster.layout.audit_log}")
        _print(str(options.kubeconfig or cluster.kubeconfig))
        waiting = threading.Event()
        while not waiting.wait(_CHECK_SECONDS):
            cluster.check()


def _path() -> int:
    binaries = find()
    if binaries is None:
        say_on_stderr(
            "some programs are missing; `python -m support.controlplane build` makes them"
        )
        return 1
    _print(binaries.search_path())
    return 0


def _exit_on_signal(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
