"""Write the image's bill of materials, image/sbom.cdx.json, and which wheels there are for whom.

Usage: scripts/sbom.py   (needs the network and Python 3.11; `make lock` runs it)
"""

from __future__ import annotations

import sys

from support.bill import BILL, WHEELS, make_bill, make_wheels
from support.engine.errors import EnvironmentBuildError


def main() -> int:
    """Write both; return an exit code."""
    try:
        wheels, bill = make_wheels(_say), make_bill(_say)
    except EnvironmentBuildError as error:
        print(error, file=sys.stderr)
        return 1
    WHEELS.write_text(wheels, "utf-8")
    BILL.write_text(bill, "utf-8")
    print(f"wrote {BILL.name} and {WHEELS.name}")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
