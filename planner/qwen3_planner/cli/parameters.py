"""Types of the options: what is typed becomes a value, or an error that names the choices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.plan import UNSET

if TYPE_CHECKING:
    from collections.abc import Sequence
    from enum import StrEnum

    from click.shell_completion import CompletionItem

E = TypeVar("E", bound="StrEnum")


def _option_name(parameter: click.Parameter | None) -> str:
    """Name an option by its long form, as the documentation does."""
    if parameter is None:
        return "value"
    long = [name for name in parameter.opts if name.startswith("--")]
    return (
        long[0]
        if long
        else (parameter.opts[0] if parameter.opts else parameter.human_readable_name)
    )


class Named(click.ParamType[E]):
    """One of a few names; case does not matter."""

    def __init__(self, members: type[E]) -> None:
        self.members = members
        self.name = members.__name__

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the choices in the help; those of one family (``gguf:Q4_K_M``) as one."""
        del param, ctx
        families = (member.partition(":") for member in self.members)
        shown = dict.fromkeys(f"{name}:TYPE" if colon else name for name, colon, _ in families)
        return f"[{'|'.join(shown)}]"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> E:
        """Return the member that is meant."""
        del ctx
        for member in self.members:
            if str(value).strip().lower() == member.value.lower():
                return member
        choices = nearest_first(str(value), self.members)
        raise SpecError(_option_name(param), value, "is not one of the choices", choices)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the members that begin as typed."""
        del ctx, param
        return _completions(list(self.members), incomplete)


class Whole(click.ParamType[int]):
    """A whole number of at least 1."""

    name = "number"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        """Return the number."""
        del ctx
        digits = str(value).strip()
        if (
            digits.isascii()
            and digits.isdigit()
            and len(digits) <= _MAX_DIGITS
            and int(digits) >= 1
        ):
            return int(digits)
        reason = "must be a whole number of at least 1"
        if digits.isascii() and digits.isdigit() and len(digits) > _MAX_DIGITS:
            reason = "is far above any size that exists"
        raise SpecError(_option_name(param), value, reason)


_MAX_DIGITS = 12


class OrNone(click.ParamType[Any]):
    """A value of another type, or ``none``: as if the option were not given."""

    def __init__(self, inner: click.ParamType[Any]) -> None:
        self.inner = inner
        self.name = inner.name

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401 - what the inner type gives
        """Return the value; None for ``none``."""
        if str(value).strip().lower() == UNSET:
            return None
        return self.inner.convert(value, param, ctx)


class Share(click.ParamType[float]):
    """A share above 0 and at most 1."""

    name = "share"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Return the share."""
        del ctx
        try:
            share = float(str(value))
        except ValueError:
            share = -1.0
        if 0 < share <= 1:
            return share
        raise SpecError(_option_name(param), value, "must be above 0 and at most 1, such as 0.9")


class Amount(click.ParamType[float]):
    """A number above 0."""

    name = "number"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> float:
        """Return the number."""
        del ctx
        try:
            amount = float(str(value))
        except ValueError:
            amount = -1.0
        if 0 < amount < float("inf"):
            return amount
        raise SpecError(_option_name(param), value, "must be a number above 0")


class Listed(click.ParamType[tuple[str, ...]]):
    """Names separated by commas."""

    name = "names"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[str, ...]:
        """Return the names, blanks around them removed."""
        del ctx
        names = tuple(part.strip() for part in str(value).split(","))
        if not all(names):
            raise SpecError(_option_name(param), value, "has an empty name between its commas")
        return names


class AdapterType(click.ParamType[Any]):
    """A LoRA adapter, or ``none``."""

    name = "adapter"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:  # noqa: ANN401 - an adapter; None for ``none``
        """Return the adapter."""
        from qwen3_planner.engines.adapters import parse_adapter  # noqa: PLC0415 - rare

        del param, ctx
        return None if str(value).strip().lower() == UNSET else parse_adapter(str(value))


class Suggested(click.ParamType[str]):
    """Any text; the catalog's names are offered to the shell."""

    name = "text"

    def __init__(self, room: str) -> None:
        self.room = room

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the names of catalog rows; after ``2x8x`` those of accelerators."""
        from qwen3_planner.catalog.loading import load_catalog  # noqa: PLC0415 - only for completion

        del ctx, param
        head, x, tail = (
            incomplete.rpartition("x") if incomplete[:1].isdigit() else ("", "", incomplete)
        )
        names = [f"{head}{x}{row.name}" for row in getattr(load_catalog(), self.room)]
        return _completions(names, f"{head}{x}{tail}")


def _completions(names: Sequence[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for completion

    typed = incomplete.lower()
    return [CompletionItem(name) for name in names if name.lower().startswith(typed)]
