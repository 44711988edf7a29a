"""Results of ``llama-bench``: Markdown, JSON, JSON lines or CSV.

Columns: ggml-org/llama.cpp tools/llama-bench/llama-bench.cpp (``test::get_fields`` and
``markdown_printer``), builds 5092 to 11549.
"""

from __future__ import annotations

import csv
import io
import re
from math import inf, isfinite
from typing import TYPE_CHECKING, Any

from qwen3_planner.calibrate.reading import Reading, Run, Stated
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FORMAT = "llama-bench"

NEEDED = ("n_prompt", "n_gen", "avg_ts")

_TEST = re.compile(r"(?:(pp|tg)(\d+)|pp(\d+)\+tg(\d+))(?:\s*@\s*d(\d+))?")
_RATE = re.compile(r"([\d.]+)\s*(?:±|\+/-|$)")
_BUILD = re.compile(r"^build: [0-9a-f]+ \((\d+)\)", re.MULTILINE)
_KIND = re.compile(
    r"qwen3(moe|next|vl|vlmoe)?\s+([\d.]+)B(?:\.A([\d.]+)B)?\s+(.*?)(?:\s+\((?:guessed|all)\))?$",
    re.IGNORECASE,
)
_FILE_TYPE = re.compile(r"^(I?Q\d)_?(\w*?)(?: - (Small|Medium|Large))?(?:\b.*)?$")
_SIZES = {"Small": "S", "Medium": "M", "Large": "L"}


def looks_like_result(document: object) -> bool:
    """Whether a JSON document is a row of such a result."""
    return isinstance(document, dict) and "avg_ts" in document and "model_type" in document


def looks_like_csv(head: str) -> bool:
    """Whether a text begins like its CSV."""
    first = head.lstrip().split("\n", 1)[0]
    return "avg_ts" in first and "build_number" in first


def looks_like_table(head: str) -> bool:
    """Whether a text holds its Markdown table."""
    return re.search(r"^\|\s*model\s*\|.*\bt/s\s*\|", head, re.MULTILINE) is not None


def read_rows(name: str, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Reading:
    """Read rows as JSON or CSV state them, each with its place.

    Raises:
        SpecError: a row is cut, or none tells a speed that can be planned.
    """
    reading = Reading(FORMAT)
    reading.facts["engine"] = Stated("llamacpp", name)
    for place, row in rows:
        if any(row.get(key) in (None, "") for key in NEEDED):
            missing = next(key for key in NEEDED if row.get(key) in (None, ""))
            raise SpecError("FILE", place, f"states no {missing}: the result is cut")
        _facts(reading, row, place)
        numbers = {key: _number(row.get(key, 0), place) for key in (*NEEDED, "n_depth")}
        _add(reading, place, numbers)
    return _checked(reading, name)


def read_csv(name: str, text: str) -> Reading:
    """Read its CSV."""
    rows = csv.DictReader(io.StringIO(text.lstrip()))
    return read_rows(name, ((f"{name} line {rows.line_num}", row) for row in rows))


def read_table(name: str, text: str) -> Reading:
    """Read its Markdown table and the line of its build.

    Raises:
        SpecError: no row of it tells a speed that can be planned.
    """
    reading = Reading(FORMAT)
    reading.facts["engine"] = Stated("llamacpp", name)
    build = _BUILD.search(text)
    if build:
        reading.facts["version"] = Stated(f"b{build[1]}", name)
    header: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if "t/s" in cells and "model" in cells:
            header = cells
        elif header and len(cells) == len(header) and not set(line) <= set("|-: "):
            row = dict(zip(header, cells, strict=True))
            _from_cells(reading, row, f"{name} line {number}")
    return _checked(reading, name)


def _from_cells(reading: Reading, row: Mapping[str, str], place: str) -> None:
    test, rate = _TEST.fullmatch(row.get("test", "")), _RATE.match(row.get("t/s", ""))
    if test is None or rate is None:
        raise SpecError("FILE", place, f"is no row of llama-bench: {row.get('test', '')!r}")
    kind, count, both_prompt, both_gen, depth = test.groups()
    facts = {"model_type": row.get("model", ""), "n_gpu_layers": row.get("ngl", "")}
    _facts(reading, facts, place)
    prompt, gen = (
        (both_prompt, both_gen) if kind is None else ((count, 0) if kind == "pp" else (0, count))
    )
    numbers = {
        "n_prompt": float(prompt or 0),
        "n_gen": float(gen or 0),
        "avg_ts": float(rate[1]),
        "n_depth": float(depth or 0),
    }
    _add(reading, place, numbers)


def _facts(reading: Reading, row: Mapping[str, Any], place: str) -> None:
    build = row.get("build_number")
    if build not in (None, "", 0, "0"):
        reading.facts.setdefault("version", Stated(f"b{build}", place))
    kind = str(row.get("model_type") or "")
    known = reading.facts.setdefault("gguf", Stated(kind, place)) if kind else None
    if known is not None and known.value != kind:
        reason = f"is of {kind}, {known.place} of {known.value}: give one model at a time"
        raise SpecError("FILE", place, reason)
    if row.get("model_n_params"):
        reading.facts.setdefault(
            "parameters", Stated(int(_number(row["model_n_params"], place)), place)
        )
    if row.get("gpu_info"):
        reading.facts.setdefault("card", Stated(str(row["gpu_info"]), place))


def _add(reading: Reading, place: str, row: Mapping[str, float]) -> None:
    """Add the run of a row; a prompt behind others, and both at once, are no load of ours."""
    prompt, gen, depth = (round(row[key]) for key in ("n_prompt", "n_gen", "n_depth"))
    if row["avg_ts"] <= 0:
        raise SpecError("FILE", place, f"{row['avg_ts']:g} tokens a second: the run failed")
    if prompt and gen:
        reading.notes.append(f"{place}: prompt and generation in one figure, left out")
    elif prompt and depth:
        reading.notes.append(f"{place}: a prompt behind {depth} tokens, left out")
    elif prompt:
        measured = {"prompt_tokens_per_s": row["avg_ts"]}
        reading.runs.append(Run(place, prompt, 1, 1, measured))
    elif gen:
        measured = {"decode_tokens_per_s": row["avg_ts"]}
        reading.runs.append(Run(place, max(1, depth), gen, 1, measured))


def _number(value: object, place: str) -> float:
    try:
        number = float(str(value))
    except ValueError:
        number = inf
    if not isfinite(number):
        raise SpecError("FILE", place, f"{value!r} is no number")
    return number


def _checked(reading: Reading, name: str) -> Reading:
    if not reading.runs:
        raise SpecError("FILE", name, "holds no test of a prompt (pp) or of generation (tg)")
    return reading


def file_type(model_type: str) -> str:
    """Return the file type that a model's kind names; empty where it names none.

    >>> [file_type(kind) for kind in ("qwen3 8B Q4_K - Medium", "qwen3moe 30B.A3B Q8_0")]
    ['gguf:Q4_K_M', 'gguf:Q8_0']
    """
    kind = _KIND.match(model_type.strip())
    if kind is None:
        return ""
    said = kind[4].strip()
    if said in ("BF16", "F16"):
        return f"gguf:{said}"
    name, _, size = said.partition(" - ")
    letter = _SIZES.get(size.split(" ")[0], "")
    return f"gguf:{name}_{letter}" if letter else f"gguf:{name.split(' ')[0]}"
