"""Commands and hardware that another package brings: those of a cluster come with the operator.

They are found by entry points, so the planner knows no cluster and costs nothing more to start.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    import click

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory

COMMANDS = "qwen3.commands"
"""Group of entry points that are click commands."""

HARDWARE = "qwen3.hardware"
"""Group of entry points that take a catalog and return an inventory."""

MISSING_EXTRA = "it needs what pip install 'qwen3-operator[operator]' installs"


def is_kubectl_plugin() -> bool:
    """Whether the program runs as ``kubectl qwen3``."""
    return os.path.basename(sys.argv[0] if sys.argv else "").startswith("kubectl-")  # noqa: PTH119 - pathlib not needed


def command_names() -> list[str]:
    """Return the names of commands that others bring, in the order of the alphabet."""
    return sorted(point.name for point in _points(COMMANDS))


def find_command(name: str) -> click.Command | None:
    """Return a command that another package brings; None where there is none of that name.

    Raises:
        SpecError: what it needs is not installed.
    """
    command: click.Command | None = _load(COMMANDS, name, field=name)
    return command


def live_inventory(catalog: Catalog) -> Inventory:
    """Return the hardware of the cluster that the current kubeconfig names.

    Raises:
        SpecError: what it needs is not installed.
        UnreachableError: the cluster does not answer.
    """
    read = _load(HARDWARE, "cluster", field="--cluster")
    if read is None:
        raise SpecError("--cluster", "given", MISSING_EXTRA)
    inventory: Inventory = read(catalog)
    return inventory


def _load(group: str, name: str, *, field: str) -> Any:  # noqa: ANN401 - whatever the group holds
    point = next((point for point in _points(group) if point.name == name), None)
    if point is None:
        return None
    try:
        return point.load()
    except ModuleNotFoundError as error:
        raise SpecError(field, f"(no {error.name})", MISSING_EXTRA) from None


def _points(group: str) -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - 20 ms that a plan does without

    return tuple(entry_points(group=group))
