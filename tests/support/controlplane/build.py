"""Build one program with `go build`, telling how far it is."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

from .errors import BuildError
from .programs import BUILD_FLAGS, GO_MODULE, Program
from .toolchain import go_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PROGRESS_SECONDS = 10.0
"""How often a running build speaks: often enough to be seen alive, rare enough for a CI log."""

_KEPT_LINES = 30


def build_program(go: Path, program: Program, target: Path, say: Callable[[str], None]) -> Path:
    """Build `program` and put it at `target`, complete or not at all; return `target`.

    Raises:
        BuildError: with the last lines of the compiler.
    """
    scratch = target.with_name(f".building-{os.getpid()}-{program.name}")
    flags = ["-v", *BUILD_FLAGS, "-ldflags", program.linker_flags(_go_mod()), "-o", str(scratch)]
    started = time.monotonic()
    say("building")
    try:
        _run([str(go), "build", *flags, program.package], go_environment(go), program, say)
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
    say(f"built in {time.monotonic() - started:.0f} s")
    return target


def _run(
    argv: list[str], env: dict[str, str], program: Program, say: Callable[[str], None]
) -> None:
    started = spoken = time.monotonic()
    downloads = packages = 0
    tail: list[str] = []
    with subprocess.Popen(
        argv, cwd=GO_MODULE, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        try:
            for line in running.stderr or ():
                # -v names each package as it is compiled; the rest is downloads and complaints.
                tail = [*tail[-_KEPT_LINES:], line]
                downloads += line.startswith("go: downloading")
                packages += not line.startswith("go: ")
                now = time.monotonic()
                if now - spoken >= PROGRESS_SECONDS:
                    spoken = now
                    say(f"{packages} packages, {downloads} downloads, {now - started:.0f} s")
        except BaseException:
            running.terminate()
            raise
    if running.returncode != 0:
        raise BuildError(f"go build {program.package} failed:\n{''.join(tail)}")


def _go_mod() -> str:
    return (GO_MODULE / "go.mod").read_text()
