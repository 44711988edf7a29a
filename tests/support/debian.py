"""Programs from Debian's packages, unpacked into the cache: no root, nothing installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from support.availability import cannot_run

if TYPE_CHECKING:
    from collections.abc import Callable

_TO_INSTALL = re.compile(r"^Inst (\S+)", re.MULTILINE)


def cache_folder(name: str) -> Path:
    """Return where the files of a program lie, or will."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "qwen3-operator" / name


def unpack(
    program: str,
    packages: tuple[str, ...],
    folder: Path,
    *,
    with_dependencies: bool = False,
    finish: Callable[[Path], None] | None = None,
) -> None:
    """Put the files of packages into `folder`, whole or not at all.

    The test that asks is skipped where they cannot be had, with the command that helps.

    Args:
        program: as people call it.
        packages: the first is the one that matters.
        folder: becomes what the packages hold.
        with_dependencies: whether packages that this machine lacks come along.
        finish: adds to the files before they are in place.
    """
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        cannot_run(f"No {program}, and no apt to get it with.", f"put `{packages[0]}` on PATH")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        work = Path(name)
        if not _download(packages, work, with_dependencies=with_dependencies):
            _succeeds(["apt-get", "update", "--quiet"], work)  # a fresh machine has no lists
            if not _download(packages, work, with_dependencies=with_dependencies):
                command = f"apt-get install --no-install-recommends {' '.join(packages)}"
                cannot_run(f"{program} could not be downloaded.", command)
        files = work / "files"
        for package in sorted(work.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, files], check=True)
        if finish is not None:
            finish(files)
        shutil.rmtree(folder, ignore_errors=True)
        files.rename(folder)


def _download(packages: tuple[str, ...], folder: Path, *, with_dependencies: bool) -> bool:
    names = list(packages)
    if with_dependencies:
        wanted = ["apt-get", "install", "--simulate", "--no-install-recommends", *packages]
        listed = subprocess.run(wanted, check=False, capture_output=True, text=True)
        names = _TO_INSTALL.findall(listed.stdout)
    return packages[0] in names and _succeeds(["apt-get", "download", "--quiet", *names], folder)


def _succeeds(argv: list[str], folder: Path) -> bool:
    return subprocess.run(argv, cwd=folder, check=False, capture_output=True).returncode == 0
