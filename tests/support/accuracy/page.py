"""The scoreboard as a page, and its summary as lines and as the table of the README."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.accuracy.scores import confusion, coverage, score, targets
from support.performance.promises import speed_targets

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from support.accuracy.comparing import Comparison, Figure, LeftOut, Verdict
    from support.accuracy.scores import Target

MARK = "<!-- Written by `make accuracy` from measured rows; do not edit. -->"

PART_NAMES = {
    "weights": "weights per GPU",
    "kv": "KV cache",
    "token": "KV bytes per token",
    "activation": "activation",
    "graphs": "CUDA graphs",
    "non_torch": "outside PyTorch",
    "size": "file size",
}
"""Names of the parts, in the order of the page."""

README_FROM, README_TO = "<!-- accuracy: -->", "<!-- :accuracy -->"
"""What stands around the table in the README that ``make accuracy`` writes."""

ENGINE_NAMES = {"vllm": "vLLM", "sglang": "SGLang", "llamacpp": "llama.cpp"}

_INTRO = """\
What the planner computes beside what engines logged and what files weigh. Rows, their sources and
what is left out: [tests/unit/planner/accuracy](../../tests/unit/planner/accuracy/README.md). Each
row is planned as its log says it ran, by the code that plans for you. Errors are relative to what
was measured, without their sign where they are summed up.

