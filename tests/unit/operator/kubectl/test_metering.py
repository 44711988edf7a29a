"""Engines are asked twice for what they count; who does not answer holds up nobody."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from qwen3_operator.cluster.requests import Api
from qwen3_operator.errors import ClusterError
from qwen3_operator.kubectl import metering
from qwen3_operator.kubectl.load import Load, Reading, load_of
from qwen3_operator.kubectl.looking import View
from qwen3_operator.observed import Key
from support.values import amount, pod

KEY = Key("team-a", "runs")
OVER_S = 0.2

BODY: dict[str, Any] = {
    "metadata": {"namespace": "team-a", "name": "runs"},
    "spec": {"model": {"variant": "Qwen3-32B"}},
    "status": {"plan": {"engine": {"name": "vllm", "version": "0.32.0"}}},
}


def exposition(tokens: int, running: int = 2, kv_name: str = "vllm:kv_cache_usage_perc") -> str:
    return (
        "# TYPE vllm:num_requests_running gauge\n"
        f'vllm:num_requests_running{{engine="0"}} {running}\n'
        "# TYPE vllm:num_requests_waiting gauge\n"
        'vllm:num_requests_waiting{engine="0"} 1\n'
        f"# TYPE {kv_name} gauge\n"
        f'{kv_name}{{engine="0"}} 0.5\n'
        "# TYPE vllm:generation_tokens counter\n"
        f'vllm:generation_tokens_total{{engine="0"}} {tokens}\n'
        f'vllm:generation_tokens_total{{engine="1"}} {tokens}\n'
    )


class Pods(Api):
    """What pods answer through the API server, one text after the other."""

    def __init__(self, **answers: list[str | Exception | None]) -> None:
        self.server = "https://cluster"
        self._answers = answers
        self.asked: list[str] = []

    async def text(self, path: str) -> str:
        self.asked.append(path)
        answer = self._answers[path.split("/")[6].partition(":")[0]].pop(0)
        if answer is None:
            await asyncio.sleep(60)
        if isinstance(answer, Exception):
            raise answer
        return str(answer)


def measured(api: Pods, *names: str, **fields: Any) -> Load:  # noqa: ANN401 - fields of a Pod
    told = {"owner": "runs", "namespace": "team-a", "node": "h100-0"}
    pods = tuple(
        replace(pod(name, amount(2), **told), **{"ready": True, **fields}) for name in names
    )
    found = asyncio.run(metering.measure(api, View((BODY,), (), pods), OVER_S))
    return found.get(KEY, Load(0, 0))


def test_tokens_are_what_was_counted_between_two_looks_by_all_that_tell() -> None:
    api = Pods(
        a=[exposition(1000), exposition(1100)],
        b=[exposition(5000), exposition(5000, 0, "vllm:gpu_cache_usage_perc")],
    )

    load = measured(api, "a", "b")

    assert api.asked[0] == "/api/v1/namespaces/team-a/pods/a:8000/proxy/metrics"
    assert 0.8 * 200 / OVER_S < load.tokens_per_s <= 200 / OVER_S
    assert (load.engines, load.told, load.running, load.waiting) == (2, 2, 2, 2)
    assert (load.kv_cache, load.problem) == (0.5, "")


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ([ClusterError(403, "Forbidden", "you may not get pods/proxy")], "you may not"),
        ([None], "no answer within 0.1 s"),
        (["<html>"], "something else than metrics"),
        (["up 1\n"], "not an engine's"),
        ([exposition(9), ClusterError(503, "", "error trying to reach service")], "error trying"),
        ([exposition(9), exposition(3)], "started anew"),
    ],
)
def test_who_does_not_tell_is_named_and_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch, answers: list[str | Exception | None], problem: str
) -> None:
    monkeypatch.setattr(metering, "LOOK_S", 0.1)
    api = Pods(a=[exposition(1000), exposition(1100)], b=answers)

    load = measured(api, "a", "b")

    assert (load.engines, load.told) == (2, 1)
    assert load.tokens_per_s > 0
    assert problem in load.problem


@pytest.mark.parametrize("fields", [{"ready": False}, {"terminating": True}, {"rank": 1}])
def test_who_has_no_server_that_answers_is_not_asked(fields: dict[str, Any]) -> None:
    api = Pods()

    assert measured(api, "a", **fields) == Load(0, 0)
    assert api.asked == []


def test_two_looks_at_once_are_no_speed() -> None:
    look = Reading(1.0, 10, 0, 0, None)

    assert load_of([(look, look)]).told == 0
