"""The engine's environment: built whole or not at all, by one process at a time."""

from __future__ import annotations

import platform
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from support.engine import environment
from support.engine.environment import current_key, find, find_or_build
from support.engine.errors import EngineUnavailableError, EnvironmentBuildError

if TYPE_CHECKING:
    from pathlib import Path

    from support.engine.environment import EngineEnvironment

pytestmark = pytest.mark.engine


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return environment.cache_root()


def quiet(_line: str) -> None:
    return


def test_a_build_that_fails_leaves_nothing_to_be_used(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (cache / f".building-{current_key()}").mkdir(parents=True)  # of one that was killed
    monkeypatch.setattr(environment, "REQUIREMENTS", environment.REQUIREMENTS.with_name("absent"))
    monkeypatch.setattr(environment, "current_key", lambda: "key")
    with pytest.raises(
        EnvironmentBuildError, match=r"Mend what it says .* `make engine-environment` again"
    ):
        find_or_build(quiet)
    assert find() is None
    assert list(cache.glob(".building-*")) == []


def test_too_little_space_is_said_before_anything_is_fetched(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(2**30))
    with pytest.raises(EngineUnavailableError, match=r"1\.0 GiB free, 8 needed\. Free some"):
        find_or_build(quiet)
    assert cache.exists()


def test_another_kind_of_machine_is_refused_with_what_to_do(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(
        EngineUnavailableError, match=r"not aarch64\. Run the tests on x86-64 Linux"
    ):
        find_or_build(quiet)
    assert not cache.exists()


def test_the_key_changes_with_what_goes_into_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = current_key()
    monkeypatch.setattr(environment, "RECIPE", environment.RECIPE + 1)
    assert current_key() != before


def test_its_scripts_find_their_python_wherever_the_folder_goes(
    engine: EngineEnvironment, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "moved"
    elsewhere.mkdir()
    (elsewhere / "bin").symlink_to(engine.folder / "bin")
    scripts: list[Any] = [
        path
        for path in engine.folder.joinpath("bin").iterdir()
        if path.is_file() and not path.is_symlink() and path.read_bytes()[:2] == b"#!"
    ]
    assert engine.vllm in scripts
    assert [path.name for path in scripts if b".building" in path.read_bytes()[:400]] == []
    ran = subprocess.run(
        [str(elsewhere / "bin" / "torchrun"), "--help"], capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
