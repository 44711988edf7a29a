"""Ask aiconfigurator about every measured speed, and write docs/reference/peers.{json,md}.

Usage: scripts/accuracy_peers.py [--page]

It needs aiconfigurator (850 MB): without it an environment that has it is made in the user's cache,
once, and this program starts again there. Takes about ten minutes. With --page nothing is asked:
what the planner says is predicted anew beside what was answered before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ("aiconfigurator==0.12.0", "click>=8.2,<9", "pydantic>=2.12,<3", "PyYAML>=6.0.2,<7")


def main() -> int:
    """Ask, unless only the page is wanted, and write."""
    is_page = "--page" in sys.argv[1:]
    if not is_page and find_spec("aiconfigurator") is None:
        return _again()
    from support.peer_rows import DATA, PAGE, page, renewed  # noqa: PLC0415 - see _again

    data = renewed(json.loads(DATA.read_text("utf-8"))) if is_page else _asked()
    DATA.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
    PAGE.write_text(page(data), "utf-8")
    print(f"wrote {DATA.relative_to(ROOT)} and {PAGE.name}")
    return 0


def _again() -> int:
    """Start this program again where aiconfigurator is."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = cache / "qwen3-operator" / "aiconfigurator-0.12.0"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        print(f"making {home} (850 MB) …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *REQUIREMENTS], check=True)
        (home / "complete").touch()
    path = os.pathsep.join(str(ROOT / each) for each in ("planner", "operator", "tests"))
    return subprocess.run(
        [str(python), __file__, *sys.argv[1:]], env={**os.environ, "PYTHONPATH": path}, check=False
    ).returncode


def _asked() -> dict[str, Any]:
    from qwen3_planner.catalog.loading import load_catalog  # noqa: PLC0415 - see main
    from qwen3_planner.peers.asking import ask  # noqa: PLC0415 - see main
    from qwen3_planner.peers.figures import NotCovered, PeerQuestion  # noqa: PLC0415 - see main
    from support.peer_rows import compared, document, rows  # noqa: PLC0415 - see main

    catalog, total = load_catalog(), len(rows())
    tables: list[str] = []
    versions: set[str] = set()
    done = 0

    def asked(question: PeerQuestion) -> tuple[float | None, str]:
        nonlocal done
        done += 1
        print(f"\r{done} of {total} rows", end="", file=sys.stderr, flush=True)
        answer = ask(question, catalog)
        versions.add(answer.version)
        if isinstance(answer, NotCovered):
            return None, answer.reason
        tables.append(answer.tables)
        return answer.tpot_ms, ""

    said = list(compared(asked))
    print(file=sys.stderr)
    today = datetime.now(UTC).date().isoformat()
    return document(said, versions.pop(), tables, today)


if __name__ == "__main__":
    sys.exit(main())
