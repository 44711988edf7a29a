"""Where programs come from, shown with stand-ins; nothing is built and no Go is needed."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from support.controlplane import MissingPrerequisiteError, binaries
from support.controlplane.programs import PROGRAMS, Program

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {
    "kube-apiserver": "Kubernetes v1.37.2",
    "kube-controller-manager": "Kubernetes v1.37.2",
    "kube-scheduler": "Kubernetes v1.37.2",
    "kubectl": "Client Version: v1.37.2",
    "etcd": "etcd Version: 3.7.0",
    "kwok": "kwok version v0.8.0",
    "helm": "v4.3.1",
}


def fill(folder: Path, answers: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, answer in answers.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{answer}'\n")
        program.chmod(0o755)
    return folder


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_nothing_is_found_on_a_bare_machine() -> None:
    assert binaries.find() is None


def test_assets_come_before_path_and_path_before_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = fill(tmp_path / "assets", {"etcd": GOOD["etcd"]})
    path = fill(tmp_path / "path", {name: GOOD[name] for name in ("etcd", "kubectl")})
    cache = fill(binaries.cache_root() / binaries.current_key(), GOOD)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    found = binaries.find()
    assert found is not None
    assert found["etcd"].parent == assets
    assert found["kubectl"].parent == path
    assert found["helm"].parent == cache


def test_an_unusable_kubectl_on_path_is_never_picked(tmp_path: Path) -> None:
    fill(tmp_path / "path", {"kubectl": "Client Version: v1.32.4-dispatcher"})
    cache = fill(binaries.cache_root() / binaries.current_key(), GOOD)
    found = binaries.find()
    assert found is not None
    assert found["kubectl"] == cache / "kubectl"
    assert found.search_path("/bin") == f"{cache}{os.pathsep}/bin"


def test_assets_of_another_version_are_refused_aloud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = fill(tmp_path / "assets", {"kube-apiserver": "Kubernetes v1.30.0"})
    fill(binaries.cache_root() / binaries.current_key(), GOOD)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    said: list[str] = []
    found = binaries.find(said.append)
    assert found is not None
    assert found["kube-apiserver"].parent != assets
    (line,) = said
    assert line.startswith("kube-apiserver from KUBEBUILDER_ASSETS is not used: ")
    assert line.endswith("is v1.30.0, needed is v1.37.2 or the same minor version")


def test_a_machine_with_neither_go_nor_pypi_is_told_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_pip = fill(tmp_path / "bin", {"python": ""}) / "python"
    no_pip.write_text("#!/bin/sh\necho 'no network' >&2\nexit 1\n")
    monkeypatch.setattr("sys.executable", str(no_pip))
    with pytest.raises(MissingPrerequisiteError, match=r"no network.*\n?.*Install Go >= 1\.26"):
        binaries.find_or_build(lambda _: None)


def test_only_missing_programs_are_built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cache = fill(
        binaries.cache_root() / binaries.current_key(),
        {name: answer for name, answer in GOOD.items() if name != "kwok"},
    )
    (cache / ".building-1-kwok").write_text("left by an interrupted build")
    built: list[str] = []

    def build(_go: Path, program: object, target: Path, label: str, _say: object) -> Path:
        assert program in PROGRAMS
        built.append(label)
        return target

    monkeypatch.setattr(binaries, "find_go", lambda *_: tmp_path / "go")
    monkeypatch.setattr(binaries, "build_program", build)
    found = binaries.find_or_build(lambda _: None)
    assert built == ["[1/1] kwok"]
    assert list(found.paths) == [program.name for program in PROGRAMS]
    assert not list(cache.glob(".building-*"))


def test_two_never_build_at_once_and_the_second_takes_what_the_first_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built: list[str] = []
    second_waits = threading.Event()

    def build(_go: Path, program: Program, target: Path, _label: str, _say: object) -> Path:
        assert second_waits.wait(10)
        built.append(program.name)
        return fill(target.parent, {program.name: GOOD[program.name]}) / program.name

    def say(line: str) -> None:
        if "another process is building" in line:
            second_waits.set()

    monkeypatch.setattr(binaries, "find_go", lambda *_: tmp_path / "go")
    monkeypatch.setattr(binaries, "build_program", build)
    with ThreadPoolExecutor(2) as pool:
        first, second = [pool.submit(binaries.find_or_build, say) for _ in range(2)]
        assert first.result() == second.result()
    assert built == [program.name for program in PROGRAMS]
