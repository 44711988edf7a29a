"""What keeps LoRA adapters from the pods, told with what would help."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_operator.decisions.adapters import object_to_adapters
from qwen3_operator.decisions.failures import explain_pod
from qwen3_operator.observed import Pod
from qwen3_planner.api.reasons import Reason

POD = Pod("u", "ns", "p", None, "n", requests=None, problem="CrashLoopBackOff")  # type: ignore[arg-type]  # no matter here


def test_nothing_speaks_against_adapters_that_can_be_brought() -> None:
    assert object_to_adapters((), ("hf://t/a",), is_offline=False) is None
    assert object_to_adapters((), (), is_offline=True) is None


def test_claims_that_do_not_exist_are_named() -> None:
    verdict = object_to_adapters(("tuned", "more"), (), is_offline=False)
    assert verdict is not None
    assert verdict.reason is Reason.CLAIM_NOT_FOUND
    assert "tuned, more" in verdict.message
    assert "Create it" in verdict.message


def test_offline_no_hub_is_asked_for_adapters() -> None:
    verdict = object_to_adapters((), ("hf://t/a", "hf://t/b"), is_offline=True)
    assert verdict is not None
    assert verdict.reason is Reason.HUB_OFFLINE
    assert "hf://t/a, hf://t/b" in verdict.message


@pytest.mark.parametrize(
    ("message", "reason", "told"),
    [
        ("exit code 41: t/a: 401.", Reason.MODEL_SOURCE_UNAUTHORIZED, "tokenSecretRef"),
        ("exit code 42: t/a: 404.", Reason.MODEL_SOURCE_NOT_FOUND, "spec.lora.adapters"),
        ("exit code 43: the volume is full.", Reason.MODEL_TRANSFER_OUT_OF_SPACE, "ephemeral"),
        ("exit code 44: hub: timeout.", Reason.MODEL_SOURCE_UNREACHABLE, "proxy"),
        ("exit code 45: damaged.", Reason.DOWNLOAD_FAILED, "again by itself"),
        ("exit code 46: a: its rank is 64.", Reason.ADAPTER_UNUSABLE, "a: its rank is 64."),
        ("exit code 46", Reason.ADAPTER_UNUSABLE, "An adapter could not be brought."),
    ],
)
def test_an_init_container_that_gave_up_is_no_crash_of_the_engine(
    message: str, reason: Reason, told: str
) -> None:
    explained = explain_pod(replace(POD, problem_message=message))
    assert explained is not None
    assert explained[1].reason is reason
    assert told in explained[1].message


@pytest.mark.parametrize("message", ["exit code 1: ValueError: 46", "exit code 146", ""])
def test_an_engine_that_ends_is_a_crash(message: str) -> None:
    explained = explain_pod(replace(POD, problem_message=message))
    assert explained is not None
    assert explained[1].reason is Reason.CONTAINER_CRASH_LOOP_BACK_OFF
