"""The GPUs of this machine, as the driver's own tool lists them; without one the machine itself."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.kubernetes import read_node

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory

_TOOL = "nvidia-smi"
_QUERY = ("--query-gpu=name,memory.total,compute_cap", "--format=csv,noheader,nounits")
_TIMEOUT_S = 30
_FIELDS = 3


def find_local_hardware(catalog: Catalog) -> Inventory:
    """Ask ``nvidia-smi`` what GPUs this machine has.

    The answer is put into the words of node labels, so that a machine is the same hardware here
    and as a node of a cluster. Where there is no such tool, the machine itself is the hardware.

    Raises:
        SpecError: the tool fails, or its GPUs cannot be planned on.
    """
    if shutil.which(_TOOL) is None:
        from qwen3_planner.cli.local_host import find_host  # noqa: PLC0415 - only without a GPU
        from qwen3_planner.inventory.hardware import Inventory  # noqa: PLC0415 - likewise

        return Inventory((find_host(catalog),))
    lines = [line.split(", ") for line in _ask().splitlines() if line.strip()]
    if not lines or any(len(line) != _FIELDS for line in lines):
        raise SpecError("--hardware", "local", f"{_TOOL} lists no GPU", ["2xRTX-4090-24GB"])
    from qwen3_planner.inventory.hardware import Inventory  # noqa: PLC0415 - only once there is one

    groups = []
    for product, memory_mib, capability in dict.fromkeys(map(tuple, lines)):
        count = sum(tuple(line) == (product, memory_mib, capability) for line in lines)
        reading = read_node(_as_node(product, memory_mib, capability, count), catalog)
        if reading.group is None:
            raise SpecError("--hardware", "local", reading.reason)
        groups.append(reading.group)
    return Inventory(tuple(groups))


def _ask() -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the driver's own tool, fixed arguments
            [shutil.which(_TOOL) or _TOOL, *_QUERY],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SpecError("--hardware", "local", f"{_TOOL} does not answer: {error}") from None
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        reason = words[0] if words else f"exit status {done.returncode}"
        raise SpecError("--hardware", "local", f"{_TOOL} failed: {reason}")
    return done.stdout


def _as_node(product: str, memory_mib: str, capability: str, count: int) -> dict[str, object]:
    major, _, minor = capability.partition(".")
    labels = {
        "nvidia.com/gpu.product": product.replace(" ", "-"),
        "nvidia.com/gpu.memory": memory_mib,
        "nvidia.com/gpu.compute.major": major,
        "nvidia.com/gpu.compute.minor": minor,
    }
    amounts = {"nvidia.com/gpu": str(count)}
    return {"metadata": {"labels": labels}, "status": {"allocatable": amounts, "capacity": amounts}}
