"""A plan as ``status.plan`` of the resource: small, and equal plans give equal bytes.

The same document as :mod:`qwen3_planner.report.plan_json` without alternatives, with the most
telling refusals only, and figures rounded. The API server keeps whole objects in memory and sends
them to every watcher, so the whole status has to stay under 16 KiB.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from qwen3_planner.report.plan_json import Document, to_document

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_planner.plan import PlanResult

MAX_BYTES = 11 * 1024
"""Of the document; leaves 5 KiB of the 16 for conditions with their messages and the counts."""

SIGNIFICANT = 3
"""Digits kept of predicted figures: equal plans give equal bytes; the third is below the error."""

MAX_REFUSALS = 5
MAX_MESSAGE = 512
MAX_SOURCE = 160
MAX_GPUS_LISTED = 16
"""Up to two full nodes are listed GPU by GPU; of more, GPUs of equal figures are counted."""

_SHORT_MESSAGE = 160
_FEW = 3


def status_document(result: PlanResult) -> Document:
    """Say a plan, or why there is none, as the operator writes it into ``status.plan``."""
    document = to_document(result)
    document.pop("alternatives", None)
    document["refusals"] = document["refusals"][:MAX_REFUSALS]
    for refusal in document["refusals"]:
        refusal["message"] = shortened(refusal["message"], MAX_MESSAGE)
    if "nearest" in document:
        document["nearest"]["plan"]["memory"].pop("concurrencyByContext", None)
        _outline(document["nearest"]["plan"])
    elif document["feasible"]:
        document["memory"].pop("concurrencyByContext", None)
        _round(document)
    for shrink in _SHRINKS:
        if size_of(document) <= MAX_BYTES:
            break
        shrink(document)
    return document


def size_of(document: Document) -> int:
    """Return the bytes of the document as the API server gets it."""
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())


def shortened(text: str, limit: int) -> str:
    """Cut a text to a number of characters, at a blank where one is near.

    >>> shortened("needs 61.0 GiB of weights", 14), shortened("short", 14)
    ('needs 61.0 …', 'short')
    """
    if len(text) <= limit:
        return text
    head = text[: limit - 2]
    cut = head.rfind(" ")
    return f"{head[:cut] if cut > limit // 2 else head} …"


def _outline(plan: Document) -> None:
    """Keep of the nearest plan what it is, not how its figures came about."""
    for key in ("provenance", "command", "env"):
        plan.pop(key, None)
    memory = plan["memory"]
    memory["perGpu"] = _counted(memory["perGpu"])
    memory["maxConcurrency"] = round(memory["maxConcurrency"], 2)


def _round(document: Document) -> None:
    memory = document["memory"]
    memory["maxConcurrency"] = round(memory["maxConcurrency"], 2)
    if len(memory["perGpu"]) > MAX_GPUS_LISTED:
        memory["perGpu"] = _counted(memory["perGpu"])
    for part in ("performance", "cost"):
        for name, value in document.get(part, {}).items():
            if isinstance(value, float):
                document[part][name] = float(f"{value:.{SIGNIFICANT}g}")
    for entry in document["provenance"].values():
        entry["relativeError"] = round(entry["relativeError"], 3)
        entry["source"] = shortened(entry["source"], MAX_SOURCE)


def _counted(gpus: list[Document], *ignored: str) -> list[Document]:
    """Merge GPUs of equal figures into the first of them, with how many they are."""
    left_aside = {"rank", "count", *ignored}
    merged: dict[str, Document] = {}
    for gpu in gpus:
        figures = json.dumps({k: v for k, v in gpu.items() if k not in left_aside})
        merged.setdefault(figures, {**gpu, "count": 0})["count"] += gpu.get("count", 1)
    return list(merged.values())


def _drop_sources(document: Document) -> None:
    for entry in document.get("provenance", {}).values():
        del entry["source"]


def _merge_gpus(document: Document) -> None:
    if "memory" in document:
        document["memory"]["perGpu"] = _counted(document["memory"]["perGpu"])


def _merge_stages(document: Document) -> None:
    """Merge stages of equal figures, too; of what still differs keep the heaviest ranks."""
    if "memory" in document:
        merged = _counted(document["memory"]["perGpu"], "stage")
        merged.sort(key=lambda gpu: (-gpu["weightsBytes"], gpu["rank"]))
        document["memory"]["perGpu"] = merged[:MAX_GPUS_LISTED]


def _shorten_texts(document: Document) -> None:
    document["refusals"] = document["refusals"][:_FEW]
    for refusal in document["refusals"]:
        refusal["message"] = shortened(refusal["message"], _SHORT_MESSAGE)
        refusal["fixes"] = refusal["fixes"][:_FEW]
    if "warnings" in document:
        document["warnings"] = [
            shortened(warning, _SHORT_MESSAGE) for warning in document["warnings"][:_FEW]
        ]


_SHRINKS: tuple[Callable[[Document], None], ...] = (
    _merge_gpus,
    _drop_sources,
    _shorten_texts,
    _merge_stages,
)
"""What is given up for size, the least missed first; the same plan always loses the same."""
