"""Sweeps in real processes: interrupted by a real signal, and on a real local Ray."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.cli.exit_codes import ExitCode
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.engine

GRID = {
    "grid": {
        "model": ["Qwen3-8B", "Qwen3-32B", "Qwen3-30B-A3B"],
        "hardware": ["1xL4-24GB", "1xH100-SXM-80GB", "4xA100-SXM-80GB"],
        "concurrency": list(range(1, 201)),
    }
}
CASES = 1800
"""Some seconds of work, so that a signal after the first row comes long before the last."""
INTERRUPTED = 130


@pytest.fixture
def grid(tmp_path: Path) -> Path:
    file = tmp_path / "grid.json"
    file.write_text(json.dumps(GRID))
    return file


def sweep(grid: Path, out: Path, *options: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "qwen3_planner", "sweep", str(grid), "-o", str(out), *options]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


@contextmanager
def interrupts_heard() -> Iterator[None]:
    """Let programs that are started here hear SIGINT.

    A shell has those deaf to it that it starts in the background, and whom they start in turn.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def ended(process: subprocess.Popen[str]) -> int:
    _, said = process.communicate(timeout=300)
    assert process.returncode != ExitCode.DEFECT, said
    return process.returncode


def test_a_sweep_that_was_interrupted_ends_like_one_that_was_not(
    grid: Path, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    assert ended(sweep(grid, whole)) == 0

    with interrupts_heard():
        process = sweep(grid, broken, "--workers", "2", "--batch", "2")
    until(lambda: broken.exists() and broken.stat().st_size > 0, 60, "no row was written")
    process.send_signal(signal.SIGINT)
    assert ended(process) == INTERRUPTED
    kept = broken.read_bytes()
    assert kept.count(b"\n") < CASES
    assert ended(sweep(grid, broken)) == 0

    assert broken.read_bytes().startswith(kept)
    assert broken.read_bytes() == whole.read_bytes()
    assert whole.read_bytes().count(b"\n") == CASES


def test_ray_answers_what_processes_answer(
    grid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where a cluster that is gone has left its address: one is started here."""
    here, there = tmp_path / "here.jsonl", tmp_path / "there.jsonl"
    # Ray keeps sockets in its folder, whose path must be short.
    folder = Path(tempfile.mkdtemp())
    monkeypatch.setenv("RAY_TMPDIR", str(folder))
    left = folder / "ray" / "ray_current_cluster"
    left.parent.mkdir()
    left.write_text("127.0.0.1:9")

    assert ended(sweep(grid, here)) == 0
    assert ended(sweep(grid, there, "--ray", "--batch", "32")) == 0

    assert there.read_bytes() == here.read_bytes()
    shutil.rmtree(folder)
