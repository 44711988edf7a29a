"""Rates of a card become an entry; what no such card reaches is another card."""

from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.calibrate.measuring import (
    USUAL_ATTENTION,
    USUAL_COMPUTE,
    USUAL_MEMORY,
    measure_card,
    row_of,
)
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

DATE = "2026-11-23"
L40S = load_catalog().accelerator("L40S-48GB")


def rates(share: float = 1.0) -> dict[str, object]:
    assert L40S.bf16_tflops is not None
    return {
        "device": "NVIDIA L40S",
        "torch": "2.9.0",
        "dtype": "bfloat16",
        "total_bytes": L40S.usable_memory_mib << 20,
        "memory_bytes_per_s": share * USUAL_MEMORY * L40S.memory_gb_per_s * 1e9,
        "compute_flops": USUAL_COMPUTE * L40S.bf16_tflops * 1e12,
        "attention_flops": USUAL_ATTENTION * L40S.bf16_tflops * 1e12,
    }


def test_a_card_that_reaches_what_is_usual_changes_nothing() -> None:
    row = row_of(L40S, rates(), DATE)
    factors = (row.memory_factor, row.compute_factor, row.attention_factor)
    assert factors == pytest.approx((1.0, 1.0, 1.0))
    assert str(row.origin).startswith("calibration of 2026-11-23 from NVIDIA L40S, torch 2.9.0")


def test_a_slower_memory_scales_what_is_read_from_it() -> None:
    row = row_of(L40S, rates(0.8), DATE)
    assert row.memory_factor == pytest.approx(0.8)
    assert row.figures[0].factor == pytest.approx(0.8)


@pytest.mark.parametrize("share", [0.1, 9.0])
def test_rates_of_another_kind_of_card_are_refused(share: float) -> None:
    with pytest.raises(SpecError, match=r"memory bandwidth: .* it is another card, or busy"):
        row_of(L40S, rates(share), DATE)


def interpreter(folder: Path, says: str, status: int = 0) -> str:
    """Make a program that answers as the child process would."""
    path = folder / "python"
    path.write_text(f"#!{sys.executable}\nimport sys\nprint({says!r})\nsys.exit({status})\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.parametrize(
    ("says", "told"),
    [
        ('{"error": "no-gpu", "detail": "torch 2.9.0"}', "finds no GPU (torch 2.9.0)"),
        ('{"error": "no-torch", "detail": "x"}', "has no PyTorch"),
        ('{"error": "failed", "detail": "out of memory"}', "the measurement failed: out of memory"),
        ("Segmentation fault", "failed: exit status 1"),
        ("", "failed: exit status 1"),
    ],
)
def test_what_goes_wrong_in_the_child_is_told(tmp_path: Path, says: str, told: str) -> None:
    with pytest.raises(SpecError) as error:
        measure_card(L40S, interpreter(tmp_path, says, 1), DATE)
    assert told in error.value.reason


def test_an_interpreter_that_is_not_there_is_told() -> None:
    with pytest.raises(SpecError, match="cannot be started"):
        measure_card(L40S, "/no/such/python", DATE)


def test_a_gpu_with_another_memory_is_refused(tmp_path: Path) -> None:
    import json  # noqa: PLC0415 - of this test

    said = json.dumps({**rates(), "device": "NVIDIA L4", "total_bytes": 23 << 30})
    with pytest.raises(SpecError, match=r"the GPU here is NVIDIA L4 with 23\.0 GiB"):
        measure_card(L40S, interpreter(tmp_path, said), DATE)
