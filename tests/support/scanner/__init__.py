"""A security scanner in an environment of its own, and the findings it has."""

from .environment import find_or_install
from .exceptions import Excuse, read_excuses, unexplained, unused
from .scanning import Case, Finding, Scan, scan

__all__ = [
    "Case",
    "Excuse",
    "Finding",
    "Scan",
    "find_or_install",
    "read_excuses",
    "scan",
    "unexplained",
    "unused",
]
