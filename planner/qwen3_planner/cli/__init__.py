"""Arguments, files, exit codes and terminal tables of `qwen3`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; also installed as ``kubectl-qwen3``, which kubectl runs as a plugin.

    Args:
        arguments: of the command line, without the program's name; None: those of this process.

    Returns:
        0 a plan, 3 no feasible plan, 2 bad input, 1 a defect.
    """
    from qwen3_planner.cli.program import run  # noqa: PLC0415 - importing this room must cost nothing

    return run(sys.argv[1:] if arguments is None else arguments)
