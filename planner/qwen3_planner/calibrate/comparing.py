"""What was read beside what is planned for the very same: figures, and what plans should take up.

Raises where both cannot be of one thing: then a name, a layout or a card is wrong, and a correction
learned from it would spoil every plan that takes it up.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.candidates import Candidate, pools_of
from qwen3_planner.catalog.calibration import NOTHING_MEASURED
from qwen3_planner.catalog.measurements import Compared
from qwen3_planner.corrections.learning import memory_row
from qwen3_planner.corrections.subjects import subject_of
from qwen3_planner.errors import SpecError
from qwen3_planner.question import understand
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.units import GIB, format_gib

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.calibrate.reading import Reading
    from qwen3_planner.candidates import Pool
    from qwen3_planner.catalog.measurements import MemoryRow, Origin
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Layout
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.request import PlanRequest
    from qwen3_planner.sizing.stages import Setting, StageMemory

WEIGHTS_APART = 0.1
"""Relative: weights that differ by more are those of another model, format or layout. The planner
is within 0.02 of every log (docs/reference/accuracy.md)."""

WEIGHTS_LEAST = GIB // 2
"""Bytes that weights may differ by whatever their size: a draft model, adapters."""

CARD_APART = 0.1
"""Of a device's memory: a start that deviates by more is of another card or share. Of the starts of
tests/unit/planner/accuracy none does by more than 0.08."""

POOL_APART = 0.03
"""Relative: how far bytes and tokens of one pool may disagree; logs round to 0.01 GiB."""

COARSEST = 0.01 * GIB
"""Bytes that logs round to."""

MANY_BLOCKS = 1_000_000
"""Blocks over which the bytes of a token are averaged, so that rounding to blocks is lost."""


@dataclass(frozen=True, slots=True)
class Start:
    """A start of an engine as planned.

    Attributes:
        question: what was planned.
        candidate: the layout that ran.
        setting: of the engine.
        tightest: the stage whose GPUs have least room.
        token_bytes: of one logged token there.
        tokens: that the plan says are logged.
    """

    question: Question
    candidate: Candidate
    setting: Setting
    tightest: StageMemory
    token_bytes: float
    tokens: int


def planned_start(
    request: PlanRequest, inventory: Inventory, catalog: Catalog, reading: Reading
) -> Start:
    """Plan the start that a log is of.

    Raises:
        SpecError: the hardware, the layout or the weights cannot be those of the log.
    """
    question = understand(request, inventory, uncalibrated(catalog))
    pools = pools_of(inventory, request.accelerators)
    if len(pools) != 1:
        names = [pool.accelerator.name for pool in pools]
        raise SpecError("--hardware", ", ".join(names), "a start is on one kind of card: name it")
    (pool,) = pools
    serving = serving_of(question.engine)
    if not serving.runs_on(pool.accelerator):
        reason = f"{question.engine.value} is not planned on it"
        raise SpecError("--hardware", pool.accelerator.name, reason)
    setting = serving.setting(question, pool)
    candidate = Candidate(pool, _choice(question), _layout(question, pool))
    candidate = _with_weights(question, candidate, setting, reading)
    stages = serving.stages(question, candidate, setting)
    tightest = min(stages, key=lambda stage: stage.available / stage.block)
    context, layout = question.wanted_context, candidate.layout
    many = serving.logged_tokens(question, layout, MANY_BLOCKS, context)
    return Start(
        question=question,
        candidate=candidate,
        setting=setting,
        tightest=tightest,
        token_bytes=MANY_BLOCKS * tightest.block / many,
        tokens=serving.logged_tokens(question, layout, tightest.blocks, context),
    )


def memory_learned(start: Start, reading: Reading, origin: Origin) -> MemoryRow:
    """Compare a start's memory and learn from it.

    Raises:
        SpecError: the log does not size its KV cache, was told its size, or speaks of another
            model.
    """
    if start.question.request.tuning.kv_cache_memory_bytes is not None:
        reason = "the size of the KV cache was given, so the log says nothing of what else is taken"
        raise SpecError("FILE", origin.name, reason)
    measured = _measured_tokens(start, reading)
    _refuse_other_card(start, measured, reading)
    subject = subject_of(start.question, start.candidate, start.setting.batch)
    return memory_row(
        subject.setup,
        planned_pool=start.tightest.available,
        planned_tokens=start.tokens,
        measured_tokens=measured,
        token_bytes=start.token_bytes,
        origin=origin,
        figures=tuple(_figures(start, reading)),
    )


def _refuse_other_card(start: Start, tokens: float, reading: Reading) -> None:
    """Refuse a deviation that no start has on the card that is named."""
    device, pool = start.candidate.pool.device_bytes, tokens * start.token_bytes
    added = start.tightest.available - pool
    if abs(added) <= CARD_APART * device:
        return
    stated = reading.figures.get("kv_tokens") or reading.figures["kv"]
    share = start.setting.utilization
    accelerator = start.candidate.pool.accelerator
    reason = (
        f"the KV cache has {format_gib(pool)} on a GPU where {format_gib(start.tightest.available)}"
        f" are planned at {share:g} of {accelerator.name}: card or --gpu-memory-utilization are"
        " others (a card of another size: describe it in an inventory file)"
    )
    raise SpecError("FILE", stated.place, reason)


def _measured_tokens(start: Start, reading: Reading) -> float:
    """Return the tokens of the pool that a log states; from its bytes where it names no tokens."""
    tokens, pool = reading.figures.get("kv_tokens"), reading.figures.get("kv")
    stated = tokens or pool
    if stated is None:
        why = "; ".join(reading.notes) or "it states no KV cache"
        raise SpecError("FILE", reading.facts["engine"].place, f"{why}: paste the log to its end")
    if float(stated.value) <= 0:
        raise SpecError("FILE", stated.place, "nothing was left for the KV cache: it did not start")
    if tokens is None:
        return float(stated.value) / start.token_bytes
    if pool is not None:
        _check_token(start, float(tokens.value), float(pool.value), tokens.place)
    return float(tokens.value)


def _check_token(start: Start, tokens: float, pool: float, place: str) -> None:
    """Refuse a pool whose bytes a token are not the model's."""
    each = pool / tokens
    if abs(each / start.token_bytes - 1.0) <= POOL_APART + COARSEST / max(pool, 1.0):
        return
    question, layout = start.question, start.candidate.layout
    reason = (
        f"{tokens:,.0f} tokens in {format_gib(pool)} are {each:,.0f} bytes a token, but"
        f" {question.model.name} at {layout} with {question.kv_cache_dtype.value} KV takes"
        f" {start.token_bytes:,.0f}: model, --kv-cache-dtype or layout are others"
    )
    raise SpecError("FILE", place, reason)


