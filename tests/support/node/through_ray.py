"""Ray for the engine of the tests: a folder for a claim, since the engine's image has none."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.debian import cache_folder
from support.engine import environment

if TYPE_CHECKING:
    from collections.abc import Callable

CLAIM = "ray"
MOUNT = "/opt/ray"

PACKAGES = (f"ray=={version('ray')}", "msgpack")
"""What the engine's environment lacks; the rest of what Ray requires is there."""

PLUGIN = ("ray_on_cpu.py", "ray_on_cpu_platform.py", "ray_on_cpu_network.py")
INSIDE = Path(environment.__file__).parent / "inside"

METADATA = {
    "METADATA": "Metadata-Version: 2.1\nName: ray-on-cpu\nVersion: 1\n",
    "entry_points.txt": "[vllm.platform_plugins]\nray_on_cpu = ray_on_cpu:platform\n",
}


def find_or_install(engine: environment.EngineEnvironment, say: Callable[[str], None]) -> Path:
    """Return the folder, made once (70 MB to download).

    Raises:
        RuntimeError: the installer failed; carries what it said.
    """
    recipe = [(INSIDE / name).read_text() for name in PLUGIN]
    recipe += [*PACKAGES, *METADATA.values(), engine.folder.name]
    folder = cache_folder("ray") / hashlib.sha256("\0".join(recipe).encode()).hexdigest()[:16]
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    say(f"installing {PACKAGES[0]} for the engine")
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        made = Path(name) / "ray"
        _install(engine, made)
        for file in PLUGIN:
            shutil.copyfile(INSIDE / file, made / file)
        described = made / "ray_on_cpu-1.dist-info"
        described.mkdir()
        for file, content in METADATA.items():
            (described / file).write_text(content)
        for path in (made, *made.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))
        made.rename(folder)
    return folder


def _install(engine: environment.EngineEnvironment, target: Path) -> None:
    options = ["--disable-pip-version-check", "--no-input", "--quiet", "--no-compile", "--no-deps"]
    pip = [sys.executable, "-m", "pip", f"--python={engine.python}", "install", *options]
    done = subprocess.run(
        [*pip, "--target", target, *PACKAGES], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"installing Ray failed:\n{done.stderr[-2000:]}")


def with_ray(resource: dict[str, Any], engine: environment.EngineEnvironment) -> dict[str, Any]:
    """Return the resource, its ranks started through Ray, with Ray from the claim.

    Each rank says that it has one GPU, as Ray finds out where there are real ones.
    """
    spec = resource["spec"]
    told = {
        "PYTHONPATH": MOUNT,
        "PATH": f"{engine.folder}/bin:{MOUNT}/bin:/usr/local/bin:/usr/bin:/bin",
        "RAY_OVERRIDE_RESOURCES": '{"CPU": 1, "GPU": 1}',
    }
    entries = [{"name": name, "value": value} for name, value in told.items()]
    mount = {"name": CLAIM, "mountPath": MOUNT, "readOnly": True}
    claim = {"name": CLAIM, "persistentVolumeClaim": {"claimName": CLAIM, "readOnly": True}}
    pod = {"containers": [{"name": "engine", "volumeMounts": [mount]}], "volumes": [claim]}
    engine_spec = {**spec["engine"], "multiNode": "ray", "env": [*spec["engine"]["env"], *entries]}
    return {**resource, "spec": {**spec, "engine": engine_spec, "podTemplate": {"spec": pod}}}
