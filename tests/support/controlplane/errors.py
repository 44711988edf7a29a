"""Errors of the test bed.

ControlPlaneError
├── MissingPrerequisiteError   the machine lacks something; the message says how to get it
├── BuildError                 `go build` failed
├── ProcessDiedError           a program ended on its own; the message has the end of its log
└── CommandError               kubectl or helm returned non-zero; carries stdout and stderr
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class ControlPlaneError(Exception):
    """Anything that keeps the test control plane from doing its work."""


class MissingPrerequisiteError(ControlPlaneError):
    """The machine lacks something that no program here can supply."""

    def __init__(self, missing: str, fix: str) -> None:
        super().__init__(f"{missing}. {fix}")
        self.missing = missing
        self.fix = fix


class BuildError(ControlPlaneError):
    """A program could not be built."""


class ProcessDiedError(ControlPlaneError):
    """A program that should keep running has ended."""

    def __init__(self, name: str, returncode: int, log_tail: str) -> None:
        super().__init__(f"{name} ended with status {returncode}; its last lines:\n{log_tail}")
        self.name = name
        self.returncode = returncode


class CommandError(ControlPlaneError):
    """A command returned a status other than zero."""

    def __init__(self, argv: Sequence[str], returncode: int, stdout: str, stderr: str) -> None:
        super().__init__(f"`{' '.join(argv)}` returned {returncode}: {stderr.strip()}")
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr
