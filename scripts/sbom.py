"""Write the image's bill of materials, image/sbom.cdx.json, and which wheels there are for whom.

Usage: scripts/sbom.py   (needs the network and Python 3.11; `make lock` runs it)
"""

from __future__ import annotations

import sys

from support.bill import BILL, WHEELS, make_bill, make_wheels


def main() -> int:
    """Write both; return an exit code."""
    WHEELS.write_text(make_wheels(_say), "utf-8")
    BILL.write_text(make_bill(_say), "utf-8")
    print(f"wrote {BILL.name} and {WHEELS.name}")
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
