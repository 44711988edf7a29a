from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Qwen3 = Callable[..., tuple[int, str, str]]


def test_any_hardware_is_answered_with_a_list_and_the_plan_on_its_first(qwen3: Qwen3) -> None:
    status, out, err = qwen3("plan", "Qwen3-32B", "--hardware", "any", "--quantization", "bf16")
    assert (status, err) == (0, "")
    blocks = out.split("\n\n")
    assert blocks[1].startswith("Hardware that holds it\n")
    first = blocks[1].splitlines()[2].split()[0]
    count, _, product = first.partition("x")
    assert f"on {count} x {product}" in out.splitlines()[0]
    assert max(map(len, blocks[1].splitlines())) <= 80


def test_the_document_lists_the_hardware(qwen3: Qwen3) -> None:
    status, out, _ = qwen3("plan", "Qwen3-8B", "--hardware", "any", "-o", "json")
    document = json.loads(out)
    assert status == 0
    offers = document["hardware"]
    assert offers[0]["quantization"] == document["quantization"]
    assert offers[0]["kvCacheTokens"] == document["memory"]["kvCacheTokens"]
    assert all(offer["deviceBytes"] > 0 for offer in offers)


def test_one_hardware_is_planned_without_a_list(qwen3: Qwen3) -> None:
    _, text, _ = qwen3("plan", "Qwen3-8B", "--hardware", "1xL40S-48GB")
    _, document, _ = qwen3("plan", "Qwen3-8B", "--hardware", "1xL40S-48GB", "-o", "json")
    assert "Hardware that holds it" not in text
    assert "hardware" not in json.loads(document)


def test_several_are_alternatives_not_one_cluster(qwen3: Qwen3) -> None:
    status, out, _ = qwen3(
        "plan", "Qwen3-32B", "--quantization", "bf16", "--hardware", "1xL40S-48GB",
        "--hardware", "4xL40S-48GB", "--hardware", "2xH100-SXM-80GB",
    )  # fmt: skip
    assert status == 0
    listed = out.split("\n\n")[1]
    assert "2xH100-SXM-80GB" in listed
    assert "4xL40S-48GB" in listed
    assert "1xL40S-48GB" not in listed


def test_the_sums_are_those_of_the_first(qwen3: Qwen3) -> None:
    _, out, _ = qwen3("plan", "Qwen3-8B", "--hardware", "any", "--explain", "-o", "json")
    document = json.loads(out)
    rank = document["explanation"]["rank"]
    gpu = document["memory"]["perGpu"][rank]
    assert document["explanation"]["budget"]["bytes"] == gpu["budgetBytes"]


def test_any_and_a_name_contradict(qwen3: Qwen3) -> None:
    status, out, err = qwen3("plan", "Qwen3-8B", "--hardware", "any", "--hardware", "1xL4")
    assert (status, out) == (2, "")
    assert err.startswith("error: --hardware: any: any hardware includes the others")


def test_an_upgrade_is_checked_on_hardware_that_is_there(qwen3: Qwen3) -> None:
    status, _, err = qwen3("upgrade-check", "Qwen3-8B", "--hardware", "any", "--from", "0.11")
    assert status == 2
    assert err.startswith("error: --hardware: any: name the hardware")
