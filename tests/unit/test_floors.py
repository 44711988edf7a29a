"""The command that runs the floors: what it makes of tests that fail."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import pytest

from support.scripts import load_script

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LATE = """
from pathlib import Path

def test_late():
    seen = Path(__file__).with_name("seen")
    was = seen.exists()
    seen.touch()
    assert was
"""
BROKEN = """
def test_broken():
    assert False
"""


@pytest.fixture
def floor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], int]:
    """Make a floor of one file of tests and run it; return the exit status."""
    floors = load_script("test")

    def run(name: str, tests: str) -> int:
        (tmp_path / "test_it.py").write_text(tests)
        command = (sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "test_it.py")
        monkeypatch.setattr(floors, "ROOT", tmp_path)
        monkeypatch.setattr(floors, "LAST_FAILED", tmp_path / ".pytest_cache/v/cache/lastfailed")
        monkeypatch.setitem(floors.FLOORS, name, (command,))
        return int(floors.main([name]))

    return run


def test_who_passes_only_the_second_time_is_named(
    floor: Callable[[str, str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert floor("cluster", LATE) == 0
    assert "only the second time: test_it.py::test_late" in capsys.readouterr().out


def test_who_fails_twice_has_failed(
    floor: Callable[[str, str], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert floor("cluster", BROKEN) == 1
    assert "FAILED" in capsys.readouterr().out


INTERRUPTS = """
import os, pathlib, signal, time
os.kill(os.getppid(), signal.SIGINT)
time.sleep(0.2)
pathlib.Path("ended").touch()
"""


def test_whoever_interrupts_waits_for_what_runs_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    floors = load_script("test")
    monkeypatch.setattr(floors, "ROOT", tmp_path)
    monkeypatch.setitem(floors.FLOORS, "e2e", ((sys.executable, "-c", INTERRUPTS),))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(SystemExit) as caught:
            floors.main(["e2e"])
    finally:
        signal.signal(signal.SIGINT, before)

    assert caught.value.code == 130
    assert (tmp_path / "ended").exists()
    assert "interrupted" in capsys.readouterr().err


def test_no_test_without_a_cluster_is_asked_twice(floor: Callable[[str, str], int]) -> None:
    assert floor("unit", LATE) == 1
