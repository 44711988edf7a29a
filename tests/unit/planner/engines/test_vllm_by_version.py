"""What vLLM does by version, as its releases say."""

from __future__ import annotations

from itertools import pairwise

import pytest

from qwen3_planner.engines.versions import Ruling, Version, parse_version
from qwen3_planner.engines.vllm import batches, capture, methods, profiling, runners, semantics
from qwen3_planner.engines.vllm.flags import REPLACED_BY, flag_ranges, takes
from qwen3_planner.engines.vllm.methods import knows_method
from qwen3_planner.engines.vllm.runners import Runner, Trait, runner_at
from qwen3_planner.engines.vllm.semantics import (
    default_batch,
    semantics_at,
    traits_of,
)
from qwen3_planner.units import GIB
from support.planner_builders import a_model

TABLES = (batches, capture, methods, profiling, runners, semantics)
PLAIN: frozenset[Trait] = frozenset()


def at(text: str) -> Version:
    return parse_version(text)


def rulings() -> list[tuple[str, tuple[Ruling[object], ...]]]:
    found = []
    for module in TABLES:
        values = {name: value for name, value in vars(module).items() if name.isupper()}
        for name, value in values.items():
            tables = value.values() if isinstance(value, dict) else (value,)
            found += [(f"{module.__name__}.{name}", table) for table in tables]
    return [
        (name, table)
        for name, table in found
        if isinstance(table, tuple) and table and isinstance(table[0], Ruling)
    ]


@pytest.mark.parametrize(("name", "table"), rulings(), ids=[name for name, _ in rulings()])
def test_every_ruling_is_sourced_and_in_order(name: str, table: tuple[Ruling[object], ...]) -> None:
    starts = [ruling.since for ruling in table]
    assert starts == sorted(set(starts)), name
    assert all(ruling.source and ruling.confidence in "ABC" for ruling in table)
    assert all(before.value != after.value for before, after in pairwise(table))
    named = [r for r in table[1:] if r.confidence == "A" and r.source.startswith("PyPI vllm ")]
    for ruling in named:  # a release that first behaves so is the release that was read
        assert ruling.source.split()[2] == str(ruling.since)


def test_there_are_rulings_to_look_at() -> None:
    assert len(rulings()) >= 20


@pytest.mark.parametrize(
    ("version", "traits", "runner"),
    [
        ("0.21.0", PLAIN, Runner.V1),
        ("0.22.0", PLAIN, Runner.V2),
        ("0.23.0", frozenset((Trait.QUANTIZED,)), Runner.V1),
        ("0.24.0", frozenset((Trait.QUANTIZED,)), Runner.V2),
        ("0.24.0", frozenset((Trait.VISION,)), Runner.V1),
        ("0.25.0", frozenset((Trait.VISION,)), Runner.V2),
        ("0.28.0", frozenset((Trait.MOE,)), Runner.V1),
        ("0.28.0", frozenset((Trait.POOLING,)), Runner.V1),
        ("0.29.0", frozenset((Trait.MOE, Trait.QUANTIZED)), Runner.V2),
        ("0.29.0", frozenset((Trait.HYBRID, Trait.MOE)), Runner.V2),
        ("0.29.0", frozenset((Trait.DRAFT,)), Runner.V1),
        ("0.30.0", frozenset((Trait.DRAFT,)), Runner.V2),
    ],
)
def test_a_class_of_model_changes_runner_with_its_release(
    version: str, traits: frozenset[Trait], runner: Runner
) -> None:
    assert runner_at(at(version), traits) is runner


def test_traits_are_read_off_the_model() -> None:
    assert traits_of(a_model("Qwen3-8B"), is_quantized=False) == PLAIN
    experts = traits_of(a_model("Qwen3-30B-A3B"), is_quantized=True, has_draft=True)
    assert experts == {Trait.MOE, Trait.QUANTIZED, Trait.DRAFT}


@pytest.mark.parametrize(
    ("version", "gib", "product", "capability", "batch"),
    [
        ("0.8.4", 79, "H100-SXM-80GB", (9, 0), (8192, 1024)),
        ("0.8.4", 192, "MI300X-192GB", None, (2048, 256)),
        ("0.8.5", 79, "A100-SXM-80GB", (8, 0), (8192, 1024)),
        ("0.9.0", 79, "A100-SXM-80GB", (8, 0), (2048, 256)),
        ("0.27.1", 178, "B200-SXM-180GB", (10, 0), (8192, 1024)),
        ("0.28.0", 178, "B200-SXM-180GB", (10, 0), (16384, 1024)),
        ("0.32.0", 119, "GB10-128GB", (12, 1), (8192, 1024)),
        ("0.33.0", 119, "GB10-128GB", (12, 1), (2048, 256)),
        ("0.33.0", 95, "RTX-PRO-6000-96GB", (12, 0), (8192, 1024)),
    ],
)
def test_scheduler_sizes_follow_device_and_release(
    version: str,
    gib: int,
    product: str,
    capability: tuple[int, int] | None,
    batch: tuple[int, int],
) -> None:
    found = default_batch(semantics_at(at(version)), gib * GIB, product, capability)
    assert found == batch


