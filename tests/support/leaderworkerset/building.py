"""Build the controller from its Go module, once, into the user's cache.

Its definitions (CRDs) lie in the same module; they are put beside the program. Both are third-party
work under their own license (Apache-2.0), made on the machine that uses them and never committed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.controlplane.binaries import cache_root, say_on_stderr
from support.controlplane.build import build_program
from support.controlplane.errors import BuildError
from support.controlplane.programs import BUILD_FLAGS, Program
from support.controlplane.toolchain import find_go, go_environment
from support.controlplane.versions import Skew, required_go

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
MODULE = "sigs.k8s.io/lws"
CRDS = "config/crd/bases"
CONTROLLER = Program("lws", MODULE, f"{MODULE}/cmd", ("--version",), Skew.SAME_MINOR)


@dataclass(frozen=True, slots=True)
class Built:
    """Where the controller and its definitions lie."""

    program: Path
    definitions: Path


def find_or_build(say: Callable[[str], None] = say_on_stderr) -> Built:
    """Return the controller, built now if it was never before; two callers never build at once.

    Raises:
        MissingPrerequisiteError: no Go, and none could be fetched.
        BuildError: the compiler refused; carries what it said.
    """
    folder = cache_root().with_name("leaderworkerset") / _key()
    built = Built(folder / "lws", folder / "definitions")
    if built.program.exists():
        return built
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.program.exists():
            _build(built, say)
    return built


def _build(built: Built, say: Callable[[str], None]) -> None:
    go = find_go(required_go((HERE / "go.mod").read_text()), cache_root(), say)
    say(f"building LeaderWorkerSet into {built.program.parent} (first time: minutes)")
    source = Path(json.loads(_go(go, "list", "-mod=readonly", "-m", "-json", MODULE))["Dir"])
    shutil.rmtree(built.definitions, ignore_errors=True)
    built.definitions.mkdir()
    for definition in (source / CRDS).glob("*.yaml"):
        shutil.copyfile(definition, built.definitions / definition.name)
    # last: whoever finds the program takes the definitions to be there
    build_program(go, CONTROLLER, built.program, "LeaderWorkerSet", say, module=HERE)


def _go(go: Path, *arguments: str) -> str:
    done = subprocess.run(
        [go, *arguments],
        cwd=HERE,
        env=go_environment(go),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(f"`go {' '.join(arguments)}` failed:\n{done.stderr[-2000:]}")
    return done.stdout


def _key() -> str:
    return hashlib.sha256(b"\0".join(_determining())).hexdigest()[:16]


def _determining() -> Iterator[bytes]:
    yield from ((HERE / name).read_bytes() for name in ("go.mod", "go.sum"))
    yield from (part.encode() for part in (*BUILD_FLAGS, platform.system(), platform.machine()))
