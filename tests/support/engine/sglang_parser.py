"""SGLang's own argument parser, asked beside vLLM's environment, which has most of what it needs.

SGLang's wheel is installed without its dependencies into a folder of the cache: its parser needs
PyTorch and transformers, which the environment of the real engine holds, and three small packages.
Its kernels are not here, so nothing can be served with it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .environment import cache_root, run_step
from .errors import EngineDiedError
from .oracle import Refused, engine_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .environment import EngineEnvironment

SGLANG_VERSION = "0.5.23"
"""The release whose parser is asked; the catalog's default."""

PACKAGES = (
    f"sglang=={SGLANG_VERSION}",
    "ipython==9.18.1",
    "orjson==3.13.0",
    "traitlets==5.16.1",
)


def find_or_install(say: Callable[[str], None]) -> Path:
    """Return the folder with SGLang's Python, installing it where it is not there (40 MB).

    Raises:
        EnvironmentBuildError: the installer failed.
    """
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    key = hashlib.sha256("\0".join((*PACKAGES, version)).encode()).hexdigest()[:16]
    folder = cache_root().with_name("sglang-parser") / key
    if (folder / "sglang").is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    options = ("--disable-pip-version-check", "--no-input", "--progress-bar=off", "--no-compile")
    argv = [sys.executable, "-m", "pip", "install", *options, "--no-deps"]
    run_step([*argv, f"--target={building}", *PACKAGES], PACKAGES[0], say)
    try:
        building.rename(folder)
    except OSError:  # somebody was faster
        shutil.rmtree(building)
    return folder


class SglangParser:
    """A long-lived process that imports SGLang's arguments once; a context manager."""

    def __init__(self, environment: EngineEnvironment, packages: Path) -> None:
        self.version = SGLANG_VERSION
        self._folder = tempfile.TemporaryDirectory(prefix="sglang-parser-")
        self._log = Path(self._folder.name) / "log"
        program = Path(__file__).with_name("inside") / "parsing_sglang.py"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [str(environment.python), str(program), str(packages)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self._folder.name,
                env=engine_variables(Path(self._folder.name)),
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._folder.cleanup()

    def parse(self, words: Sequence[str]) -> dict[str, Any] | Refused:
        """Return the arguments as SGLang understands the words after its program, or its refusal.

        Raises:
            EngineDiedError: the process ended.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        line = ""
        try:
            self._process.stdin.write(json.dumps(list(words)) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            pass
        if not line:
            self._process.wait()
            raise EngineDiedError(f"SGLang's parser ended: {self._log.read_text()[-4000:]}")
        answer: dict[str, Any] = json.loads(line)
        if "refused" in answer:
            return Refused("ArgumentError", answer["refused"], "")
        return answer
