"""Folders that belong to a process, and what ended ones have left.

A folder is locked by who made it. Where that process was killed, so was whoever could have removed
the folder: its processes are those of a namespace, which ends as one. And whoever ends well leaves
what containers had mounted, until the namespace is gone. The next one removes it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class OwnedFolder:
    """A new folder, this process's own for as long as it lives.

    Attributes:
        path: of the folder.
    """

    def __init__(self, parent: Path, prefix: str, say: Callable[[str], None]) -> None:
        """Make it, and remove those beside it that belong to nobody any more.

        Args:
            parent: where; it exists.
            prefix: of its name, and of theirs.
            say: is told what is removed.
        """
        with (parent / f".{prefix}lock").open("w") as making:
            fcntl.flock(making, fcntl.LOCK_EX)
            _remove_abandoned(parent, prefix, say)
            self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
            self._lock = _lock(self.path)

    def remove(self) -> None:
        """Remove what can be removed."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(folder: Path) -> int | None:
    """Lock a folder for as long as this process lives; None where another process does."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _remove_abandoned(parent: Path, prefix: str, say: Callable[[str], None]) -> None:
    for folder in parent.glob(f"{prefix}*"):
        descriptor = _lock(folder)
        if descriptor is None:
            continue
        say(f"removing {folder}: the run that made it has ended")
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)
