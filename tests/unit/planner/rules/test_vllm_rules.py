"""Every rule of vLLM at its boundary, and on both sides of its range of versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from qwen3_planner.engines.versions import Version, parse_version, ruling_at
from qwen3_planner.engines.vllm.semantics import FP8_MOE_REFINES_BLOCKS
from qwen3_planner.request import EngineName, KvCacheDtype
from qwen3_planner.rules.chains import turning_points
from qwen3_planner.rules.quantized import kernels_of
from qwen3_planner.rules.rule import FIRST, Rule, first_refusal, sentences
from qwen3_planner.rules.vllm import VLLM_POOL_CHAIN
from qwen3_planner.rules.vllm_layouts import VLLM_CAUTIONS, VLLM_CHAIN
from support.planner_builders import AWQ, FP8_BLOCKS, GPTQ, a_model
from support.rule_cases import (
    CASES,
    DENSE,
    FP8_CHANNEL,
    FP8_STATIC,
    INT8,
    LARGE,
    MOE,
    MXFP4,
    NVFP4,
    facts_of,
)

if TYPE_CHECKING:
    from qwen3_planner.sizing.formats import WeightFormat

RELEASES_TEXT = """
0.8.4 0.8.5 0.8.5.post1 0.9.0 0.9.1 0.9.2 0.10.0 0.10.1 0.10.2 0.11.0 0.11.1
0.11.2 0.12.0 0.13.0 0.14.0 0.14.1 0.16.0 0.17.0 0.17.1 0.18.0 0.18.1 0.19.0
0.19.1 0.20.0 0.20.1 0.20.2 0.21.0 0.22.0 0.22.1 0.23.0 0.24.0 0.25.0 0.25.1
0.26.0 0.27.0 0.27.1 0.28.0 0.29.0 0.30.0 0.31.0 0.32.0 0.33.0
"""

RELEASES = [parse_version(typed) for typed in RELEASES_TEXT.split()]
"""Releases on PyPI whose source was read."""

RULES: list[Rule[Any]] = [*VLLM_POOL_CHAIN, *VLLM_CHAIN, *VLLM_CAUTIONS]

IDS = [f"{rule.name}-{rule.check.__name__}" for rule in RULES]


def version_in_force(rule: Rule[Any]) -> Version:
    """Return the newest release that a rule holds for."""
    return [release for release in RELEASES if rule.is_in_force(release)][-1]


def speaks(rule: Rule[Any], version: Version, fields: dict[str, Any]) -> bool:
    return bool(sentences([rule], facts_of(str(version), {**fields, "version": str(version)})))


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_a_rule_speaks_of_its_case_and_not_of_what_lies_beside(rule: Rule[Any]) -> None:
    case = CASES[rule.check.__name__]
    version = parse_version(case.refused.get("version", str(version_in_force(rule))))
    assert speaks(rule, version, case.refused)
    assert not speaks(rule, version, {**case.refused, **case.accepted})


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_a_rule_holds_from_its_first_release_until_the_one_that_lifts_it(rule: Rule[Any]) -> None:
    case = CASES[rule.check.__name__]
    if "version" in case.refused:
        pytest.skip("its bounds change with the version: a test of their own below")
    spoken = [release for release in RELEASES if speaks(rule, release, case.refused)]
    in_force = [release for release in RELEASES if rule.is_in_force(release)]
    assert spoken == in_force != []
    if rule.since > FIRST:
        assert rule.since in RELEASES
    if rule.until is not None:
        assert rule.until in RELEASES or rule.until == Version(0, 8, 5)


def least_capability(model: str, fmt: WeightFormat, version: str) -> str | None:
    needed = [
        ruling_at(table, parse_version(version)).value for table in kernels_of(fmt, a_model(model))
    ]
    if None in needed:
        return None
    major, minor = max(bound for bound in needed if bound is not None)
    return f"{major}.{minor}"


@pytest.mark.parametrize(
    ("model", "fmt", "since"),
    [
        (DENSE, FP8_BLOCKS, {"0.8.5": "8.9", "0.9.0": "8.0", "0.13.0": "8.0", "0.14.0": "7.5"}),
        (MOE, FP8_BLOCKS, {"0.8.5": "8.9", "0.9.0": "8.0", "0.13.0": "8.0", "0.14.0": "7.5"}),
        (DENSE, FP8_CHANNEL, {"0.8.5": "8.0", "0.14.1": "8.0", "0.16.0": "7.5"}),
        (MOE, FP8_CHANNEL, {"0.8.5": "8.9", "0.9.0": "8.0", "0.14.1": "8.0", "0.16.0": "7.5"}),
        (DENSE, FP8_STATIC, {"0.8.5": "8.9", "0.26.0": "8.9", "0.27.0": "8.0"}),
        (DENSE, INT8, {"0.8.5": "7.5", "0.33.0": "7.5"}),
        (MOE, INT8, {"0.8.5": None, "0.9.0": "7.5"}),
        (DENSE, AWQ, {"0.8.5": "7.5", "0.33.0": "7.5"}),
        (DENSE, GPTQ, {"0.8.5": "6.0", "0.33.0": "6.0"}),
        (MOE, GPTQ, {"0.8.5": "7.0", "0.33.0": "7.0"}),
        (LARGE, NVFP4, {"0.8.5": "10.0", "0.9.0": "8.0", "0.13.0": "8.0", "0.14.0": "7.5"}),
        (DENSE, MXFP4, {"0.13.0": None, "0.14.0": "8.0", "0.33.0": "8.0"}),
        (MOE, MXFP4, {"0.14.1": None, "0.16.0": "8.0", "0.33.0": "8.0"}),
    ],
)
def test_kernels_of_a_format_come_with_a_release(
    model: str, fmt: WeightFormat, since: dict[str, str | None]
) -> None:
    assert {version: least_capability(model, fmt, version) for version in since} == since


@pytest.mark.parametrize(
    ("version", "accelerator", "rule"),
    [
        ("0.8.5", "A100-SXM-80GB", "ComputeCapability"),
        ("0.8.5", "L4-24GB", None),
        ("0.9.0", "A100-SXM-80GB", None),
        ("0.9.0", "T4-16GB", "ComputeCapability"),
        ("0.14.0", "T4-16GB", None),
        ("0.14.0", "V100-SXM-16GB", "ComputeCapability"),
        ("0.33.0", "MI300X-192GB", None),
    ],
)
def test_fp8_blocks_run_on_older_gpus_with_each_release(
    version: str, accelerator: str, rule: str | None
) -> None:
    facts = facts_of(version, {"model": MOE, "fmt": FP8_BLOCKS, "accelerator": accelerator})
    no = first_refusal(VLLM_POOL_CHAIN, facts)
    assert (None if no is None else no.rule) == rule


def test_int8_weights_have_no_kernels_on_blackwell() -> None:
    def verdict(accelerator: str) -> str | None:
        facts = facts_of("0.32.0", {"model": DENSE, "fmt": INT8, "accelerator": accelerator})
        no = first_refusal(VLLM_POOL_CHAIN, facts)
        return None if no is None else no.rule

    assert verdict("H100-SXM-80GB") is None
    assert verdict("B200-SXM-180GB") == "ComputeCapability"
    assert verdict("RTX-5090-32GB") == "ComputeCapability"


def test_fp4_weights_need_an_nvidia_gpu() -> None:
    facts = facts_of("0.32.0", {"model": DENSE, "fmt": NVFP4, "accelerator": "MI300X-192GB"})
    no = first_refusal(VLLM_POOL_CHAIN, facts)
    assert no is not None
    assert no.rule == "ComputeCapability"


@pytest.mark.parametrize(
    ("version", "taken"),
    [
        ("0.10.2", ["T4-16GB", "A10-24GB", "L4-24GB", "H100-SXM-80GB"]),
        ("0.11.0", ["L4-24GB", "H100-SXM-80GB"]),
        ("0.11.1", ["A10-24GB", "L4-24GB", "H100-SXM-80GB"]),
        ("0.33.0", ["A10-24GB", "L4-24GB", "H100-SXM-80GB"]),
    ],
)
def test_an_fp8_cache_is_read_where_that_release_has_a_backend(
    version: str, taken: list[str]
) -> None:
    gpus = ["T4-16GB", "A10-24GB", "L4-24GB", "H100-SXM-80GB"]
    fields = {"model": DENSE, "kv_cache_dtype": KvCacheDtype.FP8, "fmt": AWQ}
    verdicts = {
        gpu: first_refusal(VLLM_POOL_CHAIN, facts_of(version, {**fields, "accelerator": gpu}))
        for gpu in gpus
    }
    assert [gpu for gpu, no in verdicts.items() if no is None] == taken
    assert {no.rule for no in verdicts.values() if no} <= {"Fp8KvCacheCapability"}


def test_memory_and_legality_agree_on_when_scales_are_refined() -> None:
    (rule,) = [one for one in VLLM_CAUTIONS if one.name == "Fp8ScalesRefined"]
    for release in RELEASES:
        assert ruling_at(FP8_MOE_REFINES_BLOCKS, release).value is rule.is_in_force(release)


def test_where_a_newer_release_begins_to_serve_is_a_turning_point() -> None:
    points = turning_points(EngineName.VLLM)
    assert list(points) == sorted(set(points))
    assert {Version(0, 29), Version(0, 10, 2), Version(0, 14), Version(0, 8, 5)} <= set(points)
    assert FIRST not in points
