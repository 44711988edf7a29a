"""The reference page of legality rules: engines, versions, an example, what helps, sources."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from qwen3_planner.api import reasons
from qwen3_planner.remedies.finding import FIXING_KINDS, KINDS
from qwen3_planner.request import EngineName
from qwen3_planner.rules.chains import (
    CAUTION_CHAINS,
    LAYOUT_CHAINS,
    POOL_CHAINS,
)
from qwen3_planner.rules.rule import FIRST
from support.rule_cases import said_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from qwen3_planner.rules.rule import Rule

_TITLES = {
    EngineName.VLLM: "vLLM",
    EngineName.SGLANG: "SGLang",
    EngineName.LLAMACPP: "llama.cpp",
}

_WORDS = {
    "nodes": "a replica over more nodes",
    "targets": "a lower target",
    "more-replicas": "more replicas",
    "settings": "without what other engines alone have",
    "tuning": "another setting of the engine",
    "load": "less load",
    "context": "another context",
    "layout": "another layout",
    "experts": "expert parallelism",
    "kv-cache": "another KV cache",
    "launcher": "ranks started through Ray",
    "version": "another version",
    "quantization": "another quantization",
    "engine": "another engine",
    "replicas": "fewer replicas",
    "hardware": "more of the hardware",
    "accelerator": "other hardware",
}

_INTRO = """\
# Rules

<!-- Written by `make generate` from planner/qwen3_planner/rules; do not edit. -->

What makes a layout illegal, by the name that `qwen3 plan` gives and that `kubectl get q3d` shows as
reason. A rule holds for a range of versions of an engine; each row says where it was read. What
helps is tried before it is told, so a refusal lists only what gives a plan ([how to read
one](../how-to/read-a-refusal.md)).
"""

_CAUTIONS = """\
## Warnings

A plan is told these where they apply: the layout is legal, and costs something.
"""


def rules_page() -> str:
    """Write the page."""
    lines = [_INTRO]
    meanings = _meanings()
    asked = _by_name((POOL_CHAINS, LAYOUT_CHAINS))
    for name, rows in asked.items():
        lines += [f"## {name}", "", meanings.get(name, ""), "", f"What helps: {_helps(name)}.", ""]
        lines += _table(rows)
    others = [name for name in FIXING_KINDS if name not in asked]
    lines += ["## Memory and hardware", "", "Judged after the rules above, for every engine.", ""]
    lines += ["| rule | meaning | what helps |", "|---|---|---|"]
    lines += [f"| `{name}` | {_cell(meanings[name])} | {_helps(name)} |" for name in others]
    lines += ["", _CAUTIONS]
    for name, rows in _by_name((CAUTION_CHAINS,)).items():
        lines += [f"### {name}", "", *_table(rows)]
    return "\n".join(lines).rstrip() + "\n"


def _by_name(
    chains: Iterable[dict[EngineName, tuple[Rule[Any], ...]]],
) -> dict[str, list[tuple[EngineName, Rule[Any]]]]:
    """Gather the rules of all engines under their names, in the order they are asked."""
    found: dict[str, list[tuple[EngineName, Rule[Any]]]] = {}
    for by_engine in chains:
        for engine, chain in by_engine.items():
            for rule in chain:
                found.setdefault(rule.name, []).append((engine, rule))
    return found


def _table(rows: list[tuple[EngineName, Rule[Any]]]) -> Iterator[str]:
    yield "| engine | versions | what is asked | what the engine says or does | source |"
    yield "|---|---|---|---|---|"
    for engine, rule in rows:
        asked = (rule.check.__doc__ or "").strip().split("\n\n")[0]
        cells = (_TITLES[engine], _versions(rule), asked, rule.said, rule.source)
        yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"
    yield ""
    examples = {
        said: None for engine, rule in rows if engine is EngineName.VLLM and (said := said_of(rule))
    }
    for said in examples:
        yield f"> {said}"
        yield ""


def _versions(rule: Rule[Any]) -> str:
    """Say for which versions a rule holds.

    Bounds that changed are said one by one.
    """
    since = "" if rule.since == FIRST else f"from {rule.since}"
    until = "" if rule.until is None else f"before {rule.until}"
    changed = sorted({str(r.since) for table in rule.bounds for r in table if r.since > FIRST})
    words = [since, until, f"bounds changed with {', '.join(changed)}" if changed else ""]
    return "; ".join(word for word in words if word) or "all"


def _helps(name: str) -> str:
    kinds = dict.fromkeys(kind for kind, _ in KINDS)
    return ", ".join(_WORDS[kind] for kind in kinds if kind in FIXING_KINDS[name])


def _meanings() -> dict[str, str]:
    """Read what each reason means: the string below its value."""
    tree = ast.parse(Path(reasons.__file__).read_text("utf-8"))
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for first, second in zip(node.body, node.body[1:], strict=False):
                if not isinstance(first, ast.Assign) or not isinstance(second, ast.Expr):
                    continue
                if isinstance(first.value, ast.Constant):
                    found[str(first.value.value)] = " ".join(str(second.value.value).split())  # type: ignore[attr-defined]  # a string
    return found


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
