"""The images of the end-to-end tests, and what they are made of.

What needs a network (packages, wheels) is fetched by `prepare`, outside the sandbox; a node's
containerd takes them in (`store`), inside. Both do nothing the second time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.debian import cache_folder
from support.engine import environment

from . import through_ray
from .images import Image, Layer, base_filesystem
from .llamacpp_image import llamacpp_image

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ("operator", "planner")
SINGLE_FILES = (
    "pyproject.toml",
    "image/requirements.lock",
    "image/sbom.cdx.json",
    "image/install.sh",
)

PREVIOUS = ROOT / "tests" / "e2e" / "previous"
"""Chart and wheel of the release before; its README says which."""

INSPECTED = "vllm"
"""Folder beside the models with what vLLM has found out about their classes."""

REGISTRY = "localhost/qwen3-test"

UNUSED_SECONDS = 24 * 3600
"""How long modules that were installed for an image stay in the cache after their last use."""


@dataclass(frozen=True, slots=True)
class Images:
    """Images by what they are for, each named by a hash of what is in it."""

    pause: Image
    operator: Image
    previous_operator: Image
    llamacpp: Image
    engine: Image

    def __iter__(self) -> Iterator[Image]:
        """Yield the small ones first."""
        operators = (self.operator, self.previous_operator)
        yield from (self.pause, *operators, self.llamacpp, self.engine)


@dataclass(frozen=True, slots=True)
class Supplies:
    """What a node is supplied with.

    Attributes:
        images: for its pods.
        models: a folder with tiny models, ``dense`` and ``moe``, for a claim, and `INSPECTED`.
        engine: what the engine's image holds.
        ray: a folder with Ray for it, for a claim.
    """

    images: Images
    models: Path
    engine: environment.EngineEnvironment
    ray: Path


def prepare(say: Callable[[str], None]) -> Supplies:
    """Fetch and make what the images hold, and models; needs a network the first time.

    Raises:
        EngineUnavailableError, EnvironmentBuildError: see `support.engine.environment`.
        RuntimeError: Debian's packages or the operator's modules could not be had.
    """
    base = base_filesystem(say)
    engine = environment.find_or_build(say)
    operators = (installed_operator(say), _previous_operator(say))
    llamacpp = llamacpp_image(f"{REGISTRY}/llamacpp", say)
    return Supplies(
        _images(base, operators, llamacpp, engine.folder),
        _models(engine, say),
        engine,
        through_ray.find_or_install(engine, say),
    )


def _images(base: Path, operators: tuple[Path, Path], llamacpp: Image, engine: Path) -> Images:
    python = _base_python(engine)
    bottom = Layer(base)
    names = ("qwen3-operator", "qwen3-operator-before")
    present, previous = (
        Image(
            f"{REGISTRY}/{name}:{folder.name}",
            (bottom, Layer(folder, "/app")),
            # as Containerfile has it
            ("/app/bin/qwen3-operator", "run"),
            {
                "PATH": "/app/bin:/usr/local/bin:/usr/bin:/bin",
                "PYTHONPATH": "/app/lib",
                "PYTHONUNBUFFERED": "1",
            },
        )
        for name, folder in zip(names, operators, strict=True)
    )
    return Images(
        Image(f"{REGISTRY}/pause:{base.name}", (bottom,)),
        present,
        previous,
        llamacpp,
        Image(
            f"{REGISTRY}/vllm-cpu:{engine.name}",
            # the environment names its Python by path, so both lie where they lie on this machine
            (bottom, Layer(python, str(python)), Layer(engine, str(engine))),
            (str(engine / "bin" / "vllm"), "serve"),
            {"PATH": f"{engine}/bin:/usr/local/bin:/usr/bin:/bin", "HF_HUB_OFFLINE": "1"},
        ),
    )


def _base_python(environment: Path) -> Path:
    """Return the folder of the Python that a virtual environment was made with."""
    for line in (environment / "pyvenv.cfg").read_text().splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "home":
            return Path(value.strip()).parent
    raise RuntimeError(f"{environment}/pyvenv.cfg names no home")


def installed_operator(say: Callable[[str], None]) -> Path:
    """Return what the operator's image holds under /app, installed now if it never was.

    Raises:
        RuntimeError: its modules could not be had.
    """
    return _installed(_key(_sources()), (), say)


def _previous_operator(say: Callable[[str], None]) -> Path:
    files = (*PREVIOUS.glob("*.whl"), ROOT / "image" / "requirements.lock")
    return _installed(_key(files), files[:-1], say)


def _installed(key: str, wheels: tuple[Path, ...], say: Callable[[str], None]) -> Path:
    """Return what the image has in /app: this tree's operator, or that of a wheel."""
    folder = cache_folder("operator-image") / key
    if folder.exists():
        os.utime(folder)
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    say(f"installing the operator for its image ({wheels[0].name if wheels else 'this tree'})")
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        made = Path(name) / "app"
        done = subprocess.run(
            ["sh", ROOT / "image" / "install.sh", made, _python(), *wheels],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"image/install.sh failed:\n{done.stderr[-2000:]}")
        made.rename(folder)
    _remove_unused(folder.parent)
    return folder


def _remove_unused(parent: Path) -> None:
    """Each change of the operator makes a folder; only those of late can be wanted again."""
    for folder in parent.iterdir():
        if time.time() - folder.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _python() -> str:
    """Return a Python of the release that the image's base has."""
    wanted = (3, 11)
    if sys.version_info[:2] == wanted:
        return sys.executable
    return "/usr/bin/python3"


def _models(engine: environment.EngineEnvironment, say: Callable[[str], None]) -> Path:
    inside = Path(environment.__file__).parent / "inside"
    names = ("modelling.py", "tokenizing.py", "inspecting.py")
    recipes = [(inside / name).read_bytes() for name in names]
    recipes.append(engine.folder.name.encode())
    folder = cache_folder("models") / hashlib.sha256(b"\0".join(recipes)).hexdigest()[:16]
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    say("making tiny models")
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        made = Path(name) / "models"
        for kind in ("dense", "moe"):
            (made / kind).mkdir(parents=True)
            _run_inside(engine, "modelling", str(made / kind), kind)
        _run_inside(engine, "inspecting", VLLM_CACHE_ROOT=str(made / INSPECTED))
        for path in (made, *made.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)  # pods are not root
        made.rename(folder)
    return folder


def _run_inside(engine: environment.EngineEnvironment, *words: str, **env: str) -> None:
    """Run a module of `support.engine.inside` by the engine's Python."""
    module, *arguments = words
    subprocess.run(
        [engine.python, "-m", f"support.engine.inside.{module}", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests"), **env},
        capture_output=True,
        check=True,
    )


def _key(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    yield from (ROOT / name for name in SINGLE_FILES)
    for name in SOURCES:
        for path in (ROOT / name).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
