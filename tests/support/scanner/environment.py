"""The scanner's own environment: found in the cache, or installed once (half a minute, 290 MB).

checkov (Apache-2.0) brings a hundred packages, so nothing else may share them. All are pinned in
`requirements.txt`; its text is part of the key.
"""

from __future__ import annotations

import fcntl
import hashlib
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from support.debian import cache_folder
from support.engine.environment import run_step

if TYPE_CHECKING:
    from collections.abc import Callable

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
BUILD_COMMAND = "make scanner"


def say_on_stderr(line: str) -> None:
    """Report progress where it does not mix with results."""
    sys.stderr.write(f"scanner: {line}\n")
    sys.stderr.flush()


def find_or_install(say: Callable[[str], None] = say_on_stderr) -> Path:
    """Return checkov's command, installed now if it never was; two callers never do so at once.

    Raises:
        EnvironmentBuildError: the installer failed; the message has the end of what it said.
    """
    root = cache_folder("scanner")
    root.mkdir(parents=True, exist_ok=True)
    folder = root / _key()
    with (root / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _install(folder, say)
    return folder / "bin" / "checkov"


def _install(folder: Path, say: Callable[[str], None]) -> None:
    """Install where it is to stay, for scripts name their Python; the mark comes last."""
    shutil.rmtree(folder, ignore_errors=True)
    again = BUILD_COMMAND
    run_step([sys.executable, "-m", "venv", "--without-pip", str(folder)], "creating", say, again)
    options = ("--disable-pip-version-check", "--no-input", "--progress-bar=off", "--no-deps")
    pip = [sys.executable, "-m", "pip", f"--python={folder / 'bin' / 'python'}", "install"]
    run_step([*pip, *options, "--requirement", str(REQUIREMENTS)], "checkov (290 MB)", say, again)
    (folder / "complete").touch()


def _key() -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    parts = (REQUIREMENTS.read_text("utf-8"), version, platform.machine())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
