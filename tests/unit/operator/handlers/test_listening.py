"""What changes in the cluster mean to the queue: who is looked at again, and who is not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.reducing import OwnPod
from qwen3_operator.handlers.listening import Listener
from qwen3_operator.handlers.queue import WorkQueue
from qwen3_operator.ledger import Ledger
from qwen3_operator.observed import Key, Node, Pod, Resources
from support import virtual_time
from support.values import amount, pod

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = Key("ns", "m")
OTHER = Key("ns", "other")


def deployment(version: str, replicas: int = 1) -> dict[str, Any]:
    labels = {"serving.qwen3.dev/deployment": "m"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"namespace": "ns", "name": "m", "labels": labels, "resourceVersion": version},
        "spec": {"replicas": replicas, "template": {"spec": {"containers": []}}},
    }


def body(version: str, generation: int = 1, status: object = None) -> dict[str, Any]:
    metadata = {
        "namespace": "ns",
        "name": "m",
        "uid": "u",
        "generation": generation,
        "resourceVersion": version,
    }
    return {"metadata": metadata, "spec": {}, "status": status}


def node(name: str, *, schedulable: bool = True, ready: bool = True) -> Node:
    return Node(
        name=name,
        labels={},
        taints=(),
        schedulable=schedulable,
        allocatable=Resources((("nvidia.com/gpu", 8),), 64_000, 2**40, 110),
        group=None,
        ready=ready,
    )


def looked_at(scenario: Callable[[Listener], None], *, leading: bool = True) -> set[Key]:
    """Let things happen; return the keys that come out of the queue within a minute."""

    async def run() -> set[Key]:
        loop = asyncio.get_running_loop()
        queue: WorkQueue[Key] = WorkQueue(loop, lambda: 1.0)
        listener = Listener(queue, Ledger(), lambda: iter((KEY, OTHER)), loop.call_later)
        listener.leading = leading
        scenario(listener)
        await asyncio.sleep(60)
        keys = set()
        while len(queue):
            keys.add(await queue.get())
        return keys

    return virtual_time.run(run())


def test_while_one_kind_takes_the_place_of_another_replicas_go_on_counting() -> None:
    def changes(listener: Listener) -> None:
        of_two_nodes = deployment("2") | {"kind": "StatefulSet"}
        of_two_nodes["metadata"] |= {"annotations": {"serving.qwen3.dev/group-size": "2"}}
        other_ranks = deployment("3") | {"kind": "StatefulSet"}
        tell = listener.listeners().deployment
        tell(None, deployment("1"))
        tell(None, of_two_nodes)
        tell(None, other_ranks)
        seen.append(listener._ledger._accounts[KEY].seen)
        tell(deployment("1"), None)
        tell(other_ranks, None)
        seen.append(listener._ledger._accounts[KEY].seen)
        tell(of_two_nodes, None)
        seen.append(listener._ledger._accounts.get(KEY))

    seen: list[Any] = []
    looked_at(changes)

    assert [each and each.group_size for each in seen] == [2, 2, None]


def test_a_held_replica_is_looked_at_as_soon_as_room_changes() -> None:
    def changes(listener: Listener) -> None:
        listener.held.add(OTHER)
        listener.listeners().foreign_pod(None, pod("stranger", amount(8), node="a"))
        listener.listeners().foreign_pod(pod("stranger", amount(8), node="a"), None)

    assert looked_at(changes) == {OTHER}


def test_a_changed_child_wakes_its_owner_alone() -> None:
    assert looked_at(lambda li: li.listeners().deployment(None, deployment("1"))) == {KEY}


def test_a_deleted_child_wakes_its_owner() -> None:
    assert looked_at(lambda li: li.listeners().deployment(deployment("1"), None)) == {KEY}


def test_a_pod_of_ours_wakes_its_owner() -> None:
    pod = Pod("u", "ns", "p", KEY, None, Resources())
    assert looked_at(lambda li: li.listeners().own_pod(None, OwnPod("t", pod))) == {KEY}


def test_a_standby_keeps_books_and_wakes_nobody() -> None:
    def scenario(listener: Listener) -> None:
        listener.listeners().deployment(None, deployment("1"))
        listener.listeners().node(None, node("n"))
        listener.resource(None, body("1"))

    assert looked_at(scenario, leading=False) == set()


def test_our_own_write_is_no_news_whichever_way_round_watch_and_answer_come() -> None:
    def watch_first(listener: Listener) -> None:
        with listener.own_write(KEY) as answers:
            listener.listeners().deployment(None, deployment("7"))
            answers.add("7")

    def answer_only(listener: Listener) -> None:
        with listener.own_write(KEY) as answers:
            listener.resource(body("1"), body("2", status={"phase": "Ready"}))
            answers.add("2")

    assert looked_at(watch_first) == set()
    assert looked_at(answer_only) == set()


def test_somebody_elses_change_during_our_write_is_news() -> None:
    def scenario(listener: Listener) -> None:
        with listener.own_write(KEY) as answers:
            listener.listeners().deployment(None, deployment("7"))
            listener.listeners().deployment(deployment("7"), deployment("8", replicas=5))
            answers.add("7")

    assert looked_at(scenario) == {KEY}


def test_a_child_deleted_during_our_write_is_news() -> None:
    def scenario(listener: Listener) -> None:
        with listener.own_write(KEY) as answers:
            listener.listeners().deployment(deployment("7"), None)
            answers.add("7")

    assert looked_at(scenario) == {KEY}


def test_a_new_specification_during_our_status_write_is_news() -> None:
    """The answer to our write shows the specification that somebody changed just before."""

    def scenario(listener: Listener) -> None:
        with listener.own_write(KEY) as answers:
            listener.resource(body("1"), body("3", generation=2))
            answers.add("3")

    assert looked_at(scenario) == {KEY}


def test_new_hardware_concerns_everybody() -> None:
    assert looked_at(lambda li: li.listeners().node(None, node("n"))) == {KEY, OTHER}


def test_a_node_that_gets_ready_concerns_only_those_who_wait() -> None:
    def scenario(listener: Listener) -> None:
        listener.leading = False
        listener.listeners().node(None, node("n", schedulable=False))
        listener.leading = True
        listener.waiting.add(OTHER)
        listener.listeners().node(node("n", schedulable=False), node("n"))

    assert looked_at(scenario) == {OTHER}


def test_a_pod_of_somebody_else_concerns_only_those_who_wait() -> None:
    pod = Pod("u", "else", "p", None, "n", Resources((("nvidia.com/gpu", 1),), pods=1))

    def scenario(listener: Listener) -> None:
        listener.leading = False
        listener.listeners().node(None, node("n"))
        listener.leading = True
        listener.waiting.add(OTHER)
        listener.listeners().foreign_pod(None, pod)

    assert looked_at(scenario) == {OTHER}


def test_who_has_a_pod_on_a_node_that_is_lost_is_looked_at_and_nobody_else() -> None:
    def loses_a_node(listener: Listener) -> None:
        hear = listener.listeners()
        hear.node(None, node("n"))
        hear.own_pod(None, OwnPod("", pod("p", amount(1), node="n", owner=KEY)))
        listener.leading = True
        hear.node(node("n"), node("n", schedulable=False, ready=False))

    assert looked_at(loses_a_node, leading=False) == {KEY}
