"""What the program's exit status means."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit status; scripts rely on it."""

    PLAN = 0
    """A plan was found, or the command did what it was asked."""

    DEFECT = 1
    """The program is broken; the message says how to report it."""

    BAD_INPUT = 2
    """The message names the field, the value as typed and the choices."""

    NO_PLAN = 3
    """Nothing fits; the document on stdout says why and what would."""

    NO_CLUSTER = 4
    """The cluster that was asked about is not configured, does not answer, or refuses."""

    INTERRUPTED = 130
    """Ctrl-C, as shells report it: 128 + SIGINT."""

    NO_READER = 141
    """The reader of the output closed it early (``qwen3 … | head``): 128 + SIGPIPE."""
