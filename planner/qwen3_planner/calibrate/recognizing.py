"""Which of the known formats an input is, and reading it as that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qwen3_planner.calibrate import guidellm, llama_bench, serving_bench, sglang_log, vllm_log
from qwen3_planner.calibrate.overlay import looks_like_overlay, parse_overlay
from qwen3_planner.calibrate.reading import Reading
from qwen3_planner.calibrate.sources import opened
from qwen3_planner.corrections.document import rows_of
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.calibrate.sources import Source

OVERLAY = "calibration"
"""Format of what was learned already, as the operator offers it in a resource's status."""

KNOWN = (
    "a start-up log of vLLM or SGLang",
    "vllm bench serve (JSON or as printed)",
    "guidellm (JSON)",
    "llama-bench (md, json, jsonl, csv)",
    "an overlay (calibration/v1)",
)

LOOKED_AT = 20_000
"""Lines of a log in which an engine is looked for: a model downloads before it says much."""


_WRAPPED = re.compile(r'\{"(?:log|message|msg|text|line|timestamp|time|level|stream)"\s*:')
"""How lines of a log begin that were wrapped as JSON: docker's json-file driver, collectors."""

_LIST = re.compile(r'\[\s*(?:[\[{\]"]|\d+\s*[,\]]|$)')
"""How JSON lists begin; logs begin with a bracket too (``[2026-11-23 …``, ``[pod/…``)."""


def read_source(typed: str) -> tuple[Reading, str, str]:
    """Read an input, whatever it is.

    Returns:
        What it says, its name, and the SHA-256 of its bytes.

    Raises:
        SpecError: it cannot be read, is none of the known formats, or is cut.
    """
    with opened(typed) as source:
        reading = _read_overlay(source) if looks_like_overlay(source.head) else _read(source)
        return reading, source.name, source.digest


def _read_overlay(source: Source) -> Reading:
    found = parse_overlay(source.text(), source.name, "FILE")
    return Reading(OVERLAY, rows=rows_of(found))


def _read(source: Source) -> Reading:
    head, name = source.head, source.name
    begins = head.lstrip()[:1]
    if begins == "{" and _WRAPPED.match(head.lstrip()) and _has_log_marks(head):
        return _read_log(source)
    if begins == "{" or _LIST.match(head.lstrip()):
        return _read_json(name, source.text())
    if llama_bench.looks_like_csv(head):
        return llama_bench.read_csv(name, source.text())
    if llama_bench.looks_like_table(head):
        return llama_bench.read_table(name, source.text())
    if serving_bench.TITLE in head:
        return serving_bench.read_printed(name, source.text())
    return _read_log(source)


def _has_log_marks(head: str) -> bool:
    return any(mark in head for mark in (*vllm_log.MARKS, *sglang_log.MARKS))


def _read_json(name: str, text: str) -> Reading:
    documents = serving_bench.parse_lines(name, text)
    if not documents:
        raise SpecError("FILE", name, "is an empty list")
    first = documents[0][1]
    if guidellm.looks_like_report(first):
        return guidellm.read_report(name, first)
    wrong = [place for place, each in documents if not isinstance(each, dict)]
    if not wrong and llama_bench.looks_like_result(first):
        return llama_bench.read_rows(name, documents)
    if not wrong and any(key in first for key in serving_bench.KEYS):
        return serving_bench.read_results(name, documents)
    if isinstance(first, dict):
        keys = ", ".join(list(first)[:5]) or "no fields"
        raise SpecError(
            "FILE", name, f"is JSON of none of the known programs (it has {keys})", KNOWN
        )
    raise SpecError("FILE", wrong[0], "is no object: a result of a benchmark is one", KNOWN)


def _read_log(source: Source) -> Reading:
    """Read a log; which engine's shows by its first telling line."""
    lines = source.lines()
    seen: list[tuple[int, str]] = []
    for number, line in lines:
        seen.append((number, line))
        for marks, read in (
            (vllm_log.MARKS, vllm_log.read_vllm_log),
            (sglang_log.MARKS, sglang_log.read_sglang_log),
        ):
            if any(mark in line for mark in marks):
                return read(source.name, _all(seen, lines))
        if serving_bench.TITLE in line:
            reason = f"line {number}: a benchmark's table: cut away what stands before it"
            raise SpecError("FILE", source.name, reason)
        if number >= LOOKED_AT:
            break
    reason = f"none of its first {len(seen):,} lines is of a log or a benchmark that is known"
    raise SpecError("FILE", source.name, reason, KNOWN)


def _all(seen: list[tuple[int, str]], rest: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    yield from seen
    yield from rest
