"""What becomes of a resource follows from how it stood before and stands after."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qwen3_operator.kubectl.outcomes import (
    Change,
    Effect,
    Evicted,
    Standing,
    changes,
    document,
    standing_of,
)
from qwen3_operator.kubectl.whatif_text import to_text
from qwen3_operator.observed import Key

KEY = Key("ns", "m")
RUNS = Standing(
    wanted=2, running=2, nodes=("a", "b"), reason="Ready", message="", is_ready=True,
    has_plan=True, plan="fp8, tp4, 4x H100-SXM-80GB",
)  # fmt: skip
WAITS = replace(
    RUNS, running=0, nodes=(), reason="InsufficientGPU", message="They wait.", is_ready=False
)


def one(before: Standing | None, after: Standing) -> Change:
    (found,) = changes({KEY: before} if before else {}, {KEY: after})
    return found


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        pytest.param(RUNS, RUNS, Effect.UNCHANGED, id="as before"),
        pytest.param(RUNS, replace(RUNS, nodes=("a", "c")), Effect.MOVES, id="elsewhere"),
        pytest.param(RUNS, replace(RUNS, running=1, nodes=("a",)), Effect.LOSES, id="one less"),
        pytest.param(WAITS, RUNS, Effect.STARTS, id="room"),
        pytest.param(None, RUNS, Effect.STARTS, id="new"),
        pytest.param(None, WAITS, Effect.WAITS, id="new and late"),
        pytest.param(WAITS, WAITS, Effect.WAITS, id="no room"),
        pytest.param(None, replace(WAITS, has_plan=False), Effect.NO_PLAN, id="does not fit"),
        pytest.param(
            RUNS, replace(WAITS, wanted=0, reason="Suspended"), Effect.UNCHANGED, id="on purpose"
        ),
    ],
)
def test_every_outcome_has_its_word(
    before: Standing | None, after: Standing, effect: Effect
) -> None:
    assert one(before, after).effect is effect


def test_the_worst_comes_first() -> None:
    before = {Key("ns", "a"): RUNS, Key("ns", "b"): RUNS}
    after = {Key("ns", "a"): RUNS, Key("ns", "b"): WAITS}

    assert [change.key.name for change in changes(before, after)] == ["b", "a"]


def test_a_resource_stands_as_its_status_and_its_pods_say() -> None:
    body: dict[str, Any] = {
        "metadata": {"namespace": "ns", "name": "m"},
        "spec": {"replicas": 2},
        "status": {
            "layout": "tp8 pp2",
            "gpu": "16x H100",
            "plan": {"feasible": True, "quantization": "fp8", "layout": {"nodesPerReplica": 2}},
            "conditions": [
                {"type": "Ready", "status": "False", "reason": "ModelLoading", "message": "…"},
                {"type": "PlanFeasible", "status": "True", "reason": "PlanComputed"},
            ],
        },
    }
    labels = {"serving.qwen3.dev/deployment": "m"}

    def pod(node: str | None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        metadata = {"namespace": "ns", "name": "p", "labels": labels}
        return {"metadata": metadata, "spec": {"nodeName": node} if node else {}} | more

    pods = [pod("b"), pod("a"), pod(None), pod("c", status={"phase": "Failed"})]

    found = standing_of(body, pods)

    assert (found.wanted, found.running, found.nodes) == (2, 1, ("a", "b"))
    assert (found.reason, found.is_ready, found.has_plan) == ("ModelLoading", False, True)
    assert found.plan == "fp8, tp8 pp2, 16x H100"


EVICTED = Evicted("other", "trainer", "h100-0", 4, "")


def test_the_text_says_who_is_displaced_who_starts_and_who_waits() -> None:
    before = {Key("ns", "a"): RUNS, Key("ns", "b"): RUNS, Key("ns", "c"): WAITS}
    after = {
        Key("ns", "a"): replace(WAITS, running=1, nodes=("a",)),
        Key("ns", "b"): replace(RUNS, nodes=("a", "c")),
        Key("ns", "c"): RUNS,
        Key("ns", "d"): WAITS,
        Key("ns", "e"): replace(WAITS, has_plan=False, reason="NotEnoughGPUs"),
    }

    text = to_text(
        [("drain", "h100-0"), ("add", "8xH100-SXM-80GB")],
        changes(before, after),
        [EVICTED],
        ["Added: a node."],
    )

    assert text == (
        "What if: drain h100-0, add 8xH100-SXM-80GB\n"
        "\n"
        "Displaced\n"
        "  ns/a: 1 of 2 replicas left, 2 ran; b -> no node\n"
        "      InsufficientGPU: They wait.\n"
        "  ns/b: 2 of 2 replicas go on; b -> c\n"
        "\n"
        "Starts running\n"
        "  ns/c: 2 of 2 replicas on a, b (fp8, tp4, 4x H100-SXM-80GB)\n"
        "\n"
        "Waits\n"
        "  ns/d: 0 of 2 replicas run (fp8, tp4, 4x H100-SXM-80GB)\n"
        "      InsufficientGPU: They wait.\n"
        "\n"
        "No plan\n"
        "  ns/e: 0 of 2 replicas run\n"
        "      NotEnoughGPUs: They wait.\n"
        "\n"
        "Pods of others\n"
        "  other/trainer on h100-0, 4 GPUs: finds no node\n"
        "\n"
        "Note: Added: a node.\n"
    )


def test_where_nothing_changes_that_is_said() -> None:
    text = to_text([("add", "1xL4")], [one(RUNS, RUNS)], (), ())

    assert "Nothing changes for any model." in text


def test_the_document_has_before_and_after() -> None:
    found = document([("drain", "n")], [one(RUNS, WAITS)], [EVICTED], ["Note."])

    (resource,) = found["resources"]
    assert found["schema"] == "whatif/v1"
    assert (resource["effect"], resource["before"]["running"]) == ("loses", 2)
    assert resource["after"]["reason"] == "InsufficientGPU"
    assert "comesBackOn" not in found["evicted"][0]
