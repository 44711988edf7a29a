"""A grid says of each load what the planner says of that load alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.grid import Cell, evaluate
from qwen3_planner.question import understand
from qwen3_planner.request import EngineName, Quantization
from qwen3_planner.serving.verdicts import Fit
from qwen3_planner.solving import Refused, solve
from qwen3_planner.speed import server_of, speed_of, with_pool
from support.planner_builders import a_request, hardware

if TYPE_CHECKING:
    from qwen3_planner.question import Question

LOADS = (1, 7, 64, 300)

CASES = {
    "dense": ("Qwen3-32B", "4xH100-SXM-80GB", {}),
    "a context that shrinks with the load": ("Qwen3-8B", "2xL4-24GB", {}),
    "a stated load that stops to fit": (
        "Qwen3-30B-A3B",
        "2xRTX-4090-24GB",
        {"input_tokens": 8000, "output_tokens": 500},
    ),
    "data-parallel ranks": ("Qwen3-235B-A22B", "8xH200-SXM-141GB", {"data": 2}),
    "several pools": ("Qwen3-14B", "2xL4-24GB,1xA100-SXM-40GB", {}),
    "sglang": ("Qwen3-30B-A3B", "4xL40S-48GB", {"engine": EngineName.SGLANG}),
    "slots of llama.cpp": (
        "Qwen3-8B",
        "2xRTX-3090-24GB",
        {"quantization": Quantization.GGUF_Q4_K_M, "max_model_len": 8192},
    ),
    "layers on the host": (
        "Qwen3-32B",
        "1xRTX-4090-24GB",
        {"quantization": Quantization.GGUF_Q8_0, "max_model_len": 4096},
    ),
    "no tokens": ("Qwen3-Embedding-4B", "1xL4-24GB", {}),
    "one node at most": (
        "Qwen3-235B-A22B",
        "2x8xH100-SXM-80GB",
        {"quantization": Quantization.BF16, "max_nodes_per_replica": 1},
    ),
}


def question_of(case: str, concurrency: int) -> Question:
    model, on, fields = CASES[case]
    request = a_request(model, concurrency=concurrency, **fields)
    return understand(request, hardware(on), load_catalog())


def cells_of(case: str) -> list[Cell]:
    efficiencies = load_catalog().efficiencies
    inventory = hardware(CASES[case][1])
    return list(evaluate(question_of(case, 1), inventory, LOADS, efficiencies))


@pytest.mark.parametrize("case", CASES)
def test_every_load_gets_the_verdicts_that_it_gets_alone(case: str) -> None:
    cells = cells_of(case)
    for load in LOADS:
        alone = solve(question_of(case, load), hardware(CASES[case][1]))
        said = [cell.verdict for cell in cells if cell.concurrency == load]
        fits = [verdict for verdict in said if isinstance(verdict, Fit)]
        refused = [verdict for verdict in said if isinstance(verdict, Refused)]
        assert sorted(map(repr, fits)) == sorted(repr(score.fit) for score in alone.scores)
        assert refused == list(alone.refused)


@pytest.mark.parametrize("case", CASES)
def test_every_fit_gets_the_speed_that_it_gets_alone(case: str) -> None:
    efficiencies = load_catalog().efficiencies
    for cell in cells_of(case):
        if isinstance(cell.verdict, Fit):
            alone = speed_of(question_of(case, cell.concurrency), cell.verdict, efficiencies)
            assert cell.prediction == alone
        else:
            assert cell.prediction is None


def test_the_cases_have_fits_refusals_and_speeds() -> None:
    cells = [cell for case in CASES for cell in cells_of(case)]
    assert any(isinstance(cell.verdict, Refused) for cell in cells)
    contexts = {
        cell.verdict.max_model_len
        for cell in cells_of("a context that shrinks with the load")
        if isinstance(cell.verdict, Fit)
    }
    assert len(contexts) > 1
    assert sum(cell.prediction is not None for cell in cells) > len(cells) // 2


def test_a_server_takes_the_pool_of_another_load() -> None:
    efficiencies, case = load_catalog().efficiencies, "a context that shrinks with the load"
    fits = {}
    for cell in cells_of(case):
        if isinstance(cell.verdict, Fit):
            fits.setdefault(cell.verdict.candidate, {})[cell.concurrency] = cell.verdict
    for verdicts in fits.values():
        first, *others = verdicts.items()
        server = server_of(question_of(case, first[0]), first[1], efficiencies)
        assert server is not None
        for load, fit in others:
            asked = question_of(case, load)
            assert with_pool(server, asked, fit) == server_of(asked, fit, efficiencies)
    assert max(len(verdicts) for verdicts in fits.values()) > 1


def test_without_efficiencies_no_speed_is_predicted() -> None:
    cells = list(evaluate(question_of("dense", 1), hardware("4xH100-SXM-80GB"), LOADS))
    assert any(isinstance(cell.verdict, Fit) for cell in cells)
    assert all(cell.prediction is None for cell in cells)


def test_a_format_that_a_pool_refuses_is_told_once_for_each_load() -> None:
    request = a_request("Qwen3-8B", quantization=Quantization.NVFP4)
    inventory = hardware("2xT4-16GB")
    question = understand(request, inventory, load_catalog())
    cells = list(evaluate(question, inventory, LOADS))
    assert [cell.concurrency for cell in cells] == list(LOADS)
    assert all(isinstance(cell.verdict, Refused) and not cell.verdict.candidate for cell in cells)
