"""``--hardware local`` against a driver's tool that answers as the real one does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.cli import main
from qwen3_planner.cli.local_hardware import find_local_hardware
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

CATALOG = load_catalog()


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_gpus_of_this_machine_are_planned_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = "NVIDIA GeForce RTX 4090, 24564, 8.9"
    install(tmp_path, monkeypatch, f"echo '{answer}'; echo '{answer}'")

    status = main(["plan", "Qwen3-8B", "--hardware", "local", "-o", "json"])

    document = json.loads(capsys.readouterr().out)
    assert status == 0
    assert document["placement"]["accelerator"] == "RTX-4090-24GB"


def test_different_gpus_are_different_pools(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(
        tmp_path,
        monkeypatch,
        "echo 'NVIDIA H100 80GB HBM3, 81559, 9.0'; echo 'Tesla T4, 15360, 7.5'",
    )

    inventory = find_local_hardware(CATALOG)

    assert [row.name for row in inventory.accelerators] == ["H100-SXM-80GB", "T4-16GB"]


def test_an_unknown_gpu_is_planned_with_what_the_driver_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, "echo 'NVIDIA RTX A6000, 49140, 8.6'")

    (row,) = find_local_hardware(CATALOG).accelerators

    assert (row.memory_mib, row.compute_capability) == (49140, (8, 6))


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("exit 0", "lists no GPU"),
        ("echo 'No devices were found'", "lists no GPU"),
        (
            "echo 'Failed to initialize NVML: Driver mismatch' >&2; exit 18",
            "Failed to initialize NVML",
        ),
        ("exit 9", "exit status 9"),
    ],
)
def test_a_tool_that_fails_is_told_with_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    install(tmp_path, monkeypatch, script)

    with pytest.raises(SpecError, match=said):
        find_local_hardware(CATALOG)


def test_a_machine_without_the_tool_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SpecError, match="name its hardware instead"):
        find_local_hardware(CATALOG)
