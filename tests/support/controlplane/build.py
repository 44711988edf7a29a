"""Build one program with `go build`, telling how far it is."""

from __future__ import annotations

import os
import shlex
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


def build_program(  # noqa: PLR0913 - what, with what, where, for whom
    go: Path,
    program: Program,
    target: Path,
    label: str,
    say: Callable[[str], None],
    *,
    module: Path = GO_MODULE,
) -> Path:
    """Build `program` and put it at `target`, complete or not at all; return `target`.

    Progress lines start with `label`; `module` is the folder of the go.mod that pins it.

    Raises:
        BuildError: with the last lines of the compiler.
    """
    scratch = target.with_name(f".building-{os.getpid()}-{program.name}")
    linker_flags = program.linker_flags((module / "go.mod").read_text())
    flags = ["-v", *BUILD_FLAGS, "-ldflags", linker_flags, "-o", str(scratch)]
    started = time.monotonic()
    say(f"{label}: building")
    try:
        _run([str(go), "build", *flags, program.package], go_environment(go), module, label, say)
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
    say(f"{label}: built in {time.monotonic() - started:.0f} s")
    return target


def _run(
    argv: list[str], env: dict[str, str], module: Path, label: str, say: Callable[[str], None]
) -> None:
    started = spoken = time.monotonic()
    downloads = packages = 0
    tail: list[str] = []
    with subprocess.Popen(
        argv, cwd=module, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
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
                    done = f"{packages} packages, {downloads} downloads"
                    say(f"{label}: {done}, {now - started:.0f} s")
        except BaseException:
            running.terminate()
            raise
    if running.returncode != 0:
        raise BuildError(f"{label}: `{shlex.join(argv)}` failed:\n{''.join(tail)}")
