"""Which found programs stand in for the pinned ones."""

from __future__ import annotations

import pytest

from support.controlplane.programs import GO_MODULE, PROGRAMS
from support.controlplane.versions import (
    Skew,
    Version,
    is_acceptable,
    parse_go_version,
    parse_version,
    required_go,
    required_module,
)

PINNED = Version(1, 37, 2)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        pytest.param("Kubernetes v1.37.2", Version(1, 37, 2), id="a part of the control plane"),
        pytest.param("etcd Version: 3.7.0\nGit SHA: abc", Version(3, 7, 0), id="etcd, without v"),
        pytest.param("kwok version v0.8.0 go1.26.8", Version(0, 8, 0), id="the first one counts"),
        pytest.param("v4.3.1+g1234567", Version(4, 3, 1), id="build metadata is dropped"),
        pytest.param("v1.38.0-rc.1", Version(1, 38, 0, "-rc.1"), id="a suffix is kept"),
        pytest.param("command not found", None, id="no version"),
    ],
)
def test_version_is_read_from_what_programs_print(text: str, version: Version | None) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("found", "skew", "acceptable"),
    [
        pytest.param("v1.37.0", Skew.SAME_MINOR, True, id="another patch"),
        pytest.param("v1.36.9", Skew.SAME_MINOR, False, id="another minor"),
        pytest.param("v2.37.2", Skew.SAME_MINOR, False, id="another major"),
        pytest.param("v1.38.0", Skew.ONE_MINOR, True, id="one minor newer"),
        pytest.param("v1.36.0", Skew.ONE_MINOR, True, id="one minor older"),
        pytest.param("v1.35.4", Skew.ONE_MINOR, False, id="two minors older"),
        pytest.param("v1.37.2-dispatcher", Skew.ONE_MINOR, False, id="a wrapper"),
        pytest.param("v1.37.2-rc.0", Skew.SAME_MINOR, False, id="a release candidate"),
        pytest.param("v1.40.0", Skew.SAME_MAJOR, True, id="newer within the major"),
        pytest.param("v1.37.1", Skew.SAME_MAJOR, False, id="older within the major"),
        pytest.param("v2.0.0", Skew.SAME_MAJOR, False, id="the next major"),
    ],
)
def test_only_near_enough_releases_are_acceptable(
    found: str, skew: Skew, *, acceptable: bool
) -> None:
    version = parse_version(found)
    assert version is not None
    assert is_acceptable(version, PINNED, skew) is acceptable


def test_go_mod_pins_every_program_and_names_it_as_a_tool() -> None:
    go_mod = (GO_MODULE / "go.mod").read_text()
    for program in PROGRAMS:
        assert required_module(go_mod, program.module) == program.pinned(go_mod)
        assert f"\t{program.package}\n" in go_mod


def test_go_versions_compare_as_numbers() -> None:
    go = parse_go_version("go version go1.26.8 linux/amd64")
    assert go is not None
    assert go > (1, 26, 0)
    assert parse_go_version("go1.9.7") == (1, 9, 7)
    assert required_go("module x\n\ngo 1.26\n") == (1, 26, 0)
    with pytest.raises(ValueError, match="no `go` line"):
        required_go("module x\n")
    with pytest.raises(ValueError, match=r"no version of example\.org/y"):
        required_module("require example.org/x v1.0.0\n", "example.org/y")
