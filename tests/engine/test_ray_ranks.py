"""The scripts of ranks that find each other through Ray, run with a real Ray on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qwen3_planner.engines.ranks import ray_leader_script, ray_worker_script
from support.availability import cannot_run

pytestmark = pytest.mark.engine

SECONDS = 240
"""Two Ray nodes start in half a minute on a busy machine."""

ENGINE = """\
import ray
ray.init(address="auto", log_to_driver=False)
print("engine on", sum(node["Alive"] for node in ray.nodes()), "nodes")
"""
"""Stands for the engine: it starts when all nodes are there, and joins them."""


def test_the_leader_starts_the_engine_once_the_other_rank_has_joined(tmp_path: Path) -> None:
    """Both run in a namespace of their own: its ports are free, and nothing outlives it."""
    if os.geteuid() or not shutil.which("unshare") or not shutil.which("ip"):
        cannot_run("Namespaces of the kernel need root, unshare and ip", "make bootstrap")
    if subprocess.run(["unshare", "-fpn", "--mount-proc", "true"], check=False).returncode:
        cannot_run("The kernel gives no namespaces here", "a machine with user namespaces")
    for name, script in (
        ("leader", ray_leader_script(2)),
        ("other", ray_worker_script("$LEADER_ADDRESS")),
    ):
        (tmp_path / name).write_text(script)
    both = f"""\
ip link set lo up
HOME={tmp_path}/home-of-other sh -c "$(cat {tmp_path}/other)" > {tmp_path}/other.log 2>&1 &
sh -c "$(cat {tmp_path}/leader)" leader python3 -c '{ENGINE}'
"""
    # Ray keeps sockets in its folder, whose path must be short.
    with_ray = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    short = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    try:
        done = subprocess.run(
            ["unshare", "-fpn", "--mount-proc", "--kill-child", "sh", "-c", both],
            env={
                "PATH": with_ray,
                "HOME": str(tmp_path),
                "LEADER_ADDRESS": "127.0.0.1",
                "RAY_TMPDIR": str(short),
                # pods share no home, where Ray would look for a token
                "RAY_AUTH_MODE": "token",
                "RAY_AUTH_TOKEN": "f" * 64,
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    finally:
        shutil.rmtree(short, ignore_errors=True)

    assert done.returncode == 0, f"{done.stderr}\n{(tmp_path / 'other.log').read_text()}"
    assert done.stdout.splitlines()[-1] == "engine on 2 nodes"
