"""The engine's own settings on the command line: they reach the command and the memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

Run: TypeAlias = "Callable[..., tuple[int, str, str]]"

ASKED = ("plan", "Qwen3-32B", "--hardware", "2xH100-SXM-80GB", "--engine-version", "0.32.0")
FIXED = ("--tensor", "2", "-o", "json")


@pytest.mark.parametrize(
    ("typed", "rendered"),
    [
        (("--enforce-eager",), ["--enforce-eager"]),
        (("--cpu-offload-gb", "4"), ["--cpu-offload-gb", "4"]),
        (("--kv-cache-memory-bytes", "20000000000"), ["--kv-cache-memory-bytes", "20000000000"]),
        (
            ("--max-loras", "2", "--max-lora-rank", "32"),
            ["--enable-lora", "--max-loras", "2", "--max-lora-rank", "32"],
        ),
    ],
)
def test_a_setting_of_the_engine_is_in_its_command(
    qwen3: Run, typed: tuple[str, ...], rendered: list[str]
) -> None:
    status, out, err = qwen3(*ASKED, *typed, *FIXED)

    arguments = json.loads(out)["command"]
    assert (status, err) == (0, "")
    at = arguments.index(rendered[0])
    assert arguments[at : at + len(rendered)] == rendered


def test_a_draft_model_is_named_by_its_variant_and_takes_memory(qwen3: Run) -> None:
    _, plain, _ = qwen3(*ASKED, *FIXED)
    status, out, _ = qwen3(*ASKED, "--draft-model", "Qwen3-0.6B", "--draft-tokens", "4", *FIXED)

    document = json.loads(out)
    arguments = document["command"]
    speculation = json.loads(arguments[arguments.index("--speculative-config") + 1])
    assert status == 0
    assert speculation["model"].endswith("Qwen3-0.6B")
    assert speculation["num_speculative_tokens"] == 4
    pool = document["memory"]["kvCacheTokens"]
    assert pool < json.loads(plain)["memory"]["kvCacheTokens"]


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (("--draft-tokens", "4"), "--draft-tokens"),
        (("--draft-model", "Qwen3-7B"), "--draft-model"),
        (("--max-lora-rank", "16"), "--max-lora-rank"),
        (("--cpu-offload-gb", "-1"), "--cpu-offload-gb"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(
    qwen3: Run, typed: tuple[str, ...], named: str
) -> None:
    status, out, err = qwen3(*ASKED, *typed, *FIXED)

    assert (status, out) == (2, "")
    assert named in err


@pytest.mark.parametrize(("version", "status"), [("0.11.0", 2), ("0.11.1", 0), ("0.32.0", 0)])
def test_slots_of_rank_one_came_with_a_release(qwen3: Run, version: str, status: int) -> None:
    loras = ("--max-loras", "2", "--max-lora-rank", "1", "--engine-version", version)
    found, out, err = qwen3(*ASKED, *loras, *FIXED)

    assert found == status, err
    assert ("--max-lora-rank 1" in out.replace('",\n    "', " ")) is (status == 0)
    assert ("--max-lora-rank" in err) is (status == 2)


def test_a_rank_that_no_slot_has_is_named_with_the_nearest_first(qwen3: Run) -> None:
    status, _, err = qwen3(*ASKED, "--max-loras", "2", "--max-lora-rank", "100", *FIXED)

    assert status == 2
    assert "128, 64" in err
