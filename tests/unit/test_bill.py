"""The image's bill of materials says what the lock file says, and with which licence."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCK = (ROOT / "image" / "requirements.lock").read_text("utf-8")
TEXT = (ROOT / "image" / "sbom.cdx.json").read_text("utf-8")
BILL: dict[str, Any] = json.loads(TEXT)
WHEELS: dict[str, dict[str, dict[str, str]]] = json.loads(
    (ROOT / "image" / "wheels.json").read_text("utf-8")
)
AGAIN = "make sbom"

ENTRIES = {
    entry.split("==")[0]: entry
    for entry in re.split(r"^(?=[a-z0-9-]+==)", LOCK, flags=re.MULTILINE)[1:]
}
LOCKED = {
    name: re.split("[ ;\\\\]", entry.split("==")[1])[0].strip() for name, entry in ENTRIES.items()
}

LICENCES = {
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CNRI-Python",
    "ISC",
    "MIT",
    "MPL-2.0",
    "PSF-2.0",
    "Python-2.0",
    # classifiers, where a package has no more precise word
    "License :: OSI Approved :: Apache Software License",
    "License :: OSI Approved :: BSD License",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)",
}
"""What may be in the image: all let it be passed on with an Apache-2.0 program."""


def licences(component: dict[str, Any]) -> set[str]:
    """Take the parts of expressions one by one: each of them has to be fine."""
    found = set()
    for entry in component.get("licenses", []):
        named = entry.get("license", {})
        said = entry.get("expression") or named.get("id") or named.get("name")
        found |= {said} if " :: " in said else set(re.split(r" (?:AND|OR|WITH) |[()]", said)) - {""}
    return found


def test_the_bill_names_what_is_locked_and_nothing_else() -> None:
    billed = {canonicalize_name(one["name"]): one["version"] for one in BILL["components"]}

    assert billed == LOCKED, AGAIN


@pytest.mark.parametrize("component", BILL["components"], ids=lambda one: one["name"])
def test_each_package_has_a_licence_that_we_may_ship(component: dict[str, Any]) -> None:
    found = licences(component)

    assert found, "no licence is known"
    assert found <= LICENCES


def test_a_licence_that_we_may_not_ship_would_be_seen() -> None:
    named = {"licenses": [{"expression": "MIT AND (AGPL-3.0-only OR Apache-2.0)"}]}

    assert licences(named) - LICENCES == {"AGPL-3.0-only"}


def test_the_bill_is_about_this_package_and_what_it_needs() -> None:
    root = BILL["metadata"]["component"]
    needs = {one["ref"]: one.get("dependsOn", []) for one in BILL["dependencies"]}
    asked = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["operator"]]

    assert (BILL["bomFormat"], BILL["specVersion"]) == ("CycloneDX", "1.6")
    assert (root["name"], root["version"]) == (PROJECT["name"], PROJECT["version"]), AGAIN
    assert {one["bom-ref"] for one in BILL["components"]} < needs.keys()
    direct = {canonicalize_name(ref.split("==")[0]) for ref in needs[root["bom-ref"]]}
    assert direct <= {canonicalize_name(Requirement(one).name) for one in asked}
    assert "pydantic" in direct


def test_the_bill_can_be_compared() -> None:
    """It holds no time, no random number and no path of the machine that made it."""
    assert "serialNumber" not in BILL
    assert "timestamp" not in BILL["metadata"]
    assert not re.search(r"file://|/tmp/|/home/|/root/", TEXT)


@pytest.mark.parametrize("machine", ["amd64", "arm64"])
def test_every_package_has_a_wheel_for_each_machine(machine: str) -> None:
    wheels = WHEELS[machine]
    names = {"amd64": "x86_64", "arm64": "aarch64"}

    assert {name: wheel["version"] for name, wheel in wheels.items()} == LOCKED, AGAIN
    for name, wheel in wheels.items():
        assert f"--hash=sha256:{wheel['sha256']}" in ENTRIES[name]
        tags = parse_wheel_filename(wheel["file"])[3]
        assert any(tag.platform == "any" or tag.platform.endswith(names[machine]) for tag in tags)
