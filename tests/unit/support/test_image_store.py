"""Copies of the image store: each node's own, and none left by a run that was killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.node.store import COMPLETE, COPIES, STORE, Copy

if TYPE_CHECKING:
    from support.node.supply import Images

MAKE_AND_WAIT = """
from support.node.store import Copy
copy = Copy((), print)
print("made", flush=True)
input()
"""

NO_IMAGES: Any = ()


@pytest.fixture
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies of a store are made that has all it needs."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    store = tmp_path / "qwen3-operator" / STORE
    store.mkdir(parents=True)
    (store / COMPLETE).touch()
    (store / "layer").write_text("of an image")
    (store / "what-there-is.db").write_text("a database")
    return tmp_path / "qwen3-operator" / COPIES


def folders(parent: Path) -> set[Path]:
    return {path for path in parent.iterdir() if path.is_dir()}


def copy(images: Images = NO_IMAGES) -> tuple[Copy, list[str]]:
    said: list[str] = []
    return Copy(images, said.append), said


def test_layers_are_shared_and_databases_are_not(copies: Path) -> None:
    made, _ = copy()
    store = copies.parent / STORE
    assert (made.path / "layer").samefile(store / "layer")
    assert not (made.path / "what-there-is.db").samefile(store / "what-there-is.db")
    made.remove()
    assert folders(copies) == set()
    assert (store / "layer").read_text() == "of an image"


@pytest.mark.thorough
def test_what_a_killed_run_left_is_removed_by_the_next_and_nobody_elses(copies: Path) -> None:
    mine, said = copy()
    assert said == []
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", MAKE_AND_WAIT],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "made\n"
        both = folders(copies)
        third, said = copy()
        assert said == []
        third.remove()
        assert folders(copies) == both
        other.kill()
    (left,) = both - {mine.path.parent}
    fourth, said = copy()
    assert said == [f"removing {left}: the run that made it has ended"]
    assert folders(copies) == {mine.path.parent, fourth.path.parent}
