"""What is written to keep the pods of a replica together."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.cluster.ganging import Ganging, Tended
from qwen3_operator.decisions.admission import Admission
from qwen3_operator.errors import ClusterError
from qwen3_operator.observed import GROUP_GATE, Key, Node, Observed, Pod
from qwen3_planner.api.conversion import parse
from support.children import GOLDEN, children_of, read_case
from support.values import amount, node, pod

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from qwen3_operator.observed import Manifest

KEY = Key("team-a", "qwen3-235b")
CASE = read_case(GOLDEN / "groups-as-stateful-sets.in.yaml")
ADMITTED = Admission(wanted=1, replicas=1, may_apply=True)


@dataclass
class World:
    """A cluster of two nodes and one replica, and everything that is written."""

    pods: list[Pod]
    room: dict[str, int] = field(default_factory=lambda: {"a": 1, "b": 1})
    known_nodes: tuple[Node, ...] = (node("a"), node("b"))
    time: datetime = datetime(2026, 11, 23, tzinfo=UTC)
    patches: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    refusal: ClusterError | None = None

    def now(self) -> datetime:
        return self.time

    def observe(self, _key: Key, _refusal: str) -> Observed:
        return Observed(pods=tuple(self.pods))

    def take(self, _answers: object) -> None:
        """Take no notice."""

    async def patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        if self.refusal:
            raise self.refusal
        self.patches[path.rpartition("/")[2]] = operations
        return {}

    async def delete_at(self, path: str, _uid: str) -> None:
        if self.refusal:
            raise self.refusal
        self.deleted.append(path.rpartition("/")[2])

    def lift(self, _key: Key, uids: Collection[str]) -> bool:
        return sum(self.room.values()) >= len(uids)

    def places(self, _key: Key) -> int:
        return sum(self.room.values())

    def room_by_node(self, _key: Key) -> dict[str, int]:
        return self.room

    def nodes(self) -> tuple[Node, ...]:
        return self.known_nodes


def workload() -> Manifest:
    return children_of(CASE)[0]


HASH = workload()["spec"]["template"]["metadata"]["labels"]["serving.qwen3.dev/plan-hash"]


def rank(number: int, **fields: object) -> Pod:
    made = pod(f"q-{number}", amount(8), owner=KEY, plan_hash=HASH)
    return replace(made, namespace="team-a", group="0", rank=number, **fields)  # type: ignore[arg-type]  # by name


def gated() -> list[Pod]:
    return [rank(number, gates=(GROUP_GATE,)) for number in (0, 1)]


def crashed() -> list[Pod]:
    fields = {"phase": "Running", "node": "a", "bound_at": "2026-11-22T00:00:00Z"}
    return [rank(0, **fields), rank(1, **fields, restarts=1)]


def ganging(world: World, held: set[Key] | None = None) -> Ganging:
    waiting = set() if held is None else held
    return Ganging(world, world, world, waiting, world.now, 300.0)  # type: ignore[arg-type]  # stands in


def tend(gang: Ganging, **spec: object) -> Tended:
    body = CASE["resource"] | {"spec": CASE["resource"]["spec"] | spec}
    return asyncio.run(gang.tend(KEY, parse(body), workload(), ADMITTED))


def test_the_gate_alone_is_taken_from_exactly_those_pods() -> None:
    world = World(gated())

    assert tend(ganging(world)) == Tended()
    assert set(world.patches) == {"q-0", "q-1"}
    guard, gate, change = world.patches["q-0"]
    assert guard["value"] == world.pods[0].uid
    assert gate == {"op": "test", "path": "/spec/schedulingGates/0/name", "value": GROUP_GATE}
    assert change == {"op": "remove", "path": "/spec/schedulingGates/0"}


def test_a_replica_without_room_is_held_and_says_so() -> None:
    world, held = World(gated(), room={"a": 1}), set[Key]()

    tended = tend(ganging(world, held))

    assert world.patches == {}
    assert held == {KEY}
    (told, _) = tended.told(tuple(world.pods))
    assert (told.problem, "1 of these places is free" in told.problem_message) == (
        "WaitingForGroup",
        True,
    )


def test_once_there_is_room_it_is_held_no_longer() -> None:
    world, held = World(gated()), {KEY}

    tend(ganging(world, held))

    assert held == set()


@pytest.mark.parametrize("spec", [{"queueName": "large"}, {"schedulerName": "volcano"}])
def test_where_others_place_the_pods_the_gate_only_waits_for_all_of_them(
    spec: dict[str, str],
) -> None:
    world = World(gated(), room={})

    tend(ganging(world), **spec)

    assert len(world.patches) == 2


def test_pods_are_told_the_domain_in_which_all_stand_near() -> None:
    near = {"nvidia.com/gpu.clique": "c.1"}
    far = {"nvidia.com/gpu.clique": "c.2"}
    world = World(gated(), room={"a": 1, "b": 1, "c": 1})
    world.known_nodes = (node("a", labels=near), node("b", labels=far), node("c", labels=near))
    world.pods[1] = replace(world.pods[1], has_node_selector=True)

    tend(ganging(world))

    assert world.patches["q-0"][-1] == {"op": "add", "path": "/spec/nodeSelector", "value": near}
    assert world.patches["q-1"][-1] == {
        "op": "add",
        "path": "/spec/nodeSelector/nvidia.com~1gpu.clique",
        "value": "c.1",
    }


def test_crashing_ranks_start_anew_after_pauses_that_double() -> None:
    world = World(crashed())
    gang = ganging(world)
    pauses = []
    for _ in range(4):
        before = len(world.deleted)
        started = world.time
        while len(world.deleted) == before:
            again_s = tend(gang).again_s
            world.time += timedelta(seconds=again_s or 0)
        pauses.append((world.time - started).total_seconds())

    assert pauses == [0.0, 10.0, 20.0, 40.0]
    assert world.deleted[:2] == ["q-0", "q-1"]


def test_a_replica_that_ran_well_for_long_begins_with_the_first_pause() -> None:
    world = World(crashed())
    gang = ganging(world)
    for _ in range(2):
        tend(gang)
        world.time += timedelta(hours=1)

    assert len(world.deleted) == 4


@pytest.mark.parametrize("status", [404, 409, 422])
def test_a_pod_that_is_another_by_now_is_left_to_the_watch(status: int) -> None:
    world = World(gated(), refusal=ClusterError(status, "Conflict", "changed"))

    assert tend(ganging(world)) == Tended()


def test_other_errors_are_raised() -> None:
    world = World(gated(), refusal=ClusterError(403, "Forbidden", "no"))

    with pytest.raises(ClusterError):
        tend(ganging(world))


def test_what_is_not_admitted_is_left_as_it_is() -> None:
    world = World(crashed())
    resource = parse(CASE["resource"])
    waits = Admission(wanted=1, replicas=0, may_apply=False)

    asyncio.run(ganging(world).tend(KEY, resource, workload(), waits))

    assert world.deleted == []
