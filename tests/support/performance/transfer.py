"""What figures say of rows that they never saw, and the rows made from them for unseen cases."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log
from statistics import median
from typing import TYPE_CHECKING, Any

from support.performance.fitting import ANY, Figures, fit_group, plain, prior_of
from support.performance.groups import GROUPS, SINCE
from support.performance.rows import residuals, rows_of

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import Efficiency

UNSEEN_SIGMA = {"dense": 0.25, "moe": 0.4}
"""At least this for formats and devices that were not measured; kernels for experts differ more."""

FIRST_TOKEN_SIGMA = 0.4
"""The same of the time to the first token, which hangs on how clients start."""

TRANSFERS: tuple[tuple[str, str, str], ...] = (
    ("sglang/hopper-h20/dense", "sglang/hopper/dense", "another device"),
    ("sglang/hopper/dense", "sglang/hopper-h20/dense", "another device"),
    ("sglang/hopper/moe", "sglang/hopper-h20/moe", "another device and model"),
    ("sglang/hopper-h20/moe", "sglang/hopper/moe", "another device and model"),
    ("sglang/hopper-h20/moe", "sglang/hopper-h20/dense", "dense figures for experts"),
    ("vllm/ada/dense", "vllm/hopper/dense", "another device and format"),
    ("vllm/hopper/dense", "vllm/ada/dense", "another device and format"),
    ("vllm/hopper/moe", "vllm/hopper/dense", "dense figures for experts"),
    ("vllm/hopper/dense", "sglang/hopper/dense", "another engine"),
    ("sglang/hopper/dense", "vllm/hopper/dense", "another engine"),
    ("vllm/hopper/moe", "sglang/hopper/moe", "another engine"),
    ("sglang/hopper/moe", "vllm/hopper/moe", "another engine"),
    ("llamacpp/rdna/dense", "llamacpp/any/dense", "another vendor"),
    ("llamacpp/apple/dense", "llamacpp/any/dense", "another vendor"),
    ("llamacpp/rdna/moe", "llamacpp/any/moe", "another vendor"),
)
"""Group predicted, group whose figures are taken, and what is unseen."""


def transfer_errors(fitted: dict[str, dict[str, Figures]]) -> list[dict[str, object]]:
    """Predict rows with figures that never saw their device, model, engine or layout."""
    found = []
    for target, origin, unseen in TRANSFERS:
        figures = fitted[origin]
        values = [
            (name, value)
            for row in rows_of(target)
            for name, value in residuals(
                row, plain(figures.get(row.weights) or _typical(figures), row.weights)
            ).items()
            if name not in ("ttft_ms", "prompt_tokens_per_s")
        ]
        found.append(_told(unseen, target, origin, values))
    found += _layouts_left_out(fitted)
    return found


def _layouts_left_out(fitted: dict[str, dict[str, Figures]]) -> list[dict[str, object]]:
    found = []
    for group, shared, own, parent in GROUPS:
        rows = rows_of(group)
        layouts = sorted({str(row.layout) for row in rows})
        if len(layouts) == 1:
            continue
        for left_out in layouts:
            seen = [row for row in rows if str(row.layout) != left_out]
            figures = fit_group(seen, shared, own, prior_of(fitted, parent))
            values = [
                (name, value)
                for row in rows
                if str(row.layout) == left_out and row.weights in figures
                for name, value in residuals(row, plain(figures[row.weights], row.weights)).items()
                if name not in ("ttft_ms", "prompt_tokens_per_s")
            ]
            if values:
                found.append(_told(f"layout {left_out}", group, group, values))
    return found


def _told(
    unseen: str, target: str, origin: str, values: list[tuple[str, float]]
) -> dict[str, object]:
    sizes = [abs(exp(value) - 1.0) for _, value in values]
    return {
        "unseen": unseen,
        "predicted": target,
        "from": origin,
        "values": len(sizes),
        "median_error": round(median(sizes), 3),
        "largest_error": round(max(sizes), 3),
        "median_log": round(median(abs(value) for _, value in values), 3),
    }


def _typical(figures: dict[str, Figures]) -> Figures:
    return figures.get("16bit") or next(iter(figures.values()))


FORMATS = ("16bit", "fp8", "int8", "4bit")
"""Classes of weight formats of vLLM and SGLang."""

KERNELS = ("memory", "experts", "experts_always", "compute")
"""What belongs to a format's kernels, not to the engine around them."""


def carried_over(
    fitted: dict[str, dict[str, Figures]], transfers: list[dict[str, object]], as_of: str
) -> list[Efficiency]:
    """Make the rows for devices and formats that nobody measured.

    What belongs to the engine is that of its largest group of the kind, or of its dense one where
    the kind was measured in another format only; what belongs to the kernels is the middle of all
    groups of the kind that have the format, whatever their engine.
    """
    made = []
    spreads = {kind: _transfer_sigma(transfers, kind) for kind in UNSEEN_SIGMA}
    for engine in ("vllm", "sglang"):
        for kind in ("dense", "moe"):
            for weights in FORMATS:
                figures, origin = _nearest(fitted, engine, kind, weights)
                made.append(_carried((engine, kind, weights), figures, spreads[kind], origin))
    for kind in ("dense", "moe"):
        origin = f"llamacpp/any/{kind}"
        made.append(
            _carried(("llamacpp", kind, ANY), fitted[origin]["gguf"], spreads[kind], origin)
        )
    return [replace(row, as_of=as_of) for row in made]


def _nearest(
    fitted: dict[str, dict[str, Figures]], engine: str, kind: str, weights: str
) -> tuple[Figures, str]:
    """Return the figures of a format on any device, and where they come from."""
    main_group, dense = f"{engine}/hopper/{kind}", f"{engine}/hopper/dense"
    origin = main_group if weights in fitted[main_group] else dense
    figures = dict(fitted[origin].get(weights) or _typical(fitted[origin]))
    known = [name for name, each in fitted.items() if weights in each]
    donors = [name for name in known if name.endswith(f"/{kind}")] or known
    for name in KERNELS:
        values = [log(fitted[donor][weights][name]) for donor in donors]
        figures[name] = exp(sum(values) / len(values))
    return figures, f"{origin}, kernels from {', '.join(donors)} ({weights})"


def _transfer_sigma(transfers: list[dict[str, object]], kind: str) -> float:
    """Return a spread from how far other devices' figures led astray: the middle of medians."""
    medians = [
        float(str(t["median_log"]))
        for t in transfers
        if str(t["unseen"]).startswith("another d") and str(t["predicted"]).endswith(kind)
    ]
    return round(max(UNSEEN_SIGMA[kind], median(medians) / 0.674), 3)  # median of |normal|


def _carried(key: tuple[str, str, str], figures: Figures, sigma: float, origin: str) -> Efficiency:
    """Make a row for any device; the key is engine, kind and weight format."""
    engine, kind, weights = key
    return replace(
        plain(figures, "gguf" if weights == ANY else weights),
        **_rounded(figures),
        engine=engine,
        since=SINCE[engine],
        device=ANY,
        weights=weights,
        kind=kind,
        tpot_sigma=sigma,
        ttft_sigma=max(sigma, FIRST_TOKEN_SIGMA),
        throughput_sigma=sigma,
        source=f"carried over from {origin}",
    )


def _rounded(figures: Figures) -> dict[str, Any]:
    return {name: float(f"{value:.4g}") for name, value in figures.items()}
