"""Each measured row beside what the planner says of it, part by part; or why it is not compared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from qwen3_planner.serving.registry import serving_of
from qwen3_planner.sizing.gguf import file_bytes, file_type_of, tensor_bytes
from qwen3_planner.units import GIB
from support.accuracy.planned import NotPlannedError, estimate, question_of_file, starts
from support.accuracy.rows import exclusions, fitted, launches, weight_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.accuracy.planned import Estimate
    from support.accuracy.rows import Exclusion, Fitted, Launch, WeightFile


CARD_FREE = ("weights", "token")
"""Parts that depend neither on the card nor, but for its defaults, on the version."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one row, logged and computed.

    Attributes:
        id: of the row.
        part: one of :data:`support.accuracy.rows.PARTS`, never ``verdict``.
        engine: that was started; for a file the one that reads it.
        model: catalog name.
        quantization: weight format.
        how: layout, card and version in a few words.
        unit: of the two numbers that follow.
        logged: what was measured.
        computed: what the planner says.
        low: lower end of the planner's 90 % interval; None where it gives none.
        high: upper end.
        is_fitted: whether a constant may have been fitted to this row.
        is_stated: whether the row states everything that the figure depends on.
    """

    id: str
    part: str
    engine: str
    model: str
    quantization: str
    how: str
    unit: str
    logged: float
    computed: float
    low: float | None = None
    high: float | None = None
    is_fitted: bool = False
    is_stated: bool = True

    @property
    def error(self) -> float:
        """How far off, relative to what was measured; positive: too much."""
        return self.computed / self.logged - 1

    @property
    def is_inside(self) -> bool | None:
        """Whether the truth lies in the interval; None where there is none."""
        if self.low is None or self.high is None:
            return None
        return self.low <= self.logged <= self.high

    @property
    def width(self) -> float | None:
        """Of the interval, relative to what was measured."""
        if self.low is None or self.high is None:
            return None
        return (self.high - self.low) / self.logged


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an engine started, and whether the planner says that it does."""

    id: str
    engine: str
    model: str
    quantization: str
    how: str
    started: bool
    planned: bool
    is_fitted: bool


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a row that was measured and is not compared."""

    id: str
    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows."""

    figures: tuple[Figure, ...]
    verdicts: tuple[Verdict, ...]
    left_out: tuple[LeftOut, ...]


@cache
def compare() -> Comparison:
    """Compare every row of the project's own data with the planner."""
    reasons, used = {row.id: row for row in exclusions()}, fitted()
    found: list[Figure | Verdict | LeftOut] = []
    for launch in launches():
        found += _launch(launch, reasons.get(launch.id), used.get(launch.id))
    for file in weight_files():
        found.append(_file(file, reasons.get(file.id)))
    return Comparison(
        tuple(one for one in found if isinstance(one, Figure)),
        tuple(one for one in found if isinstance(one, Verdict)),
        tuple(one for one in found if isinstance(one, LeftOut)),
    )


def measured_parts(launch: Launch) -> tuple[str, ...]:
    """Name what a launch says something of."""
    stated = (
        ("weights", launch.weights_gib is not None),
        ("kv", launch.kv_gib is not None or launch.kv_tokens is not None),
        ("token", bool(launch.kv_gib and launch.kv_gib > 0 and launch.kv_tokens)),
        ("activation", launch.activation_gib is not None),
        ("graphs", launch.graphs_gib is not None),
        ("non_torch", launch.non_torch_gib is not None),
        ("verdict", bool(launch.outcome)),
    )
    return tuple(part for part, is_there in stated if is_there)


def _launch(
    launch: Launch, exclusion: Exclusion | None, used: Fitted | None
) -> Iterator[Figure | Verdict | LeftOut]:
    parts = measured_parts(launch)
    if not parts and exclusion is not None:
        yield LeftOut(launch.id, "all", exclusion.reason)
    computed: Estimate | None = None
    for part in parts:
        reason = _reason(launch, part, exclusion)
        if reason is None and computed is None:
            try:
                computed = estimate(launch)
            except NotPlannedError as error:
                yield LeftOut(launch.id, "all", str(error))
                return
        if reason is None and computed is not None and part == "graphs" and not computed.graphs:
            reason = "this version takes its graphs on top of the budget, so a plan counts none"
        if part == "non_torch" and computed is not None and computed.non_torch is None:
            reason = "this engine's plan does not tell it apart"
        if reason is not None:
            yield LeftOut(launch.id, part, reason)
        elif computed is not None:
            is_fitted = used is not None and used.decides(part)
            if part == "verdict":
                yield _verdict(launch, is_fitted=is_fitted)
            else:
                yield _figure(launch, part, computed, is_fitted=is_fitted)


