"""The image with llama.cpp's own server, as its package for Python has it."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from support import llamacpp_options
from support.debian import cache_folder

from .images import Image, Layer, base_filesystem

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGE = "xllamacpp"
"""Built against Python's stable interface, so that of this machine runs in the image, too."""

PROGRAM = Path(__file__).parent / "inside" / "llama_server.py"

NEEDS = ("libgomp1",)
"""Debian's packages that it is linked against and that the other images lack."""

FOLDER = "/app"
"""Where the official images have the program (`qwen3_planner.engines.profiles`)."""


def llamacpp_image(repository: str, say: Callable[[str], None]) -> Image:
    """Return the image: Debian's Python, the package, and the program that reads options.

    Raises:
        RuntimeError: the package is not installed here, or Debian's could not be had.
    """
    found = importlib.util.find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise RuntimeError(f"{PACKAGE} is not installed: make setup")
    package = Path(found.origin).parent
    base = base_filesystem(say, *NEEDS)
    program = _program()
    return Image(
        f"{repository}:{base.name}-{program.name}",
        (Layer(base), Layer(package, f"{FOLDER}/lib/{PACKAGE}"), Layer(program, FOLDER)),
        (f"{FOLDER}/llama-server",),
    )


def _program() -> Path:
    """Return a folder with the program and what it reads options with, named by their contents."""
    sources = {"llama-server": PROGRAM, "lib/llamacpp_options.py": Path(llamacpp_options.__file__)}
    contents = b"\0".join(source.read_bytes() for source in sources.values())
    key = hashlib.sha256(contents + version(PACKAGE).encode()).hexdigest()[:16]
    folder = cache_folder("llamacpp-image") / key
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        made = Path(name) / "app"
        (made / "lib").mkdir(parents=True)
        for target, source in sources.items():
            shutil.copyfile(source, made / target)
        (made / "llama-server").chmod(0o755)
        made.rename(folder)
    return folder
