"""Become another program that the kernel kills when the process that started it dies.

Run as `python -I -S launcher.py PARENT_PID PROGRAM ARGUMENT…`. It exists because a `preexec_fn`
runs Python between fork and exec, which can deadlock in a process with threads. The process id
stays the same over exec, so that the starter waits for the program itself.

It imports nothing of this package: it must start fast, also where the package is not importable.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From <linux/prctl.h>: the signal this process gets when its parent ends."""


def main(argv: list[str]) -> None:
    """Tie this process to its parent, then become the program."""
    parent = int(argv[1])
    if sys.platform == "linux":  # elsewhere an orphan has to be ended by hand
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        if prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:  # it died before the line above
        sys.exit("the starting process is gone")
    os.execv(argv[2], argv[2:])  # noqa: S606 - the point of this file


if __name__ == "__main__":
    main(sys.argv)
