"""Files the user names: an inventory, a resource."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory

STDIN = "-"
LOCAL = "local"
CLUSTER = "cluster"
_FILE_ENDINGS = (".yaml", ".yml", ".json")


def read_hardware(typed: str, catalog: Catalog, *, field: str = "--hardware") -> Inventory:
    """Read hardware: the short form, or the name of an inventory file.

    Args:
        typed: as typed.
        catalog: names the products.
        field: the option that it was given with.

    Raises:
        SpecError: the file cannot be read, or what it or the short form says is wrong.
    """
    if typed == STDIN or typed.lower().endswith(_FILE_ENDINGS) or Path(typed).is_file():
        from qwen3_planner.inventory.document import parse_inventory  # noqa: PLC0415 - pydantic, YAML

        try:
            return parse_inventory(read_yaml(typed, field=field), catalog)
        except SpecError as error:
            if error.field == field:
                raise
            place = "stdin" if typed == STDIN else typed
            raise SpecError(f"{place}: {error.field}", *error.args[1:]) from None
    from qwen3_planner.inventory.short_form import parse_hardware  # noqa: PLC0415 - as above

    if typed.strip().lower() == LOCAL:
        from qwen3_planner.cli.local_hardware import find_local_hardware  # noqa: PLC0415 - rare

        return find_local_hardware(catalog)
    if typed.strip().lower() == CLUSTER:
        from qwen3_planner.cli.plugins import live_inventory  # noqa: PLC0415 - as above

        return live_inventory(catalog)
    return parse_hardware(typed, catalog, field=field)


def read_yaml(path: str, *, field: str) -> Any:  # noqa: ANN401 - whatever the document holds
    """Read one YAML (or JSON) document; ``-`` is stdin.

    Raises:
        SpecError: the file cannot be read, is no YAML, or holds no document or several.
    """
    import yaml  # noqa: PLC0415 - 10 ms that the short form does without

    try:
        text = sys.stdin.read() if path == STDIN else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SpecError(field, path, f"cannot be read: {reason}") from None
    try:
        documents = [d for d in yaml.safe_load_all(text) if d is not None]
    except yaml.YAMLError as error:
        raise SpecError(field, path, f"is no YAML: {_where(error)}") from None
    if len(documents) != 1:
        raise SpecError(field, path, f"must hold one document, not {len(documents) or 'none'}")
    return documents[0]


def _where(error: Exception) -> str:
    """Say where YAML broke off, on one line."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"{problem}, line {mark.line + 1} column {mark.column + 1}" if mark else problem