def _figures(start: Start, reading: Reading) -> list[Compared]:
    """Compare what the log states apart."""
    tightest, found = start.tightest, []
    pairs = (
        ("weights", "memory.weights", tightest.weights),
        ("kv", "memory.kvCache", max(0, tightest.available)),
        ("activation", "memory.activation", tightest.activation),
        ("graphs", "memory.graphs", tightest.graphs),
        ("non_torch", "memory.overhead", tightest.overhead),
    )
    for name, figure, planned in pairs:
        stated = reading.figures.get(name)
        if stated is not None and (planned or name not in ("graphs", "activation")):
            found.append(Compared(figure, "GiB", planned / GIB, float(stated.value) / GIB))
    return found


def _choice(question: Question) -> WeightChoice:
    if question.choices:
        return question.choices[0]
    request = question.request
    reason = f"no such checkpoint of {request.model} is known"
    raise SpecError("--quantization", request.quantization.value, reason)


def _layout(question: Question, pool: Pool) -> Layout:
    """Find the layout that ran among those that the hardware allows."""
    wish = question.request.parallelism
    sizes = (wish.tensor or 1, wish.pipeline or 1, wish.data or 1, wish.expert or 1)
    fixed = replace(wish, tensor=sizes[0], pipeline=sizes[1], data=sizes[2], expert=sizes[3])
    asked = replace(question, request=replace(question.request, parallelism=fixed))
    found = serving_of(question.engine).layouts(asked, pool, pool.gpus)
    for layout in found:
        same = (layout.tensor, layout.pipeline, layout.data, layout.expert) == sizes
        if same and layout.gpus_per_replica <= pool.gpus:
            return layout
    gpus = sizes[0] * sizes[1] * sizes[2]
    hardware = f"{pool.gpus}x{pool.accelerator.name}"
    reason = (
        f"the engine ran on {gpus} GPUs (tensor {sizes[0]}, pipeline {sizes[1]}, data {sizes[2]})"
    )
    raise SpecError("--hardware", hardware, reason, (f"{gpus}x{pool.accelerator.name}",))


def _with_weights(
    question: Question, candidate: Candidate, setting: Setting, reading: Reading
) -> Candidate:
    """Check the weights that were loaded; of several formats take the one that they are of."""
    stated = reading.figures.get("weights")
    if stated is None:
        return candidate
    logged = float(stated.value)
    serving = serving_of(question.engine)
    sizes = []
    for choice in question.choices:
        asked = replace(candidate, choice=choice)
        weights = max(stage.weights for stage in serving.stages(question, asked, setting))
        if _is_near(weights, logged):
            return asked
        sizes.append(f"{choice.fmt.quantization.value} takes {format_gib(weights)}")
    layout = candidate.layout
    reason = (
        f"the log loaded {format_gib(logged)} of weights on a GPU; {question.model.name} at"
        f" {layout}: {', '.join(sizes)}. Model, --quantization or layout are others"
    )
    raise SpecError("FILE", stated.place, reason)


def _is_near(planned: float, logged: float) -> bool:
    return abs(planned - logged) <= max(WEIGHTS_LEAST, WEIGHTS_APART * logged)


def uncalibrated(catalog: Catalog) -> Catalog:
    """Leave a calibration out: what is learned is learned against the plain plan."""
    return replace(catalog, calibration=NOTHING_MEASURED)


def require_version(request: PlanRequest) -> None:
    """Refuse to learn memory without a version: it decides what is counted.

    Raises:
        SpecError: neither the log nor the user names it.
    """
    if request.engine_version is None:
        reason = "the log does not say which release it is of: its first lines do, or say it"
        raise SpecError("--engine-version", "(missing)", reason)


def notes_of(readings: Sequence[Reading]) -> tuple[str, ...]:
    """List what the inputs' readers noticed."""
    return tuple(note for reading in readings for note in reading.notes)
