"""Errors of the whole project.

::

    ServingError
    ├── SpecError        the user's input is wrong; never retried (CLI exit code 2)
    ├── UnreachableError the cluster that is asked about does not answer (CLI exit code 4)
    └── (operator) ClusterError, TelemetryError: see qwen3_operator.errors

"Does not fit" is not an error: it is the value :class:`qwen3_planner.plan.NoPlan`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class ServingError(Exception):
    """Any error this project raises on purpose."""


class SpecError(ServingError):
    """A value given by the user is wrong.

    Attributes:
        field: where it was given, as the user wrote it (``--tensor``, ``spec.quantization``,
            ``nodes[0].count``).
        value: the value exactly as typed.
        reason: what is wrong with it, a clause without a final stop.
        choices: what is allowed, nearest to the value first; may be empty.
    """

    def __init__(self, field: str, value: object, reason: str, choices: Sequence[str] = ()) -> None:
        self.field = field
        self.value = value
        self.reason = reason
        self.choices = tuple(choices)
        super().__init__(field, value, reason, self.choices)

    def __str__(self) -> str:
        """Name the field, the value as typed, what is wrong and what is allowed."""
        text = f"{self.field}: {self.value!s}: {self.reason}"
        if self.choices:
            text += f" (allowed: {', '.join(self.choices)})"
        return text


class UnreachableError(ServingError):
    """The cluster that a command is about is not configured, does not answer, or refuses."""


def nearest_first(value: str, choices: Iterable[str]) -> tuple[str, ...]:
    """Order the choices by likeness to what was typed, letter case ignored; ties keep their order.

    What begins as typed comes before what only resembles it.

    >>> nearest_first("qwen3-23b", ["Qwen3-0.6B", "Qwen3-32B"])
    ('Qwen3-32B', 'Qwen3-0.6B')
    >>> nearest_first("qwen3-235b", ["Qwen3-32B", "Qwen3-235B-A22B"])
    ('Qwen3-235B-A22B', 'Qwen3-32B')
    """
    from difflib import SequenceMatcher  # noqa: PLC0415 - only needed once something is wrong

    typed = value.lower()

    def distance(choice: str) -> tuple[bool, float]:
        known = choice.lower()
        return not known.startswith(typed), -SequenceMatcher(None, typed, known).ratio()

    return tuple(sorted(choices, key=distance))
