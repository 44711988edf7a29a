"""Find the programs of the control plane, or build them.

Each program is looked for in this order: `KUBEBUILDER_ASSETS`, PATH, the cache, `go build`. What is
found on the machine counts only when its version is acceptable (`Program.skew`). Built programs
stay in `${XDG_CACHE_HOME:-~/.cache}/qwen3-operator/controlplane/<key>`; they are third-party
programs under their own licenses, built where they are used and never committed.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .build import build_program
from .errors import ControlPlaneError
from .programs import GO_MODULE, PROGRAMS, Program, cache_key
from .toolchain import find_go
from .versions import is_acceptable, parse_version, required_go

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Binaries:
    """Where each program lies."""

    paths: Mapping[str, Path]

    def __getitem__(self, name: str) -> Path:
        return self.paths[name]

    @property
    def folders(self) -> tuple[Path, ...]:
        """Folders of the programs, without repetition, in the order of the programs."""
        return tuple(dict.fromkeys(path.parent for path in self.paths.values()))

    def search_path(self, rest: str = "") -> str:
        """Return a value for PATH that finds these programs first."""
        parts = [*map(str, self.folders), *([rest] if rest else [])]
        return os.pathsep.join(parts)


def say_on_stderr(line: str) -> None:
    """Report progress where it does not mix with results."""
    sys.stderr.write(f"controlplane: {line}\n")
    sys.stderr.flush()


def cache_root() -> Path:
    """Return the folder that holds everything this package keeps between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "qwen3-operator" / "controlplane"


def current_key() -> str:
    """Return the cache key of this checkout on this machine."""
    return cache_key(_go_mod(), (GO_MODULE / "go.sum").read_text(), *_go_platform())


def find(say: Callable[[str], None] = say_on_stderr) -> Binaries | None:
    """Return the programs when every one is there already; never builds, never uses the network."""
    found, missing = _look_for(say)
    return None if missing else Binaries(found)


def find_or_build(say: Callable[[str], None] = say_on_stderr) -> Binaries:
    """Return the programs, building those that are not there; needs no root and no network if none.

    Two callers never build at once: the second waits for the first and takes its results.

    Raises:
        MissingPrerequisiteError: no Go, and none could be fetched.
        BuildError: the compiler refused; carries what it said.
    """
    found, missing = _look_for(say)
    if missing:
        with _building(say):
            found, missing = _look_for(say)
            if missing:
                found |= _build(missing, say)
    return Binaries({program.name: found[program.name] for program in PROGRAMS})


def _look_for(say: Callable[[str], None]) -> tuple[dict[str, Path], list[Program]]:
    """Return what is there and what is not."""
    cache = cache_root() / current_key()
    found: dict[str, Path] = {}
    missing: list[Program] = []
    for program in PROGRAMS:
        path = _on_machine(program, say) or _runnable(cache / program.name)
        if path is None:
            missing.append(program)
        else:
            found[program.name] = path
    return found, missing


def _on_machine(program: Program, say: Callable[[str], None]) -> Path | None:
    """Return an acceptable program from KUBEBUILDER_ASSETS or PATH."""
    for source, folders in (
        ("KUBEBUILDER_ASSETS", os.environ.get("KUBEBUILDER_ASSETS")),
        ("PATH", os.environ.get("PATH", os.defpath)),
    ):
        path = shutil.which(program.name, path=folders) if folders else None
        if path is None:
            continue
        reason = _refusal(program, Path(path))
        if reason is None:
            return Path(path)
        if source == "KUBEBUILDER_ASSETS":  # set on purpose; what lies on PATH seldom is
            say(f"{program.name} from {source} is not used: {reason}")
    return None


def _refusal(program: Program, path: Path) -> str | None:
    pinned = program.pinned(_go_mod())
    try:
        asked = subprocess.run(
            [path, *program.ask_version],
            capture_output=True,
            text=True,
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{path} does not run ({error})"
    version = parse_version(asked.stdout)
    if version is None:
        return f"{path} tells no version"
    if is_acceptable(version, pinned, program.skew):
        return None
    return f"{path} is {version}, needed is {pinned} or {program.skew.value}"


def _build(missing: list[Program], say: Callable[[str], None]) -> dict[str, Path]:
    """Build the missing programs one after the other; finished ones survive an interruption."""
    go_mod = _go_mod()
    go = find_go(required_go(go_mod), cache_root(), say)
    target = cache_root() / current_key()
    target.mkdir(parents=True, exist_ok=True)
    for leftover in target.glob(".building-*"):
        leftover.unlink()
    say(f"building {len(missing)} of {len(PROGRAMS)} programs into {target} (first time: minutes)")
    built = {}
    for number, program in enumerate(missing, start=1):
        label = f"[{number}/{len(missing)}] {program.name}"
        built[program.name] = build_program(go, program, target / program.name, label, say)
    return built


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


def _runnable(path: Path) -> Path | None:
    return path if os.access(path, os.X_OK) else None


def _go_mod() -> str:
    return (GO_MODULE / "go.mod").read_text()


def _go_platform() -> tuple[str, str]:
    """Return GOOS and GOARCH without asking Go, which may not be there."""
    goos = platform.system().lower()
    machine = platform.machine().lower()
    goarch = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    if machine not in goarch:
        raise ControlPlaneError(f"no name of Go is known for the machine type {machine!r}")
    return goos, goarch[machine]
