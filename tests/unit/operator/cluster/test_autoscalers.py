"""Which HorizontalPodAutoscaler is about a resource, and how the number of replicas is written."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from qwen3_operator.cluster.autoscalers import Autoscalers, scale
from qwen3_operator.errors import ClusterError
from qwen3_operator.observed import Key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qwen3_operator.cluster.applying import Writer
    from qwen3_operator.cluster.requests import Api

KEY = Key("ns", "chat")


def hpa(
    name: str, target: str, kind: str = "Qwen3Deployment", group: str = "serving.qwen3.dev/v1"
) -> dict[str, Any]:
    reference = {"apiVersion": group, "kind": kind, "name": target}
    return {"metadata": {"name": name}, "spec": {"scaleTargetRef": reference}}


class Server:
    """Stands for the API server."""

    def __init__(self, *items: dict[str, Any], error: ClusterError | None = None) -> None:
        self.items = list(items)
        self.error = error
        self.asked: list[str] = []
        self.patched: list[tuple[str, Sequence[Mapping[str, Any]]]] = []

    async def get(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        if self.error is not None:
            raise self.error
        return {"items": self.items}

    async def patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        self.patched.append((path, operations))
        if self.error is not None:
            raise self.error
        return {}


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def of(autoscalers: Autoscalers, key: Key = KEY) -> str | None:
    return asyncio.run(autoscalers.of(key))


def test_only_an_hpa_of_this_very_resource_counts() -> None:
    server = Server(
        hpa("other-name", "talk"),
        hpa("other-kind", "chat", kind="Deployment", group="apps/v1"),
        hpa("other-group", "chat", group="example.com/v1"),
        hpa("mine", "chat"),
    )
    autoscalers = Autoscalers(cast("Api", server), Clock(), 30)
    assert of(autoscalers) == "mine"
    assert server.asked == ["/apis/autoscaling/v2/namespaces/ns/horizontalpodautoscalers"]
    assert of(autoscalers, Key("ns", "none")) is None


def test_an_answer_counts_for_a_while_and_then_is_asked_for_anew() -> None:
    server, clock = Server(), Clock()
    autoscalers = Autoscalers(cast("Api", server), clock, 30)
    assert of(autoscalers) is None
    server.items.append(hpa("mine", "chat"))
    clock.now_s = 29
    assert of(autoscalers) is None
    clock.now_s = 30
    assert of(autoscalers) == "mine"
    assert len(server.asked) == 2


def test_what_was_known_counts_on_while_nobody_answers() -> None:
    server, clock = Server(hpa("mine", "chat")), Clock()
    autoscalers = Autoscalers(cast("Api", server), clock, 30)
    assert of(autoscalers) == "mine"
    server.error = ClusterError(503, "Unavailable", "busy")
    clock.now_s = 60
    assert of(autoscalers) == "mine"


def write(server: Server, before: int = 1, after: int = 2) -> bool:
    return asyncio.run(scale(cast("Writer", server), KEY, "uid-1", before, after))


def test_the_number_is_written_through_the_scale_subresource_and_only_over_the_old_one() -> None:
    server = Server()
    assert write(server)
    ((path, operations),) = server.patched
    assert path.endswith("/namespaces/ns/qwen3deployments/chat/scale")
    assert [(each["op"], each["path"], each["value"]) for each in operations] == [
        ("test", "/metadata/uid", "uid-1"),
        ("test", "/spec/replicas", 1),
        ("add", "/spec/replicas", 2),
    ]


def test_zero_is_no_field_of_a_scale() -> None:
    server = Server()
    write(server, before=0, after=1)
    assert server.patched[0][1][1] == {"op": "test", "path": "/spec", "value": {}}


@pytest.mark.parametrize("status", [404, 409, 422])
def test_who_was_changed_meanwhile_is_judged_again_later(status: int) -> None:
    assert not write(Server(error=ClusterError(status, "No", "no")))


def test_another_failure_is_tried_again() -> None:
    with pytest.raises(ClusterError):
        write(Server(error=ClusterError(500, "Internal", "no")))
