"""This machine where it has no NVIDIA GPU: an Apple chip, a Raspberry Pi, a CPU."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.cpu_nodes import NAME_PREFIX, cpu_of
from qwen3_planner.inventory.hardware import NodeGroup
from qwen3_planner.units import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.catalog.rows import Accelerator, Catalog

MEMORY_FILE: Final = "/proc/meminfo"
BOARD_FILE: Final = "/proc/device-tree/model"
"""Where Linux on a Raspberry Pi names the board."""

SYSTEM_MIB: Final = 512
"""Left to the system, as for the boards of the catalog."""

_TIMEOUT_S: Final = 10


def find_host(catalog: Catalog) -> NodeGroup:
    """Describe this machine by a row of the catalog, or by its memory alone.

    Raises:
        SpecError: its memory cannot be read.
    """
    if sys.platform == "darwin":
        n_bytes = int(_sysctl("hw.memsize") or 0)
        words = _sysctl("machdep.cpu.brand_string").split()
    else:
        n_bytes = _linux_memory()
        words = _first_line(BOARD_FILE).replace("\x00", "").split()
    if n_bytes <= 0:
        choices = ["RaspberryPi5-8GB", "Apple-M2-Pro-32GB"]
        reason = "this machine's memory cannot be read; name its hardware instead"
        raise SpecError("--hardware", "local", reason, choices)
    known = _like(catalog.accelerators, words, n_bytes)
    return NodeGroup(
        known or _cpu(n_bytes),
        accelerators_per_node=1,
        interconnect="unified",
        cpu=float(os.cpu_count() or 1),
        memory_bytes=n_bytes,
    )


def _like(rows: Iterable[Accelerator], words: list[str], n_bytes: int) -> Accelerator | None:
    """Find the row of a chip or board: ``Apple M2 Pro``, ``Raspberry Pi 5 Model B``.

    Systems state a little less memory than the product is sold with.
    """
    name = "".join(word for word in words if word not in {"Model", "B", "Rev"}).lower()
    if not name:
        return None
    for row in rows:
        product, _, _ = row.name.rpartition("-")
        bare = product.replace("-", "").lower()
        shortfall = row.memory_mib * MIB - n_bytes
        is_like = bare == name or (row.vendor == "raspberrypi" and name.startswith(bare))
        if is_like and -GIB < shortfall < row.memory_mib * MIB // 8:
            return row
    return None


def _cpu(n_bytes: int) -> Accelerator:
    """Describe a CPU by its memory: what else there is to know is assumed."""
    memory_mib = n_bytes // MIB
    return replace(
        cpu_of(platform.machine() or "unknown", n_bytes),
        name=f"{NAME_PREFIX}{round(n_bytes / GIB)}GB",
        memory_mib=memory_mib,
        usable_memory_mib=max(1, memory_mib - SYSTEM_MIB),
        usable_relative_error=0.05,
        usable_source="derived: memory less half a GiB for the system",
        source="memory: this machine; bandwidth: assumed, one channel of DDR4-3200",
    )


def _linux_memory() -> int:
    for line in _lines(MEMORY_FILE):
        key, _, rest = line.partition(":")
        amount = rest.split()
        if key == "MemTotal" and amount and amount[0].isdigit():
            return int(amount[0]) * 1024
    return 0


def _first_line(path: str) -> str:
    return next(iter(_lines(path)), "")


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text("utf-8", "replace").splitlines()
    except OSError:
        return []


def _sysctl(name: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a tool of the system, fixed arguments
            ["/usr/sbin/sysctl", "-n", name],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
