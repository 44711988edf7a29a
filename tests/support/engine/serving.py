"""`vllm serve` itself, on the CPU, answering over HTTP."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING, Any, Self
from urllib.error import URLError

from .errors import EngineDiedError
from .oracle import engine_variables
from .starting import KV_SPACE_GIB

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from .environment import EngineEnvironment

START_SECONDS = 240
"""Longest that a start may take; 20 to 45 s on two idle cores."""


class Server:
    """A running `vllm serve`; stopped when left."""

    def __init__(
        self,
        environment: EngineEnvironment,
        words: Sequence[str],
        port: int,
        folder: Path,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._log = folder / "serve.log"
        self.url = f"http://127.0.0.1:{port}"
        variables = {
            **engine_variables(folder),
            "VLLM_CPU_KVCACHE_SPACE": str(KV_SPACE_GIB),
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            **(env or {}),
        }
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [str(environment.vllm), "serve", *words],
                env=variables,
                cwd=folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def wait_until_healthy(self) -> None:
        """Ask /health until it answers.

        Raises:
            EngineDiedError: it ended first, or takes too long.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                self.get("/health")
            except (URLError, ConnectionError):
                self._pause()
            else:
                return
        tail = "".join(self.log.splitlines(keepends=True)[-40:])
        raise EngineDiedError(f"`vllm serve` did not become healthy:\n{tail}")

    def _pause(self) -> None:
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            return

    @property
    def log(self) -> str:
        """What it has written so far."""
        return self._log.read_text()

    def get(self, path: str) -> str:
        """Return the body of a GET."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:  # noqa: S310 - loopback
            body: bytes = answer.read()
        return body.decode()

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON answer of a POST."""
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.url}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
            found: dict[str, Any] = json.load(answer)
        return found
