"""What is stale or got worse, and writing it anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from support.accuracy import baseline
from support.accuracy.page import accuracy_page, with_table

if TYPE_CHECKING:
    from support.accuracy.comparing import Comparison

ROOT = Path(__file__).resolve().parents[3]


def written(comparison: Comparison) -> dict[Path, str]:
    """Return the text of each file that is made from the comparison."""
    readme = ROOT / "README.md"
    return {
        ROOT / "docs" / "reference" / "accuracy.md": accuracy_page(comparison),
        readme: with_table(readme.read_text("utf-8"), comparison),
    }


def stale(comparison: Comparison) -> list[str]:
    """Name the files whose text is not what would be written."""
    return [
        str(path.relative_to(ROOT))
        for path, text in written(comparison).items()
        if not path.exists() or path.read_text("utf-8") != text
    ]


def complaints(comparison: Comparison) -> list[str]:
    """Say what is stale and what got worse."""
    worse = list(baseline.worsened(baseline.measured(comparison), baseline.read()))
    return [*worse, *(f"{name} is stale: run `make accuracy`" for name in stale(comparison))]
