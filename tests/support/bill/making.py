"""Make both from the lock file, with the network: its wheels are installed, and asked for.

CycloneDX's own generator writes the bill from the packages' metadata (licences, dependencies). It
holds no time and no random number, so that it is the same for the same lock.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.engine.errors import EnvironmentBuildError
from support.tool_environments import ToolEnvironment, install_into

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[3]
LOCK = ROOT / "image" / "requirements.lock"
BILL = ROOT / "image" / "sbom.cdx.json"
WHEELS = ROOT / "image" / "wheels.json"

AGAIN = "make sbom"
GENERATOR = ToolEnvironment("bill", Path(__file__).with_name("requirements.txt"), AGAIN)

PYTHON = (3, 11)
"""Of the image's base, Debian 12."""

GLIBC = (2, 36)
"""Likewise."""

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""Containers' name of a machine to that of wheels."""

_CHECKED = ("--only-binary=:all:", "--require-hashes")


def make_bill(say: Callable[[str], None]) -> str:
    """Return the bill as CycloneDX 1.6 in JSON.

    Raises:
        EnvironmentBuildError: a package could not be installed, or the generator failed.
    """
    if sys.version_info[:2] != PYTHON:
        raise EnvironmentBuildError(f"Take the image's Python, {PYTHON[0]}.{PYTHON[1]}, for this.")
    generator = GENERATOR.find_or_install(say) / "bin" / "cyclonedx-py"
    with tempfile.TemporaryDirectory(prefix="bill-") as name:
        folder = Path(name) / "packages"
        install_into(folder, LOCK, say, AGAIN, *_CHECKED)
        project = ("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application")
        form = ("--output-reproducible", "--spec-version", "1.6", "--output-format", "JSON")
        asked = ["environment", str(folder / "bin" / "python"), *project, *form]
        return _said([str(generator), *asked])


def make_wheels(say: Callable[[str], None]) -> str:
    """Return machine -> package -> (version, file, sha256) of the wheel that pip takes there.

    Raises:
        EnvironmentBuildError: there is a package without a wheel for a machine.
    """
    found = {}
    for machine, name in MACHINES.items():
        say(f"asking for wheels for {machine}")
        found[machine] = _wheels_for(name)
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def _wheels_for(machine: str) -> dict[str, dict[str, str]]:
    """Ask pip what it would install on another machine; it reads metadata only."""
    newest = range(17, GLIBC[1] + 1)
    tags = [f"manylinux2014_{machine}", *(f"manylinux_2_{minor}_{machine}" for minor in newest)]
    version = f"{PYTHON[0]}.{PYTHON[1]}"
    abis = (f"cp{PYTHON[0]}{PYTHON[1]}", "abi3", "none")
    with tempfile.TemporaryDirectory(prefix="wheels-") as folder:
        there = [f"--python-version={version}", "--implementation=cp", f"--target={folder}"]
        there += [f"--abi={abi}" for abi in abis] + [f"--platform={tag}" for tag in tags]
        quiet = ("--quiet", "--disable-pip-version-check", "--no-input", "--no-deps")
        dry = ("--dry-run", "--ignore-installed", "--report=-", f"--requirement={LOCK}")
        argv = [sys.executable, "-m", "pip", "install", *quiet, *dry, *_CHECKED, *there]
        report: dict[str, Any] = json.loads(_said(argv))
    return dict(sorted(_wheel(entry) for entry in report["install"]))


def _wheel(entry: dict[str, Any]) -> tuple[str, dict[str, str]]:
    download, metadata = entry["download_info"], entry["metadata"]
    return metadata["name"].lower().replace("_", "-"), {
        "version": metadata["version"],
        "file": download["url"].rpartition("/")[2],
        "sha256": download["archive_info"]["hashes"]["sha256"],
    }


def _said(argv: list[str]) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = f"`{' '.join(argv[:4])}` failed:\n{done.stderr[-2000:]}"
        raise EnvironmentBuildError(f"{said}\nMend what it says and run `{AGAIN}` again.")
    return done.stdout
