"""Reports of guidellm as JSON, one run for each benchmark of its profile.

Fields: PyPI guidellm 0.7.2 ``guidellm/benchmark/schemas/metrics.py``; the same names since 0.2.
``time_per_output_token_ms`` there is the whole latency over the tokens; what we call TPOT is its
``inter_token_latency_ms``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.calibrate.reading import Reading, Run, Stated
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT = "guidellm"

CLOSED = ("synchronous", "concurrent")
"""Kinds of load whose clients wait for their answers."""


def looks_like_report(document: object) -> bool:
    """Whether a JSON document is such a report."""
    return isinstance(document, dict) and isinstance(document.get("benchmarks"), list)


def read_report(name: str, document: Mapping[str, Any]) -> Reading:
    """Read a report.

    Raises:
        SpecError: a benchmark lacks its metrics, or no request of any succeeded.
    """
    reading = Reading(FORMAT)
    model = _model(document)
    if model:
        reading.facts["model"] = Stated(model, name)
    for index, benchmark in enumerate(document["benchmarks"]):
        place = f"{name} benchmarks[{index}]"
        metrics = benchmark.get("metrics") if isinstance(benchmark, dict) else None
        if not isinstance(metrics, dict):
            raise SpecError(
                "FILE", place, "has no metrics: the report is cut, or of another program"
            )
        run = _run(metrics, _kind(benchmark), place)
        if run is None:
            reading.notes.append(f"{place}: no request succeeded, left out")
        else:
            reading.runs.append(run)
    if not reading.runs:
        raise SpecError(
            "FILE", name, "no request of any benchmark succeeded: nothing to learn from"
        )
    return reading


def _run(metrics: Mapping[str, Any], kind: str, place: str) -> Run | None:
    names = {
        "tpot_ms": "inter_token_latency_ms",
        "ttft_ms": "time_to_first_token_ms",
        "output_tokens_per_s": "output_tokens_per_second",
    }
    measured = {ours: _mean(metrics, theirs) for ours, theirs in names.items()}
    entered, produced = _mean(metrics, "prompt_token_count"), _mean(metrics, "output_token_count")
    in_flight = _mean(metrics, "request_concurrency")
    if not (entered and produced and in_flight):
        return None
    if kind not in CLOSED:
        measured["ttft_ms"] = 0.0
    return Run(
        place=f"{place} ({kind})" if kind else place,
        input_tokens=max(1, round(entered)),
        output_tokens=max(1, round(produced)),
        concurrency=max(1, round(in_flight)),
        measured={ours: value for ours, value in measured.items() if value > 0},
    )


def _mean(metrics: Mapping[str, Any], name: str) -> float:
    """Return the mean over the requests that succeeded; 0 where it is not stated."""
    found = metrics.get(name)
    for key in ("successful", "mean"):
        found = found.get(key) if isinstance(found, dict) else None
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number and found is not None else 0.0


def _kind(benchmark: Mapping[str, Any]) -> str:
    """Find the kind of load, which versions keep in different places."""
    for path in (("config", "strategy"), ("args", "strategy"), ("scheduler", "strategy")):
        found: Any = benchmark
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return str(found.get("type_") or found.get("kind") or "")
        if isinstance(found, str):
            return found
    return ""


PLACES = (
    (),
    ("args",),
    ("args", "backend_kwargs"),
    ("config",),
    ("config", "backend"),
    ("metadata",),
    ("worker",),
    ("worker", "backend"),
)
"""Where releases keep the model's name, in the report or in each benchmark."""


def _model(document: Mapping[str, Any]) -> str:
    """Find the model's name wherever the report has it."""
    for holder in (document, *document["benchmarks"][:1]):
        for path in PLACES:
            found: Any = holder
            for key in path:
                found = found.get(key) if isinstance(found, dict) else None
            for key in ("model", "backend_model") if isinstance(found, dict) else ():
                if isinstance(found.get(key), str) and found[key]:
                    return str(found[key])
    return ""
