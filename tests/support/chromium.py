"""A headless Chromium: found on PATH, or unpacked from Debian's packages into the cache."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from support.debian import cache_folder, unpack

PACKAGE = "chromium-headless-shell"
FONTS = "fonts-dejavu-core"

NAMES = (PACKAGE, "chromium", "chromium-browser", "google-chrome")
"""Programs that understand the same options."""

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
    folder = cache_folder("chromium")
    if not folder.exists():
        fonts = partial(_configure_fonts, folder)
        unpack("Chromium", (PACKAGE, FONTS), folder, with_dependencies=True, finish=fonts)
    libraries = sorted({str(path.parent) for path in (folder / "usr" / "lib").rglob("*.so*")})
    environment = {
        "LD_LIBRARY_PATH": os.pathsep.join(libraries),
        "FONTCONFIG_FILE": str(folder / "fonts.conf"),
    }
    return Chromium(folder / "usr" / "lib" / "chromium" / PACKAGE, environment)


def _configure_fonts(folder: Path, files: Path) -> None:
    said = _FONT_CONFIGURATION.format(fonts=folder / "usr/share/fonts", cache=folder / "fonts")
    (files / "fonts.conf").write_text(said)