def _reason(launch: Launch, part: str, exclusion: Exclusion | None) -> str | None:
    """Say why a part cannot be compared; None where it can."""
    if exclusion is not None and exclusion.holds(part):
        return exclusion.reason
    if part in CARD_FREE:
        return None
    if not launch.version:
        return "the version is not stated"
    if not launch.accelerator:
        return "the card is not stated"
    if part == "kv" and launch.kv_gib is not None and launch.kv_gib <= 0:
        return "nothing is left for the cache: a relative error of that says nothing"
    return None


def _figure(launch: Launch, part: str, computed: Estimate, *, is_fitted: bool) -> Figure:
    in_gib = {
        "weights": (launch.weights_gib, computed.weights),
        "activation": (launch.activation_gib, computed.activation),
        "graphs": (launch.graphs_gib, computed.graphs),
        "non_torch": (launch.non_torch_gib, computed.non_torch or 0),
        "kv": (launch.kv_gib, computed.kv),
    }
    low: float | None = None
    high: float | None = None
    if part == "kv" and launch.kv_tokens is not None:
        unit, logged, ours = "tokens", float(launch.kv_tokens), float(computed.kv_tokens)
        low, high = computed.tokens_low, computed.tokens_high
    elif part == "token":
        unit, logged, ours = "bytes", _token_bytes(launch), computed.token
    else:
        unit, (stated, n_bytes) = "GiB", in_gib[part]
        logged, ours = stated or 0.0, n_bytes / GIB
        if part == "kv":
            low, high = computed.kv_low / GIB, computed.kv_high / GIB
    return Figure(
        id=launch.id,
        part=part,
        engine=launch.engine,
        model=launch.model,
        quantization=launch.quantization,
        how=how_it_ran(launch),
        unit=unit,
        logged=logged,
        computed=ours,
        low=low,
        high=high,
        is_fitted=part not in CARD_FREE and is_fitted,
        is_stated=part in CARD_FREE or launch.states_how_it_ran,
    )


def _token_bytes(launch: Launch) -> float:
    return (launch.kv_gib or 0.0) * GIB / (launch.kv_tokens or 1)


def _verdict(launch: Launch, *, is_fitted: bool) -> Verdict:
    return Verdict(
        id=launch.id,
        engine=launch.engine,
        model=launch.model,
        quantization=launch.quantization,
        how=how_it_ran(launch),
        started=launch.outcome == "starts",
        planned=starts(launch),
        is_fitted=is_fitted,
    )


def how_it_ran(launch: Launch) -> str:
    """Name layout, card and version in a few words."""
    sizes = (
        ("tp", launch.tensor),
        ("pp", launch.pipeline),
        ("dp", launch.data),
        ("ep", launch.expert),
    )
    layout = "x".join(f"{name}{size}" for name, size in sizes if size is not None)
    context = f"context {launch.max_model_len}" if launch.max_model_len else ""
    parts = (launch.version or "version ?", layout, launch.accelerator or "card ?", context)
    return ", ".join(part for part in parts if part)


def _file(file: WeightFile, exclusion: Exclusion | None) -> Figure | LeftOut:
    if exclusion is not None and exclusion.holds("size"):
        return LeftOut(file.id, "size", exclusion.reason)
    try:
        question = question_of_file(file.model, file.quantization, file.checkpoint)
    except NotPlannedError as error:
        return LeftOut(file.id, "size", str(error))
    choice = question.choices[0]
    if choice.fmt.quantization.is_gguf:
        stock = tensor_bytes if file.measure == "tensors" else file_bytes
        computed = stock(question.model, file_type_of(choice.fmt.quantization))
    else:
        computed = serving_of(question.engine).checkpoint_bytes(question, choice)
    is_exact = file.bytes is not None
    unit, scale = ("bytes", 1.0) if is_exact else ("GiB", float(GIB))
    return Figure(
        id=file.id,
        part="size",
        engine=question.engine.value,
        model=file.model,
        quantization=file.quantization,
        how=file.measure,
        unit=unit,
        logged=file.n_bytes / scale,
        computed=computed / scale,
        is_fitted=file.is_for_fitting,
    )