**Fitted** rows state a term of the memory apart, and a constant was read off them; `fitted.csv`
names them. All others are **tested** rows, and only they are judged. Weights and bytes per token
have no fitted constant: all their rows are tested. The header of a GGUF file (6 MB) was solved from
five files: those rows are fitted.
"""

_KV_NOTE = """\
In tokens where the log states them, else in GiB. The interval is the planner's own 90 % interval.
Rows in *italics* leave out the version, the card or the utilization; what is assumed instead stands
in their file. They are not judged.
"""


_SPEED_NOTE = """\
Of predicted speeds, on runs that were kept out of the fit; each of them, and how figures carry over
to devices, models and engines that they never saw: [speed accuracy](speed-accuracy.md).
"""


def accuracy_page(comparison: Comparison) -> str:
    """Say the whole scoreboard as Markdown."""
    sections: list[list[str]] = [
        ["# Accuracy", "", MARK, "", _INTRO.rstrip()],
        ["## Promises", "", *_target_table(targets(comparison)), "", *_speed_promises()],
        ["## Errors", "", *_error_table(comparison.figures)],
        ["## Intervals", "", *_interval_table(comparison.figures)],
        ["## Starts or not", "", *_verdict_section(comparison.verdicts)],
    ]
    for part, name in PART_NAMES.items():
        rows = [figure for figure in comparison.figures if figure.part == part]
        if rows:
            note = [_KV_NOTE.rstrip(), ""] if part == "kv" else []
            title = f"## Rows: {name}"
            sections.append([title, "", *note, *_row_table(rows)])
    sections.append(["## Rows: starts or not", "", *_verdict_rows(comparison.verdicts)])
    sections.append(["## Not compared", "", *_left_out_table(comparison.left_out)])
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def readme_table(comparison: Comparison) -> list[str]:
    """Sum up the tested rows as the table that the README shows."""
    tested = [figure for figure in comparison.figures if not figure.is_fitted]
    groups = (
        ("weights per GPU, bf16", [f for f in tested if f.part == "weights" and _is_plain(f)]),
        (
            "weights per GPU, quantized",
            [f for f in tested if f.part == "weights" and not _is_plain(f)],
        ),
        ("KV cache per GPU", [f for f in tested if f.part == "kv" and f.is_stated]),
        ("file size", [f for f in tested if f.part == "size"]),
    )
    lines = ["| figure | rows | median error | largest error |", "|---|---|---|---|"]
    for name, rows in groups:
        if rows:
            found = score(rows)
            middle, worst = percent(found.median), percent(found.worst)
            lines.append(f"| {name} | {found.rows} | {middle} | {worst} |")
    return lines


def with_table(readme: str, comparison: Comparison) -> str:
    """Return the text of the README with the table in its place.

    Raises:
        ValueError: the README has no such place.
    """
    head, opening, rest = readme.partition(README_FROM)
    _, closing, tail = rest.partition(README_TO)
    if not opening or not closing:
        raise ValueError(f"README.md has no {README_FROM} … {README_TO}")
    lines = ["", *readme_table(comparison), ""]
    return f"{head}{opening}{chr(10).join(lines)}{closing}{tail}"


def summary(comparison: Comparison) -> list[str]:
    """Say in a few lines what is promised and kept, for a terminal."""
    lines = []
    for target in (*targets(comparison), *speed_targets()):
        kept = {True: "kept", False: "MISSED", None: "no row"}[target.is_met]
        lines.append(f"{target.name:<44}{_value(target):>10}  {_limit(target):<16}{kept}")
    return lines


def percent(share: float) -> str:
    """Write a share in per cent with two telling digits.

    >>> percent(0.00006609), percent(0.0326), percent(0.5)
    ('0.007 %', '3.3 %', '50 %')
    """
    value = abs(share) * 100
    digits = 0 if value >= 9.95 else 1 if value >= 0.995 else 2 if value >= 0.0995 else 3
    return f"{value:.{digits}f} %"


def _is_plain(figure: Figure) -> bool:
    return figure.quantization in {"bf16", "fp16"}


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(headers)} |",
        f"|{'---|' * len(headers)}",
        *(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows),
    ]


def _target_table(promised: Sequence[Target]) -> list[str]:
    words = {True: "yes", False: "**no**", None: "no row yet"}
    rows = [(t.name, str(t.rows), _limit(t), _value(t), words[t.is_met]) for t in promised]
    return _table(("of tested rows", "rows", "promised", "measured", "kept"), rows)


def _speed_promises() -> list[str]:
    return [_SPEED_NOTE.rstrip(), "", *_target_table(speed_targets())]


def _limit(target: Target) -> str:
    if not target.at_least:
        return f"<= {100 * target.limit:g} %"
    if target.at_most is None:
        return f">= {100 * target.limit:g} %"
    return f"{100 * target.limit:g} to {100 * target.at_most:g} %"


def _value(target: Target) -> str:
    return "-" if target.value is None else f"{100 * target.value:.{target.digits}f} %"


def _error_table(figures: Sequence[Figure]) -> list[str]:
    headers = ("figure", "engine", "format", "rows", "", "median", "p90", "worst", "worst row")
    rows = []
    for part, name in PART_NAMES.items():
        for is_fitted in (False, True):
            for engine, fmt, group in _groups(figures, part, is_fitted=is_fitted):
                found = score(group)
                rows.append(
                    (
                        name,
                        ENGINE_NAMES[engine],
                        fmt,
                        str(found.rows),
                        "fitted" if is_fitted else "tested",
                        percent(found.median),
                        percent(found.p90),
                        percent(found.worst),
                        found.worst_id,
                    )
                )
    return _table(headers, rows)


def _groups(
    figures: Sequence[Figure], part: str, *, is_fitted: bool
) -> Iterator[tuple[str, str, list[Figure]]]:
    """Yield (engine, format, figures): all formats of an engine first, then each."""
    of_part = [f for f in figures if f.part == part and f.is_fitted is is_fitted]
    for engine in ENGINE_NAMES:
        of_engine = [f for f in of_part if f.engine == engine]
        formats = sorted({f.quantization for f in of_engine})
        if len(formats) > 1:
            yield engine, "all", of_engine
        for fmt in formats:
            yield engine, fmt, [f for f in of_engine if f.quantization == fmt]


def _interval_table(figures: Sequence[Figure]) -> list[str]:
    rows = []
    cache = [f for f in figures if f.part == "kv"]
    for engine, engine_name in ENGINE_NAMES.items():
        of_engine = [f for f in cache if f.engine == engine]
        kinds = (
            ("tested", [f for f in of_engine if not f.is_fitted and f.is_stated]),
            (
                "tested, something assumed",
                [f for f in of_engine if not (f.is_fitted or f.is_stated)],
            ),
            ("fitted", [f for f in of_engine if f.is_fitted]),
        )
        for kind, group in kinds:
            found = coverage(group)
            if found is not None:
                inside = f"{found.inside} of {found.rows}"
                rows.append((engine_name, kind, inside, percent(found.median_width)))
    return _table(("engine", "KV cache", "truth inside", "median width"), rows)


def _verdict_section(verdicts: Sequence[Verdict]) -> list[str]:
    lines: list[str] = []
    for kind, is_fitted in (("Tested", False), ("Fitted", True)):
        told = confusion(v for v in verdicts if v.is_fitted is is_fitted)
        if not told.rows:
            continue
        right = f"{kind} rows: {told.rows}, right in {percent(told.share_right)}."
        table = _table(
            ("", "planned: starts", "planned: does not fit"),
            (
                ("started", str(told.starts_rightly), str(len(told.refuses_wrongly))),
                ("did not start", str(len(told.starts_wrongly)), str(told.refuses_rightly)),
            ),
        )
        lines += [right, "", *table, ""]
        for title, wrong in (
            ("Planned, but did not start", told.starts_wrongly),
            ("Refused, but started", told.refuses_wrongly),
        ):
            lines += [f"- {title}: {_named(verdict)}" for verdict in wrong]
        lines += [""]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _named(verdict: Verdict) -> str:
    return f"{verdict.id}, {verdict.model} {verdict.quantization}, {verdict.how}"


def _row_table(figures: Sequence[Figure]) -> list[str]:
    headers = ["row", "model", "format", "how", "logged", "computed", "error"]
    has_interval = any(figure.low is not None for figure in figures)
    rows = []
    for figure in sorted(figures, key=lambda f: (f.is_fitted, list(ENGINE_NAMES).index(f.engine))):
        name = figure.id if figure.is_stated else f"*{figure.id}*"
        cells = [
            f"{name} (fitted)" if figure.is_fitted else name,
            figure.model,
            figure.quantization,
            f"{ENGINE_NAMES[figure.engine]} {figure.how}",
            f"{_amount(figure, figure.logged)} {figure.unit}",
            _amount(figure, figure.computed),
            f"{100 * figure.error:+.{_error_digits(figure)}f} %",
        ]
        rows.append([*cells, _interval(figure)] if has_interval else cells)
    return _table([*headers, "90 % interval"] if has_interval else headers, rows)


def _error_digits(figure: Figure) -> int:
    return 3 if figure.part in {"weights", "size", "token"} else 1


def _amount(figure: Figure, amount: float) -> str:
    if figure.unit in {"tokens", "bytes"}:
        return f"{amount:,.0f}"
    return f"{amount:.4f}" if figure.part == "weights" else f"{amount:.2f}"


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return ""
    ends = f"{_amount(figure, figure.low)} to {_amount(figure, figure.high)}"
    return ends if figure.is_inside else f"**outside** {ends}"


def _verdict_rows(verdicts: Sequence[Verdict]) -> list[str]:
    rows = [
        (
            f"{v.id} (fitted)" if v.is_fitted else v.id,
            v.model,
            v.quantization,
            f"{ENGINE_NAMES[v.engine]} {v.how}",
            "started" if v.started else "did not start",
            "right" if v.started is v.planned else "**wrong**",
        )
        for v in verdicts
    ]
    return _table(("row", "model", "format", "how", "it", "the plan was"), rows)


def _left_out_table(left_out: Sequence[LeftOut]) -> list[str]:
    """List what was measured and is not compared, parts with one reason together."""
    told: dict[tuple[str, str], list[str]] = {}
    for one in left_out:
        told.setdefault((one.reason, one.id), []).append(one.part)
    rows = [
        (name, ", ".join(PART_NAMES.get(part, part) for part in parts), reason)
        for (reason, name), parts in told.items()
    ]
    return _table(("row", "part", "why"), rows)
