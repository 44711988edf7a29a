"""What the scanner may find, as data with reasons; what it does not find any more has to go."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from .scanning import Finding


@dataclass(frozen=True, slots=True)
class Excuse:
    """A finding that is meant.

    Attributes:
        check: the scanner's id.
        case: where, as a shell pattern.
        subject: of what object, as a shell pattern.
        reason: why it is so and stays so.
    """

    check: str
    case: str
    subject: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Say whether this is what was meant."""
        return (
            finding.check == self.check
            and fnmatchcase(finding.case, self.case)
            and fnmatchcase(finding.subject, self.subject)
        )


def read_excuses(path: Path) -> tuple[Excuse, ...]:
    """Read the file: `[[excuse]]` with check, case, subject and reason each.

    Raises:
        TypeError: a field is missing or misspelt.
    """
    return tuple(Excuse(**entry) for entry in tomllib.loads(path.read_text("utf-8"))["excuse"])


def unexplained(findings: Iterable[Finding], excuses: Sequence[Excuse]) -> list[Finding]:
    """Return what no excuse covers."""
    return [one for one in findings if not any(excuse.covers(one) for excuse in excuses)]


def unused(findings: Sequence[Finding], excuses: Iterable[Excuse]) -> list[Excuse]:
    """Return the excuses for what is not found."""
    return [one for one in excuses if not any(one.covers(finding) for finding in findings)]
