"""Which fitted row describes a case."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.engines.versions import Version
from qwen3_planner.performance.efficiency import efficiency_of

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import Efficiency

ROWS = load_catalog().efficiencies


def found(  # noqa: PLR0913 - the key of a row
    rows: tuple[Efficiency, ...] = ROWS,
    *,
    engine: str = "vllm",
    version: Version = Version(0, 32),  # noqa: B008 - frozen
    device: str = "hopper",
    weights: str = "16bit",
    kind: str = "dense",
) -> Efficiency:
    row = efficiency_of(rows, engine, version, device=device, weights=weights, kind=kind)
    assert row is not None
    return row


def test_the_measured_device_comes_first() -> None:
    row = found()
    assert (row.device, row.weights) == ("hopper", "16bit")
    assert row.is_measured


def test_an_unseen_device_takes_a_row_that_is_carried_over_with_a_wide_error() -> None:
    row = found(device="cdna3")
    assert row.device == "cdna3"
    assert not row.is_measured
    assert row.tpot_sigma > found().tpot_sigma
    unknown = found(device="rubin")
    assert unknown.device == "any"
    assert not unknown.is_measured


def test_rows_that_contradict_the_others_speak_for_their_own_model_and_card_alone() -> None:
    def experts(*subject: str) -> Efficiency | None:
        return efficiency_of(
            ROWS,
            "vllm",
            Version(0, 12),
            device="hopper",
            weights="fp8",
            kind="moe",
            subject=(subject[0], subject[1]),
        )

    own = experts("Qwen3-235B-A22B", "H200-SXM-141GB")
    later = experts("Qwen3-235B-A22B-Instruct-2507", "H200-SXM-141GB")
    other = experts("Qwen3-30B-A3B", "H100-SXM-80GB")
    assert own is not None
    assert other is not None
    assert own == later
    assert own.only_seen
    assert not other.is_measured
    assert other.experts_always < own.experts_always
    assert other.tpot_sigma > own.tpot_sigma


def test_another_device_of_the_same_format_is_no_stranger_than_another_format() -> None:
    assert found(weights="4bit").weights == "4bit"


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
@pytest.mark.parametrize("kind", ["dense", "moe"])
@pytest.mark.parametrize("weights", ["16bit", "fp8", "int8", "4bit"])
def test_no_case_is_without_a_row(engine: str, kind: str, weights: str) -> None:
    for device in ("hopper", "ada", "turing", "cdna3"):
        assert found(engine=engine, kind=kind, weights=weights, device=device)


@pytest.mark.parametrize("device", ["apple", "cpu", "ampere", "cdna3"])
def test_llama_cpp_has_a_row_on_every_device(device: str) -> None:
    assert found(engine="llamacpp", device=device, weights="gguf")


def test_an_unknown_engine_has_none() -> None:
    no = efficiency_of(
        ROWS, "ollama", Version(1, 0), device="hopper", weights="16bit", kind="dense"
    )
    assert no is None


def test_a_version_takes_the_newest_range_that_has_begun() -> None:
    old = found()
    new = replace(old, since="0.20.0", memory=0.99)
    rows = (new, old)
    assert found(rows, version=Version(0, 12)).memory == old.memory
    assert found(rows, version=Version(0, 20)).memory == 0.99
    assert found(rows, version=Version(0, 1)).memory == old.memory


def test_shares_stay_shares_and_errors_are_stated() -> None:
    for row in ROWS:
        for name in ("memory", "experts", "experts_always", "kv", "compute", "attention", "link"):
            assert 0 < getattr(row, name) <= 1, (row.engine, row.device, name)
        assert min(row.tpot_sigma, row.ttft_sigma, row.throughput_sigma) >= 0.04
        assert row.source
        assert row.as_of
