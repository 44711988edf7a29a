"""Environments of tools that nothing else may share: found in the cache, or installed once.

Everything in one is pinned in a requirements file, whose text is part of its key.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.debian import cache_folder
from support.engine.environment import run_step

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ToolEnvironment:
    """One of them.

    Attributes:
        name: of its folder in the cache, and in what it says.
        requirements: the file with all of its packages.
        again: command that installs it.
    """

    name: str
    requirements: Path
    again: str

    def say_on_stderr(self, line: str) -> None:
        """Report progress where it does not mix with results."""
        sys.stderr.write(f"{self.name}: {line}\n")
        sys.stderr.flush()

    def find_or_install(self, say: Callable[[str], None] | None = None) -> Path:
        """Return its folder, installed now if it never was; two callers never do so at once.

        Raises:
            EnvironmentBuildError: the installer failed; the message has the end of what it said.
        """
        root = cache_folder(self.name)
        root.mkdir(parents=True, exist_ok=True)
        folder = root / self._key()
        with (root / f"{folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "complete").exists():
                self._install(folder, say or self.say_on_stderr)
        return folder

    def _install(self, folder: Path, say: Callable[[str], None]) -> None:
        """Install where it is to stay, for scripts name their Python; the mark comes last."""
        shutil.rmtree(folder, ignore_errors=True)
        install_into(folder, self.requirements, say, self.again)
        (folder / "complete").touch()

    def _key(self) -> str:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        parts = (self.requirements.read_text("utf-8"), version, platform.machine())
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def install_into(
    folder: Path, requirements: Path, say: Callable[[str], None], again: str, *options: str
) -> None:
    """Make a virtual environment with what a file names, and nothing else.

    Raises:
        EnvironmentBuildError: the installer failed.
    """
    run_step([sys.executable, "-m", "venv", "--without-pip", str(folder)], "creating", say, again)
    python = folder / "bin" / "python"
    quiet = ("--disable-pip-version-check", "--no-input", "--progress-bar=off", "--no-deps")
    pip = [sys.executable, "-m", "pip", f"--python={python}", "install", *quiet, *options]
    run_step(
        [*pip, "--requirement", str(requirements)], f"installing {requirements.name}", say, again
    )
