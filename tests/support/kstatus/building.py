"""Build a program around the library kstatus, once, into the user's cache, and ask it.

The library is third-party work under its own license (Apache-2.0), pinned by the control plane's
go.mod because Helm needs it, and never committed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.controlplane.binaries import cache_root, say_on_stderr
from support.controlplane.build import build_program
from support.controlplane.programs import BUILD_FLAGS, GO_MODULE, Program
from support.controlplane.toolchain import find_go
from support.controlplane.versions import Skew, required_go

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SOURCE = Path(__file__).parent / "main.go"
MODULE = "github.com/fluxcd/cli-utils"


def find_or_build(say: Callable[[str], None] = say_on_stderr) -> Path:
    """Return the program, built now if it was never before; two callers never build at once.

    Raises:
        MissingPrerequisiteError: no Go, and none could be fetched.
        BuildError: the compiler refused; carries what it said.
    """
    folder = cache_root().with_name("kstatus") / _key()
    program = folder / "kstatus"
    if program.exists():
        return program
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.exists():
            go = find_go(required_go((GO_MODULE / "go.mod").read_text()), cache_root(), say)
            recipe = Program("kstatus", MODULE, str(SOURCE), (), Skew.SAME_MINOR)
            build_program(go, recipe, program, "kstatus", say)
    return program


def statuses_of(program: Path, objects: Sequence[dict[str, Any]]) -> list[str]:
    """Return what kstatus says of each object: InProgress, Current, Failed or Terminating."""
    done = subprocess.run(
        [program], input=json.dumps(objects), capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.split()


def _key() -> str:
    files = (SOURCE, GO_MODULE / "go.mod", GO_MODULE / "go.sum")
    platform_of = (platform.system(), platform.machine(), *BUILD_FLAGS)
    parts = [*(file.read_bytes() for file in files), *(text.encode() for text in platform_of)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