@pytest.mark.parametrize(
    ("version", "traits", "utilization", "graphs", "bytes_per_logit"),
    [
        ("0.16.0", PLAIN, 0.9, False, 38),
        ("0.17.0", PLAIN, 0.9, False, 14),
        ("0.19.1", PLAIN, 0.9, False, 14),
        ("0.20.0", PLAIN, 0.92, True, 14),
        ("0.28.0", PLAIN, 0.92, False, 2),
        ("0.29.0", PLAIN, 0.92, True, 2),
        ("0.33.0", PLAIN, 0.92, True, 14),
        ("0.28.0", frozenset((Trait.MOE,)), 0.92, True, 14),
    ],
)
def test_the_budget_follows_runner_and_release(
    version: str,
    traits: frozenset[Trait],
    utilization: float,
    *,
    graphs: bool,
    bytes_per_logit: int,
) -> None:
    found = semantics_at(at(version), traits)
    assert found.utilization == utilization
    assert found.graphs_in_budget is graphs
    assert found.sampler_bytes == bytes_per_logit


def test_memory_that_cannot_be_given_back_counts_for_four_releases() -> None:
    versions = ("0.26.0", "0.27.0", "0.30.0", "0.31.0")
    assert [semantics_at(at(v)).pinned_count for v in versions] == [False, True, True, False]


def test_what_is_allocated_before_profiling_counts_from_0_27_on() -> None:
    versions = ("0.22.0", "0.26.0", "0.27.0", "0.33.0")
    found = [semantics_at(at(v)).consumption_counts for v in versions]
    assert found == [False, False, True, True]


def test_flashinfer_may_sample_in_the_first_runner_of_some_releases() -> None:
    versions = ("0.8.5", "0.9.0", "0.11.0", "0.11.1", "0.33.0")
    found = [semantics_at(at(v)).flashinfer_bytes for v in versions]
    assert found == [None, 14, 14, None, None]


@pytest.mark.parametrize(
    ("flag", "since", "until"),
    [
        ("--tensor-parallel-size", "0.8.5", None),
        ("--enable-expert-parallel", "0.8.5", None),
        ("--rope-scaling", "0.8.5", "0.11.1"),
        ("--nnodes", "0.11.1", None),
        ("--kv-cache-memory-bytes", "0.10.2", None),
        ("--swap-space", "0.8.5", "0.18.0"),
        ("--cuda-graph-sizes", "0.9.0", "0.13.0"),
        ("--shutdown-timeout", "0.18.0", None),
        ("--enable-reasoning", "0.8.5", "0.10.0"),
        ("--task", "0.8.5", "0.13.0"),
    ],
)
def test_a_flag_is_taken_from_one_release_until_another(
    flag: str, since: str, until: str | None
) -> None:
    assert str(flag_ranges()[flag].since) == since
    assert takes(flag, at(since))
    if until is None:
        assert takes(flag, at("0.33.0"))
    else:
        assert not takes(flag, at(until))


def test_a_name_that_no_release_takes_is_not_taken() -> None:
    assert not takes("--tensor-paralel-size", at("0.32.0"))
    assert not takes("--no-rope-scaling", at("0.32.0"))


def test_what_replaces_a_flag_is_known_and_newer() -> None:
    for gone, instead in REPLACED_BY.items():
        old, new = flag_ranges()[gone], instead.split()[0].replace("--no-", "--")
        assert old.until is not None
        assert takes(new, max(old.until, at("0.33.0"))), instead


def test_quantization_methods_come_and_go() -> None:
    assert [knows_method("gguf", at(v)) for v in ("0.23.0", "0.24.0")] == [True, False]
    assert [knows_method("mxfp4", at(v)) for v in ("0.10.0", "0.10.1")] == [False, True]
    assert [knows_method("bitsandbytes", at(v)) for v in ("0.27.1", "0.28.0")] == [True, False]
    assert all(knows_method("compressed-tensors", at(v)) for v in ("0.8.5", "0.20.0", "0.33.0"))
