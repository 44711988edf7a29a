"""A real Prometheus: found on PATH, or unpacked from Debian's package into the cache (no root)."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import requests
import yaml

from support.controlplane import BackgroundProcess
from support.debian import cache_folder, unpack
from support.ports import free_port
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

START_SECONDS = 60.0

SCRAPE_INTERVAL_S = 1


class Prometheus:
    """One server that scrapes `targets`; a context manager."""

    def __init__(
        self,
        targets: Mapping[str, str],
        scrape_configs: Sequence[Mapping[str, Any]] = (),
        *,
        address: str = "127.0.0.1",
    ) -> None:
        """Prepare; `targets` are ``host:port`` by the name of the job.

        `scrape_configs` are further ones in Prometheus' own form, `address` is where it listens:
        another one than loopback where real pods ask it.
        """
        self._targets = targets
        self._address = address
        self._scrape_configs = scrape_configs
        self._folder = Path(tempfile.mkdtemp(prefix="qwen3-prometheus-"))
        weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._process: BackgroundProcess | None = None
        self.url = ""

    def __enter__(self) -> Self:
        port = free_port()
        self.url = f"http://{self._address}:{port}"
        configuration = self._folder / "prometheus.yml"
        configuration.write_text(yaml.safe_dump(self._configuration()))
        self._process = BackgroundProcess(
            "prometheus",
            [
                find_or_unpack(),
                f"--config.file={configuration}",
                f"--storage.tsdb.path={self._folder / 'data'}",
                f"--web.listen-address={self._address}:{port}",
            ],
            self._folder / "prometheus.log",
        )
        until(self._is_ready, START_SECONDS, lambda: f"not ready:\n{self._running.tail()}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.stop()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Evaluate a query now and return its series.

        Raises:
            AssertionError: Prometheus refuses it; the text is its own.
        """
        answer = requests.get(
            f"{self.url}/api/v1/query", params={"query": expression}, timeout=30
        ).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        series: list[dict[str, Any]] = answer["data"]["result"]
        return series

    @property
    def _running(self) -> BackgroundProcess:
        if self._process is None:
            raise RuntimeError("Prometheus was not started")
        return self._process

    def _is_ready(self) -> bool:
        self._running.check()
        try:
            return requests.get(f"{self.url}/-/ready", timeout=5).ok
        except requests.ConnectionError:
            return False

    def _configuration(self) -> dict[str, Any]:
        return {
            "global": {"scrape_interval": f"{SCRAPE_INTERVAL_S}s", "scrape_timeout": "1s"},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [address]}]}
                for job, address in self._targets.items()
            ]
            + [dict(config) for config in self._scrape_configs],
        }


def find_or_unpack() -> Path:
    """Return the program; the test that asks is skipped where it cannot be had."""
    on_path = shutil.which("prometheus")
    if on_path:
        return Path(on_path)
    folder = cache_folder("prometheus")
    program = folder / "usr" / "bin" / "prometheus"
    if not program.exists():
        unpack("Prometheus", ("prometheus",), folder)
    return program
