"""The image's lock file holds what the package asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "image" / "requirements.lock").read_text(encoding="utf-8")
LOCKED = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", LOCK, re.MULTILINE))

ASKED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["operator"]]


@pytest.mark.parametrize("asked", ASKED)
def test_what_the_operator_needs_is_locked_in_a_version_that_it_takes(asked: str) -> None:
    wanted = Requirement(asked)

    assert wanted.specifier.contains(LOCKED[wanted.name.lower()]), "make lock"


def test_everything_locked_is_named_by_hash() -> None:
    entries = re.split(r"^(?=[a-z0-9-]+==)", LOCK, flags=re.MULTILINE)[1:]

    assert len(entries) == len(LOCKED)
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
