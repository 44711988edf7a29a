"""Run a program in the background, its output in a file, never longer than this Python process."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ProcessDiedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LAUNCHER = Path(__file__).with_name("launcher.py")

_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="controlplane-starter")
"""Linux ties a child to the THREAD that made it. All are made by this one, which lives as long as
the process, so that a cluster may be started from a thread that does not."""

STOP_SECONDS = 20.0
"""How long a program may take over SIGTERM before it gets SIGKILL."""


class BackgroundProcess:
    """One running program.

    It is killed by the kernel when this Python process ends in whatever way, `kill -9` included.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start the program; both its outputs are appended to `log`."""
        self.name = name
        self.log = log
        self._popen = _STARTER.submit(_start, [str(part) for part in argv], log, env, cwd).result()

    @property
    def pid(self) -> int:
        """Its process id, the same from start to end."""
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._popen.poll()

    def check(self) -> None:
        """Raise ProcessDiedError, with the end of the log, when the program has ended."""
        returncode = self.returncode
        if returncode is not None:
            raise ProcessDiedError(self.name, returncode, self.tail())

    def tail(self, lines: int = 20) -> str:
        """Return the last lines of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def terminate(self) -> None:
        """Send SIGTERM and return at once."""
        if self.returncode is None:
            self._popen.terminate()

    def stop(self, seconds: float = STOP_SECONDS) -> int:
        """Send SIGTERM, then SIGKILL when it has not ended in `seconds`; return its exit status."""
        self.terminate()
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """Send SIGKILL and wait until it is gone; return its exit status."""
        if self.returncode is None:
            self._popen.kill()
        return self._popen.wait()


def _start(
    argv: list[str], log: Path, env: Mapping[str, str] | None, cwd: Path | None
) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), *argv],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            # Ctrl-C belongs to the owner alone: it stops the programs in their order.
            start_new_session=True,
        )
