"""A headless Chromium: found on PATH, or unpacked from Debian's packages into the cache."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from support.availability import cannot_run

PACKAGE = "chromium-headless-shell"
FONTS = "fonts-dejavu-core"
COMMAND = f"apt-get install --no-install-recommends {PACKAGE} {FONTS}"

NAMES = (PACKAGE, "chromium", "chromium-browser", "google-chrome")
"""Programs that understand the same options."""

_TO_INSTALL = re.compile(r"^Inst (\S+)", re.MULTILINE)

_FONT_CONFIGURATION = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
<dir>/usr/share/fonts</dir><dir>{fonts}</dir><cachedir>{cache}</cachedir>
<include ignore_missing="yes">/etc/fonts/fonts.conf</include>
<alias binding="same"><family>sans-serif</family>
<prefer><family>DejaVu Sans</family></prefer></alias>
<alias binding="same"><family>system-ui</family>
<prefer><family>DejaVu Sans</family></prefer></alias>
<alias binding="same"><family>monospace</family>
<prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """A program and what its environment needs beyond the usual."""

    program: Path
    environment: dict[str, str]


def find_or_unpack() -> Chromium:
    """Return the browser; the test that asks is skipped where it cannot be had."""
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Chromium(Path(found), {})
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "qwen3-operator" / "chromium"
    if not folder.exists():
        _unpack(folder)
    libraries = sorted({str(path.parent) for path in (folder / "usr" / "lib").rglob("*.so*")})
    environment = {
        "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        "FONTCONFIG_FILE": str(folder / "fonts.conf"),
    }
    return Chromium(folder / "usr" / "lib" / "chromium" / PACKAGE, environment)


def _unpack(folder: Path) -> None:
    """Put the files of the browser and of what this machine lacks into `folder`, whole or not."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        cannot_run("No Chromium, and no apt to get it with.", "put `chromium` on PATH")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        work = Path(name)
        if not _download(work):
            _succeeds(["apt-get", "update", "--quiet"], work)  # a fresh machine has no lists
            if not _download(work):
                cannot_run("Chromium could not be downloaded.", COMMAND)
        files = work / "files"
        for package in sorted(work.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, files], check=True)
        said = _FONT_CONFIGURATION.format(fonts=folder / "usr/share/fonts", cache=folder / "fonts")
        (files / "fonts.conf").write_text(said)
        files.rename(folder)


def _download(folder: Path) -> bool:
    """Download the package and those of its dependencies that are not installed."""
    wanted = ["apt-get", "install", "--simulate", "--no-install-recommends", PACKAGE, FONTS]
    listed = subprocess.run(wanted, check=False, capture_output=True, text=True)
    names = _TO_INSTALL.findall(listed.stdout)
    return PACKAGE in names and _succeeds(["apt-get", "download", "--quiet", *names], folder)


def _succeeds(argv: list[str], folder: Path) -> bool:
    return subprocess.run(argv, cwd=folder, check=False, capture_output=True).returncode == 0
