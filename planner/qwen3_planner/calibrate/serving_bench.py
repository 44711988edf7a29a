"""Results of ``vllm bench serve`` and of SGLang's ``bench_serving``: JSON, JSON lines, or printed.

Fields: vLLM 0.32.0 ``vllm/benchmarks/serve.py``; PyPI sglang 0.5.23 ``sglang/bench_serving.py``.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from qwen3_planner.calibrate.reading import Reading, Run, Stated
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FORMAT = "vllm-bench"
TITLE = "Serving Benchmark Result"

KEYS = ("completed", "total_input_tokens", "total_output_tokens", "duration")
"""What every result states; a file that lacks one is something else, or cut."""

FAILED_SHARE = 0.05
"""Of the requests; above, what was measured is no longer the load that was asked for."""

_PRINTED = {
    "Successful requests": "completed",
    "Failed requests": "failed",
    "Maximum request concurrency": "max_concurrency",
    "Max request concurrency": "max_concurrency",
    "Benchmark duration (s)": "duration",
    "Total input tokens": "total_input_tokens",
    "Total generated tokens": "total_output_tokens",
    "Request throughput (req/s)": "request_throughput",
    "Output token throughput (tok/s)": "output_throughput",
    "Mean TTFT (ms)": "mean_ttft_ms",
    "Mean TPOT (ms)": "mean_tpot_ms",
    "Mean E2E Latency (ms)": "mean_e2e_latency_ms",
    "Mean E2EL (ms)": "mean_e2el_ms",
    "Backend": "backend",
}
"""Labels of the printed table, and the names of the JSON."""

ENGINES = ("vllm", "sglang")
_ARGUMENTS = re.compile(r"^.*Namespace\(.*\bnum_prompts=.*$", re.MULTILINE)
"""What both programs print of their own arguments before they begin."""

_LINE = re.compile(r"^[#\s]*([A-Z][^:]{3,40}):\s+(\S+)\s*$")


def looks_like_result(document: object) -> bool:
    """Whether a JSON document is such a result."""
    return isinstance(document, dict) and "completed" in document and "duration" in document


def read_results(name: str, documents: Sequence[tuple[str, Mapping[str, Any]]]) -> Reading:
    """Read results as JSON objects, each with its place.

    Raises:
        SpecError: one lacks what every result states, or no request succeeded.
    """
    reading = Reading(FORMAT)
    for place, document in documents:
        _facts(reading, document, place)
        reading.runs.append(_run(document, place, reading))
    if not reading.runs:
        raise SpecError("FILE", name, "holds no result of a benchmark")
    return reading


def read_printed(name: str, text: str) -> Reading:
    """Read what the benchmark prints at its end; one result for each table.

    Raises:
        SpecError: a table is cut.
    """
    documents = [
        (f"{name} line {number}", document) for number, document in _tables(text.splitlines())
    ]
    reading = read_results(name, documents)
    arguments = _ARGUMENTS.search(text)
    if arguments is not None:
        for fact, key in (("model", "model"), ("engine", "backend")):
            stated = re.search(rf"\b{key}='([^']+)'", arguments[0])
            if stated is not None and (fact != "engine" or stated[1] in ENGINES):
                reading.facts.setdefault(fact, Stated(stated[1], name))
    return reading


def _tables(lines: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each printed table as an object, with the line that it begins at."""
    start = 0
    table: dict[str, Any] = {}
    for number, line in enumerate(lines, 1):
        if TITLE in line:
            if start:
                yield start, table
            start, table = number, {}
        found = _LINE.match(line) if start else None
        if found and found[1].strip() in _PRINTED:
            value = _number(found[2])
            table[_PRINTED[found[1].strip()]] = found[2] if value is None else value
    if start:
        yield start, table


def _facts(reading: Reading, document: Mapping[str, Any], place: str) -> None:
    model, backend = document.get("model_id"), document.get("backend")
    if isinstance(model, str) and model:
        reading.facts.setdefault("model", Stated(model, place))
    if isinstance(backend, str) and backend.startswith(("vllm", "sglang")):
        engine = "vllm" if backend.startswith("vllm") else "sglang"
        reading.facts.setdefault("engine", Stated(engine, place))


def _run(document: Mapping[str, Any], place: str, reading: Reading) -> Run:
    values = {key: _needed(document, key, place) for key in KEYS}
    completed = values["completed"]
    if completed < 1:
        raise SpecError("FILE", place, "no request succeeded: there is nothing to learn from")
    failed = _number(document.get("failed")) or 0.0
    if failed > FAILED_SHARE * (completed + failed):
        reading.notes.append(f"{place}: {failed:g} of {completed + failed:g} requests failed")
    output = values["total_output_tokens"] / completed
    throughput = _number(document.get("output_throughput"))
    measured = {
        "output_tokens_per_s": throughput or values["total_output_tokens"] / values["duration"]
    }
    for key, ours in (("mean_tpot_ms", "tpot_ms"), ("mean_ttft_ms", "ttft_ms")):
        value = _number(document.get(key))
        if value:
            measured[ours] = value
    concurrency, is_limited = _concurrency(document, values, measured, output)
    if not is_limited:
        measured.pop("ttft_ms", None)  # of a burst: clients did not wait for their answers
    return Run(
        place=place,
        input_tokens=max(1, round(values["total_input_tokens"] / completed)),
        output_tokens=max(1, round(output)),
        concurrency=concurrency,
        measured=measured,
    )


def _concurrency(
    document: Mapping[str, Any],
    values: Mapping[str, float],
    measured: Mapping[str, float],
    output: float,
) -> tuple[int, bool]:
    """Return the requests in flight, and whether the clients kept to a number of them.

    Where they did not (``--request-rate``), by Little's law: requests per second x seconds of each.
    """
    limit = _number(document.get("max_concurrency"))
    if limit and limit >= 1:
        return round(min(limit, values["completed"])), True
    whole = _number(document.get("mean_e2el_ms")) or _number(document.get("mean_e2e_latency_ms"))
    if not whole:
        whole = measured.get("ttft_ms", 0.0) + max(0.0, output - 1) * measured.get("tpot_ms", 0.0)
    rate = values["completed"] / values["duration"]
    return max(1, round(rate * whole / 1000.0)), False


def _needed(document: Mapping[str, Any], key: str, place: str) -> float:
    value = _number(document.get(key))
    if value is None or value < 0 or (key == "duration" and value == 0):
        reason = f"states no {key}: the result is cut, or of another program"
        raise SpecError("FILE", place, reason)
    return value


def _number(value: object) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(str(value).replace(",", ""))
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def parse_lines(name: str, text: str) -> list[tuple[str, Any]]:
    """Read JSON or JSON lines into documents with their places.

    Raises:
        SpecError: it is no JSON; where it breaks off.
    """
    stripped = text.strip()
    try:
        document = json.loads(stripped)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            return [*_each_line(name, text)]
        place = f"line {error.lineno} column {error.colno}"
        cut = error.pos >= len(stripped.rstrip()) - 1
        why = "it ends too early: the file is cut" if cut else error.msg
        raise SpecError("FILE", name, f"is no whole JSON: {why} ({place})") from None
    except RecursionError:
        raise SpecError("FILE", name, "is nested deeper than any result of a benchmark") from None
    if isinstance(document, list):
        return [(f"{name}[{index}]", each) for index, each in enumerate(document)]
    return [(name, document)]


def _each_line(name: str, text: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield f"{name} line {number}", json.loads(line)
            except json.JSONDecodeError as error:
                reason = f"line {number} is no JSON: {error.msg} (column {error.colno})"
                raise SpecError("FILE", name, reason) from None
