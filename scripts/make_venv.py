"""Make the development environment in .venv: the package, its extras and the tools.

Needs Python >= 3.11 and the package index, nothing else. Debian ships Python without
``ensurepip`` (package python3-venv); then pip itself is taken from the index as a wheel, which
Python can run as it is. Does nothing when the environment is newer than pyproject.toml.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.sha256"
PIP_INDEX_JSON = "https://pypi.org/pypi/pip/json"


def main() -> int:
    """Create or refresh the environment; return an exit code."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this runs before anything is installed
        print(f"Python >= 3.11 is needed; this is {sys.version.split()[0]}.", file=sys.stderr)
        print("Name a newer one: make PYTHON=python3.12", file=sys.stderr)
        return 2
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return 0
    python = VENV / "bin" / "python"
    print("Setting up .venv (a minute on the first run) ...", file=sys.stderr, flush=True)
    if not _has_pip(python):
        _create()
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--upgrade", "pip>=25.1"], check=True)  # --group needs 25.1
    subprocess.run([*pip, "--group", "dev", "--editable", ".[operator]"], check=True, cwd=ROOT)
    STAMP.write_text(wanted)
    return 0


def _has_pip(python: Path) -> bool:
    if not python.exists():
        return False
    asked = subprocess.run(
        [str(python), "-m", "pip", "--version"], check=False, capture_output=True
    )
    return asked.returncode == 0


def _create() -> None:
    if importlib.util.find_spec("ensurepip"):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)
        return
    subprocess.run(
        [sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)], check=True
    )
    with tempfile.TemporaryDirectory() as folder:
        wheel = _download_pip(Path(folder))
        runner = [str(VENV / "bin" / "python"), str(wheel / "pip")]
        subprocess.run([*runner, "install", "--quiet", "pip"], check=True)


def _download_pip(folder: Path) -> Path:
    """Fetch pip's newest wheel, check its hash, return its path (Python can import from it)."""
    index = os.environ.get("PIP_BOOTSTRAP_INDEX_JSON", PIP_INDEX_JSON)
    with urllib.request.urlopen(index) as answer:  # noqa: S310 - https, fixed above
        files, base = json.load(answer)["urls"], answer.url
    entry = next(file for file in files if file["packagetype"] == "bdist_wheel")
    url = urllib.parse.urljoin(base, entry["url"])  # mirrors give relative addresses
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - named by the index
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != entry["digests"]["sha256"]:
        raise SystemExit(f"{url} does not have the hash that the index states.")
    target = folder / str(entry["filename"])
    target.write_bytes(content)
    return target


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"failed: {' '.join(map(str, error.cmd))}")
