"""What a measurement is of, what a plan is of, and how near the two are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from qwen3_planner.catalog.measurements import Reach, Setup
from qwen3_planner.engines.versions import Version, build, parse_version
from qwen3_planner.performance.machine import format_class
from qwen3_planner.plan import Layout
from qwen3_planner.request import EngineName

if TYPE_CHECKING:
    from qwen3_planner.candidates import Candidate
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.question import Question
    from qwen3_planner.sizing.activation import Batch

BUILDS_ALIKE = 1000
"""Builds of llama.cpp that a measurement speaks for: about three months. Assumed."""


class Nearness(IntEnum):
    """How much a plan is like what was measured."""

    OTHER = 0
    """Not at all: nothing is taken up."""
    MODEL = 1
    """Another model of its kind."""
    SAME_MODEL = 2
    """The same model, in another format, layout or batch."""
    SAME = 3
    """The very same start."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a plan's figures are of, as far as measurements are chosen by it.

    Attributes:
        version: of the engine.
        setup: how it would run.
        weights: class of the weight format.
    """

    version: Version
    setup: Setup
    weights: str


def kind_of(model: ModelArchitecture) -> str:
    """Name the kind of model whose engine code is alike.

    >>> from qwen3_planner.catalog.loading import load_catalog
    >>> names = ("Qwen3-8B", "Qwen3-30B-A3B", "Qwen3-VL-8B-Instruct", "Qwen3-Embedding-8B")
    >>> [kind_of(load_catalog().model(name)) for name in names]
    ['dense', 'moe', 'dense-vision', 'dense-pooling']
    """
    kind = "hybrid" if model.is_hybrid else "moe" if model.is_moe else "dense"
    kind += "-vision" if model.vision is not None else ""
    return kind + ("-pooling" if model.is_pooling else "")


def layout_kind(layout: Layout) -> str:
    """Name the kind of layout: what makes ranks take memory and time beside their tensors.

    >>> [layout_kind(Layout(*sizes)) for sizes in ((1,), (8,), (2, 2))]
    ['one', 'tensor', 'pipeline']
    """
    if layout.pipeline > 1:
        return "pipeline"
    return "tensor" if layout.gpus_per_replica > 1 else "one"


def subject_of(question: Question, candidate: Candidate, batch: Batch | None) -> Subject:
    """Say what a candidate's figures are of."""
    layout = candidate.layout
    setup = Setup(
        engine=question.engine.value,
        version=str(question.version),
        accelerator=candidate.pool.accelerator.name,
        variant=question.model.name,
        kind=kind_of(question.model),
        quantization=candidate.choice.fmt.quantization.value,
        layout=Layout(layout.tensor, layout.pipeline, layout.data, layout.expert),
        batch_tokens=0 if batch is None else batch.tokens,
        batch_sequences=0 if batch is None else batch.seqs,
    )
    return Subject(question.version, setup, format_class(candidate.choice.fmt))


def reach_of(setup: Setup, weights: str = "") -> Reach:
    """Say which plans a measurement of this set-up speaks for.

    vLLM changes its memory with minor releases, SGLang with any, llama.cpp counts builds.

    Args:
        setup: as it ran.
        weights: class of its weight format, where the measurement hangs on that.
    """
    since = parse_version(setup.version)
    return Reach(
        engine=setup.engine,
        since=str(_first(setup.engine, since)),
        until=str(_next(setup.engine, since)),
        accelerator=setup.accelerator,
        kind=setup.kind,
        layout=layout_kind(setup.layout),
        weights=weights,
    )


def _first(engine: str, version: Version) -> Version:
    if engine == EngineName.VLLM:
        return Version(version.major, version.minor)
    return version if version.build else Version(version.major, version.minor, version.patch)


def _next(engine: str, version: Version) -> Version:
    if version.build:
        return build(version.build + BUILDS_ALIKE)
    if engine == EngineName.VLLM:
        return Version(version.major, version.minor + 1)
    return Version(version.major, version.minor, version.patch + 1)


def nearness(reach: Reach, measured: Setup, subject: Subject) -> Nearness:
    """Say how near a measurement is to a plan; outside its reach not at all."""
    setup = subject.setup
    if not is_within(reach, subject):
        return Nearness.OTHER
    if measured.variant != setup.variant:
        return Nearness.MODEL
    if _start(measured) != _start(setup) or not _same_batch(measured, setup):
        return Nearness.SAME_MODEL
    return Nearness.SAME


def is_within(reach: Reach, subject: Subject) -> bool:
    """Whether a plan lies in a measurement's reach."""
    setup = subject.setup
    return (
        reach.engine == setup.engine
        and reach.accelerator.lower() == setup.accelerator.lower()
        and reach.kind == setup.kind
        and reach.layout in ("", layout_kind(setup.layout))
        and reach.weights in ("", subject.weights)
        and parse_version(reach.since) <= subject.version
        and (not reach.until or subject.version < parse_version(reach.until))
    )


def _start(setup: Setup) -> tuple[str, Layout]:
    return setup.quantization, setup.layout


def _same_batch(measured: Setup, setup: Setup) -> bool:
    """Whether the scheduler's sizes agree, as far as both are known."""
    pairs = (
        (measured.batch_tokens, setup.batch_tokens),
        (measured.batch_sequences, setup.batch_sequences),
    )
    return all(left == right for left, right in pairs if left and right)
