"""Remove a folder when this Python process ends, in whatever way it ends."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_WAIT_THEN_REMOVE = """
trap '' INT TERM HUP
read -r _
tries=0
until rm -rf -- "$1" 2>/dev/null || [ "$tries" -ge 100 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
"""
"""`read` returns when the other end of the pipe closes, which the kernel does for a killed owner.
Programs killed at the same moment may still write for an instant: hence the tries."""


class SweptFolder:
    """A folder that does not outlive its owner, not even one ended by `kill -9`."""

    def __init__(self, path: Path) -> None:
        """Watch over `path`, which exists."""
        self.path = path
        self._shell = subprocess.Popen(
            ["/bin/sh", "-c", _WAIT_THEN_REMOVE, "sweeper", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def remove(self) -> None:
        """Remove the folder now and end the watch."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._shell.stdin is not None:
            self._shell.stdin.close()
        self._shell.wait()
