from __future__ import annotations

import pytest

from qwen3_planner.engines.versions import Version, build
from qwen3_planner.request import EngineName
from qwen3_planner.upgrading.flags import flag_of, flags_gone, words_that_differ


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("--swap-space", "--swap-space"),
        ("--swap-space=4", "--swap-space"),
        ("--swap_space=4", "--swap-space"),
        ("--hf-overrides.rope_theta=1", "--hf-overrides"),
    ],
)
def test_a_flag_is_known_however_it_is_spelt(word: str, name: str) -> None:
    assert flag_of(word) == name


def test_a_flag_is_told_once() -> None:
    words = ("--swap-space", "4", "--swap_space=4")
    assert len(flags_gone(EngineName.VLLM, words, Version(0, 32), "extraArgs")) == 1


def test_values_and_short_flags_are_no_flags() -> None:
    words = ("vllm", "serve", "Qwen/Qwen3-8B", "-tp", "2", "--max-model-len", "4096")
    assert flags_gone(EngineName.VLLM, words, Version(0, 32), "command") == ()


def test_a_flag_that_never_was_is_told_without_a_version() -> None:
    (gone,) = flags_gone(EngineName.VLLM, ("--spawn-space",), Version(0, 32), "extraArgs")
    assert (gone.since, gone.instead) == ("", "")


def test_sglangs_flags_are_known_too() -> None:
    words = ("--cuda-graph-bs", "1", "2", "--tp-size", "2", "--enable-ep-moe")
    gone = flags_gone(EngineName.SGLANG, words, Version(0, 5, 23), "extraArgs")
    assert [(flag.flag, flag.since, flag.instead) for flag in gone] == [
        ("--cuda-graph-bs", "0.5.20", "--cuda-graph-bs-decode"),
        ("--enable-ep-moe", "0.5.3", "--ep-size"),
    ]


def test_a_flag_that_is_still_to_come_has_not_gone() -> None:
    (flag,) = flags_gone(EngineName.SGLANG, ("--nsa-prefill",), Version(0, 5, 2), "extraArgs")
    assert flag.since == ""


def test_an_engine_whose_parsers_are_not_listed_is_left_alone() -> None:
    assert flags_gone(EngineName.LLAMACPP, ("--nonsense",), build(11549), "extraArgs") == ()


def test_options_are_compared_with_their_values() -> None:
    before = ("vllm", "serve", "m", "--a", "1", "--eager", "--b", "2")
    after = ("vllm", "serve", "m", "--b", "2", "--a", "3")
    assert words_that_differ(before, after) == (("--a 1", "--eager"), ("--a 3",))
