"""Every candidate of a question under many loads: verdict and speed of each.

What loads share is worked out once: the rules of a weight format, the legality and the memory of a
layout, what a step reads and computes, the times of a prompt. It is what :func:`solving.solve`
judges one load with, so the cells of one load are its verdicts.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from qwen3_planner.candidates import pools_of
from qwen3_planner.performance.load import prompt_times
from qwen3_planner.performance.prediction import predict
from qwen3_planner.rules.chains import pool_refusal
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.serving.verdicts import Fit
from qwen3_planner.solving import Refused, admit, candidates_of, judge_load, pool_facts
from qwen3_planner.speed import load_of, server_of, with_pool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.candidates import Candidate, Pool
    from qwen3_planner.catalog.figures import Efficiency
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.performance.load import PromptTimes, Server
    from qwen3_planner.performance.prediction import Prediction
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.rules.facts import PoolFacts
    from qwen3_planner.sizing.stages import Setting


class Cell(NamedTuple):
    """One candidate under one load. A tuple: tens of thousands are made for one search.

    Attributes:
        concurrency: requests in flight per replica.
        verdict: whether the candidate holds them.
        prediction: of one replica's speed; None where it does not, where nothing is known of the
            engine's efficiency, or where the model generates no tokens.
    """

    concurrency: int
    verdict: Fit | Refused
    prediction: Prediction | None


class _Loads(NamedTuple):
    """Loads under which the engine has the same settings, so every candidate the same memory."""

    setting: Setting
    questions: tuple[Question, ...]


def evaluate(
    question: Question,
    inventory: Inventory,
    concurrencies: Sequence[int],
    efficiencies: Sequence[Efficiency] = (),
) -> Iterator[Cell]:
    """Yield a cell for every candidate and load, those of one candidate together.

    Where a whole pool is refused in a format there is one cell for each load, without a candidate.

    Args:
        question: what is planned; its own requests in flight do not count.
        inventory: the hardware.
        concurrencies: requests in flight per replica, each at least 1.
        efficiencies: of the catalog; without them no speed is predicted.
    """
    for pool in pools_of(inventory, question.request.accelerators):
        loads = _loads(question, pool, concurrencies)
        for choice in question.choices:
            for each in loads:
                yield from _cells(each, pool, choice, efficiencies)


def _loads(question: Question, pool: Pool, concurrencies: Sequence[int]) -> tuple[_Loads, ...]:
    """Group the loads by the engine's settings."""
    request, serving = question.request, serving_of(question.engine)
    groups: dict[Setting, list[Question]] = {}
    for concurrency in concurrencies:
        load = replace(request.workload, concurrency=concurrency)
        asked = replace(question, request=replace(request, workload=load))
        groups.setdefault(serving.setting(asked, pool), []).append(asked)
    return tuple(_Loads(setting, tuple(asked)) for setting, asked in groups.items())


def _cells(
    loads: _Loads, pool: Pool, choice: WeightChoice, efficiencies: Sequence[Efficiency]
) -> Iterator[Cell]:
    first = loads.questions[0]
    facts = pool_facts(first, pool, choice, loads.setting)
    no = pool_refusal(facts)
    if no is not None:
        yield from (Cell(_in_flight(asked), Refused(no), None) for asked in loads.questions)
        return
    for candidate in candidates_of(first, pool, choice):
        yield from _cells_of(loads, facts, candidate, efficiencies)


def _cells_of(
    loads: _Loads, facts: PoolFacts, candidate: Candidate, efficiencies: Sequence[Efficiency]
) -> Iterator[Cell]:
    room = admit(loads.questions[0], facts, candidate, loads.setting)
    if isinstance(room, Refused):
        yield from (Cell(_in_flight(asked), room, None) for asked in loads.questions)
        return
    speed: _Speed | None = None
    is_known = bool(efficiencies)
    for asked in loads.questions:
        verdict, said = judge_load(asked, room), None
        if is_known and isinstance(verdict, Fit):
            speed = speed or _speed(asked, verdict, efficiencies)
            is_known = speed is not None
            said = None if speed is None else _predicted(speed, asked, verdict)
        yield Cell(_in_flight(asked), verdict, said)


class _Speed(NamedTuple):
    """What the speeds of one candidate have in common."""

    server: Server
    prompts: PromptTimes


def _speed(question: Question, fit: Fit, efficiencies: Sequence[Efficiency]) -> _Speed | None:
    server = server_of(question, fit, efficiencies)
    if server is None:
        return None
    return _Speed(server, prompt_times(server, load_of(question).input_tokens))


def _predicted(speed: _Speed, question: Question, fit: Fit) -> Prediction:
    server = with_pool(speed.server, question, fit)
    return predict(server, load_of(question), speed.prompts)


def _in_flight(question: Question) -> int:
    return question.request.workload.concurrency
