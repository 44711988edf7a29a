"""Compare the planner with measured rows; write docs/reference/accuracy.md and the README's table.

Usage: scripts/accuracy.py [--check] [--baseline]

Says what is promised and what is kept. With --check nothing is written, and the exit code is 1 when
a file is stale or a median got worse than tests/unit/planner/accuracy/baseline.json. With
--baseline today's figures are recorded there.
"""

from __future__ import annotations

import sys

from support.accuracy import baseline
from support.accuracy.checking import ROOT, complaints, stale, written
from support.accuracy.comparing import compare
from support.accuracy.page import summary


def main(arguments: list[str]) -> int:
    """Write or check; return an exit code."""
    if not set(arguments) <= {"--check", "--baseline"}:
        print(__doc__, file=sys.stderr)
        return 2
    comparison = compare()
    print("\n".join(summary(comparison)))
    if "--check" not in arguments:
        texts = written(comparison)
        for name in stale(comparison):
            (ROOT / name).write_text(texts[ROOT / name], "utf-8")
            print(f"wrote {name}")
        if "--baseline" in arguments:
            baseline.write(comparison)
            print(f"wrote {baseline.PATH.relative_to(ROOT)}")
    found = complaints(comparison)
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
