"""The cache key names what determines the binaries, and nothing else."""

from __future__ import annotations

import pytest

from support.controlplane import binaries, programs
from support.controlplane.programs import GO_MODULE, PROGRAMS, cache_key

GO_MOD = (GO_MODULE / "go.mod").read_text()


def test_same_input_gives_the_same_key() -> None:
    assert cache_key(GO_MOD, "sums", "linux", "amd64") == cache_key(
        GO_MOD, "sums", "linux", "amd64"
    )
    assert binaries.current_key() == binaries.current_key()


@pytest.mark.parametrize(
    ("go_mod", "go_sum", "goos", "goarch"),
    [
        pytest.param(GO_MOD + "// x\n", "sums", "linux", "amd64", id="go.mod"),
        pytest.param(GO_MOD, "other sums", "linux", "amd64", id="go.sum"),
        pytest.param(GO_MOD, "sums", "darwin", "amd64", id="operating system"),
        pytest.param(GO_MOD, "sums", "linux", "arm64", id="architecture"),
    ],
)
def test_each_input_changes_the_key(go_mod: str, go_sum: str, goos: str, goarch: str) -> None:
    assert cache_key(go_mod, go_sum, goos, goarch) != cache_key(GO_MOD, "sums", "linux", "amd64")


def test_flags_and_list_of_programs_change_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache_key(GO_MOD, "sums", "linux", "amd64")
    with monkeypatch.context() as patched:
        patched.setattr(programs, "BUILD_FLAGS", ("-race",))
        assert cache_key(GO_MOD, "sums", "linux", "amd64") != before
    with monkeypatch.context() as patched:
        patched.setattr(programs, "PROGRAMS", PROGRAMS[1:])
        assert cache_key(GO_MOD, "sums", "linux", "amd64") != before


def test_kubernetes_parts_know_their_version() -> None:
    flags = PROGRAMS[0].linker_flags(GO_MOD)
    assert "-X k8s.io/component-base/version.gitVersion=v1.37.2" in flags
