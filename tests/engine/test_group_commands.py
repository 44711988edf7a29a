"""The command of each rank of a replica over two nodes, as in its pod, through vLLM's parser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qwen3_planner.sizing.formats import format_of
from support.children import GOLDEN, children_of, read_case, templates_of
from support.engine.model_folders import write_model
from support.engine.oracle import Refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qwen3_planner.catalog.rows import Catalog
    from support.engine.oracle import Oracle

pytestmark = pytest.mark.engine

H100 = "H100-SXM-80GB"
CHECKPOINT = "hf://Qwen/Qwen3-235B-A22B-FP8"

LAYOUTS = (
    {"tensor": 8, "pipeline": 2},
    {"tensor": 4, "pipeline": 4},
    {"tensor": 4, "data": 4, "expert": 16},
    {"tensor": 2, "data": 8, "expert": 16},
    {"tensor": 1, "data": 16, "expert": 16},
)
"""Of Qwen3-235B-A22B-FP8 on 2 x (8 x H100), one replica over both nodes."""


def ranks_of(parallelism: dict[str, int], form: str, **engine: object) -> list[list[str]]:
    """Return what follows `vllm serve` in each pod, with the variables that the pod would have."""
    case = read_case(GOLDEN / "groups-as-stateful-sets.in.yaml")
    spec = {"parallelism": parallelism, "maxModelLen": 16384, "replicas": 1, "engine": engine}
    case["resource"]["spec"] |= spec
    case |= {"form": form, "replicas": 1}
    commands = []
    for rank, template in enumerate(templates_of(children_of(case))):
        args: list[str] = template["spec"]["containers"][0]["args"]
        told = {"$(LEADER_ADDRESS)": "127.0.0.1", "$(GROUP_RANK)": str(rank)}
        commands.append([told.get(word, word) for word in args])
    assert len(commands) == 2
    return commands


@pytest.fixture(scope="module")
def configured(
    catalog: Catalog,
    oracle_on: Callable[[str], Oracle],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[list[str]], dict[str, Any] | Refused]:
    """Ask the engine about a command; the hub's id becomes a folder here."""
    row = next(row for row in catalog.checkpoints if row.uri == CHECKPOINT)
    folder: Path = tmp_path_factory.mktemp("models") / "large"
    model = str(write_model(folder, catalog.model("Qwen3-235B-A22B"), format_of(row)))

    def ask(words: list[str]) -> dict[str, Any] | Refused:
        assert words[0] == CHECKPOINT.removeprefix("hf://")
        return oracle_on(H100).configure([model, *words[1:]], {})

    return ask


@pytest.mark.parametrize("form", ["StatefulSets", "LeaderWorkerSet"])
@pytest.mark.parametrize("parallelism", LAYOUTS, ids=str)
def test_both_ranks_are_configured_as_halves_of_one_replica(
    parallelism: dict[str, int],
    form: str,
    configured: Callable[[list[str]], dict[str, Any] | Refused],
) -> None:
    made = [configured(words) for words in ranks_of(parallelism, form)]

    data = parallelism.get("data", 1)
    for rank, found in enumerate(made):
        assert not isinstance(found, Refused), found
        wanted = {
            "nnodes": 2,
            "node_rank": rank,
            "tensor": parallelism["tensor"],
            "pipeline": parallelism.get("pipeline", 1),
            "data": data,
            "expert_parallel": "expert" in parallelism,
            "local_data_ranks": max(1, data // 2),
            "data_rank": rank * (data // 2),
            "master": "127.0.0.1",
            "executor": "mp",
        }
        assert {name: found[name] for name in wanted} == wanted


def test_through_ray_only_ray_itself_is_missing_here(
    configured: Callable[[list[str]], dict[str, Any] | Refused],
) -> None:
    """The parser takes the leader's command; then vLLM asks for the package."""
    leader, other = ranks_of({"tensor": 8, "pipeline": 2}, "StatefulSets", multiNode="ray")

    assert other == []
    assert leader[:2] == ["vllm", "serve"]
    made = configured(leader[2:])
    assert isinstance(made, Refused)
    assert made.says("Ray"), made
    assert made.kind != "ParserError", made
