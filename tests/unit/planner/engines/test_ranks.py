"""What the other ranks of a replica over several nodes are started with."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.engines.ranks import (
    ray_leader_script,
    ray_worker_script,
    takes_ray,
    with_rank,
    worker_words,
)
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import Change, NoPlan, Plan
from qwen3_planner.planning import plan
from qwen3_planner.request import (
    EngineName,
    EngineTuning,
    MultiNode,
    ParallelismWish,
    PlanRequest,
    Quantization,
)

if TYPE_CHECKING:
    from qwen3_planner.plan import PlanResult

RAY = EngineTuning(multi_node=MultiNode.RAY)


def planned(hardware: str = "2x8xH100-SXM-80GB", **fields: object) -> PlanResult:
    catalog = load_catalog()
    request = PlanRequest("Qwen3-235B-A22B", quantization=Quantization.FP8, **fields)  # type: ignore[arg-type]  # by name
    return plan(request, parse_hardware(hardware, catalog), catalog)


def command_of(**fields: object) -> tuple[str, ...]:
    found = planned(**fields)  # type: ignore[arg-type]  # by name
    assert isinstance(found, Plan), found
    assert found.layout.nodes_per_replica == 2
    return found.command


def test_every_other_rank_takes_the_leaders_command_without_a_server() -> None:
    leader = command_of(parallelism=ParallelismWish(tensor=8, pipeline=2))

    worker = worker_words("vllm", leader, "1")

    place = leader.index("--node-rank") + 1
    assert (leader[place], worker[place]) == ("0", "1")
    assert worker[-1] == "--headless"
    assert [*leader[:place], *leader[place + 1 :]] == [*worker[:place], *worker[place + 1 : -1]]


@pytest.mark.parametrize(
    "given", [["--api-server-count", "4"], ["--api-server-count=4"], ["--api_server_count", "4"]]
)
def test_servers_that_the_user_counts_are_the_leaders(given: list[str]) -> None:
    assert worker_words("vllm", [*given, "--seed", "1"], "1") == ["--seed", "1", "--headless"]


def test_a_rank_of_sglang_differs_by_its_number_alone() -> None:
    found = planned(engine=EngineName.SGLANG, parallelism=ParallelismWish(tensor=4, data=4))
    assert isinstance(found, Plan), found
    assert worker_words("sglang", found.command, "1") == with_rank(found.command, "1")


def test_through_ray_only_the_leader_has_a_command() -> None:
    command = command_of(parallelism=ParallelismWish(tensor=8, pipeline=2), tuning=RAY)

    assert takes_ray(command)
    assert "--nnodes" not in command
    assert "--master-addr" not in command


def test_ray_is_told_how_many_data_ranks_the_leaders_node_holds() -> None:
    command = command_of(parallelism=ParallelismWish(tensor=4, data=4, expert=16), tuning=RAY)

    place = command.index("--data-parallel-size-local") + 1
    assert command[place] == "2"
    assert command[command.index("--data-parallel-backend") + 1] == "ray"


def test_one_node_needs_no_ray() -> None:
    found = planned("1x8xH100-SXM-80GB", tuning=RAY)

    assert isinstance(found, Plan)
    assert not takes_ray(found.command)


def test_an_old_vllm_spans_nodes_through_ray() -> None:
    wish = ParallelismWish(tensor=4, pipeline=4)
    native = planned(engine=EngineName.VLLM, engine_version="0.10.2", parallelism=wish)

    assert isinstance(native, NoPlan)
    assert native.refusals[0].rule == "MultiNodeNeedsNewerEngine"
    assert Change((("multiNode", "ray"),)) in native.refusals[0].fixes
    assert takes_ray(command_of(engine_version="0.10.2", parallelism=wish, tuning=RAY))


def test_sglang_is_not_started_through_ray() -> None:
    found = planned(engine=EngineName.SGLANG, tuning=RAY)

    assert isinstance(found, NoPlan)
    assert found.refusals[0].rule == "SettingUnsupported"
    assert found.nearest is not None


@pytest.mark.parametrize("script", [ray_leader_script(2), ray_worker_script("$LEADER_ADDRESS")])
def test_the_scripts_are_posix_shell(script: str) -> None:
    done = subprocess.run(["/bin/sh", "-n", "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
