"""Run a command where a real node may live: in namespaces of its own, as root.

    python -m support.node run pytest -m e2e

The command gets its own network (loopback and addresses that pods can reach, nothing else), its
own mounts and its own processes. Whatever a kubelet, containerd and kube-proxy do to them, rules of
iptables, mounts and containers, is gone with the command, however that ends, and the machine's own
network is never touched.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

NODE_ADDRESS = "10.250.0.1"
"""Of the first node, of the API server and of names: pods reach it over their bridge."""

ADDRESSES = (NODE_ADDRESS, "10.250.0.2")
"""One for each node that may live here."""

MARK = "QWEN3_E2E_SANDBOX"
"""Set inside, for whoever wants to know where it runs."""

CANNOT = 3
"""Exit status where this machine cannot run a node."""

UNSHARE = ("--net", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc")


def inside() -> bool:
    """Say whether this process runs in such a place."""
    return os.environ.get(MARK) == "1"


def missing() -> tuple[str, str] | None:
    """Return what keeps this machine from making such a place and what would help, or None."""
    if sys.platform != "linux":
        return "A kubelet needs Linux.", "run it in a Linux machine"
    if os.geteuid() != 0:
        return "A kubelet needs root.", "sudo make e2e"
    for program, package in (("unshare", "util-linux"), ("ip", "iproute2")):
        if shutil.which(program) is None:
            return f"There is no {program}.", f"apt-get install {package}"
    tried = subprocess.run(
        ["unshare", *UNSHARE, "ip", "link", "add", "node0", "type", "bridge"],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode != 0:
        said = tried.stderr.strip().splitlines()[-1:] or ["no reason given"]
        return f"This machine gives out no network namespaces: {said[0]}", "use a virtual machine"
    return None


def run(command: list[str]) -> int:
    """Run the command inside and return its exit status."""
    if inside():
        _make_network()
        return _attended(command)
    lack = missing()
    if lack is not None:
        sys.stderr.write(f"no real node here: {lack[0]} To enable: {lack[1]}\n")
        return CANNOT
    again = ["unshare", *UNSHARE, sys.executable, "-m", "support.node", "run", *command]
    with subprocess.Popen(again, env={**os.environ, MARK: "1"}) as running:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells the inner one too
        signal.signal(signal.SIGTERM, lambda *_: running.terminate())
        return running.wait()


def _make_network() -> None:
    for words in (
        ("link", "set", "lo", "up"),
        ("link", "add", "node0", "type", "bridge"),
        *(("address", "add", f"{address}/32", "dev", "node0") for address in ADDRESSES),
        ("link", "set", "node0", "up"),
        # kube-proxy's rules look at packets only once a route has let them through
        ("route", "add", "default", "dev", "node0"),
    ):
        subprocess.run(["ip", *words], check=True)
    for name, value in (
        ("ip_forward", "1"),
        ("conf/all/route_localnet", "1"),
    ):
        Path(f"/proc/sys/net/ipv4/{name}").write_text(value)


def _attended(command: list[str]) -> int:
    """Run the command as the first process of its namespace, which buries those of others.

    Shims of containers outlive who started them and come to this process to be waited for.
    """
    child = subprocess.Popen(command)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            return os.waitstatus_to_exitcode(status) & 0xFF
