"""``--hardware local`` against a driver's tool that answers as the real one does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.cli import local_host, main
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


def without_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory_kib: int, board: str = ""
) -> None:
    memory, model = tmp_path / "meminfo", tmp_path / "model"
    memory.write_text(f"MemTotal:       {memory_kib} kB\nMemFree:  1 kB\n")
    model.write_text(f"{board}\x00" if board else "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(local_host, "MEMORY_FILE", str(memory))
    monkeypatch.setattr(local_host, "BOARD_FILE", str(model))
    monkeypatch.setattr(local_host.sys, "platform", "linux")


def test_a_machine_without_a_gpu_is_planned_on_its_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_gpu(tmp_path, monkeypatch, 16 * 1024**2)

    status = main(["plan", "Qwen3-4B", "--hardware", "local", "-o", "json"])

    document = json.loads(capsys.readouterr().out)
    assert status == 0
    assert document["placement"]["accelerator"] == "CPU-16GB"
    assert document["engine"]["name"] == "llamacpp"
    assert document["memory"]["hostBytes"] < 16 * 1024**3


def test_a_raspberry_pi_is_known_by_its_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_gpu(tmp_path, monkeypatch, 8_257_000, "Raspberry Pi 5 Model B Rev 1.0")

    (row,) = find_local_hardware(CATALOG).accelerators

    assert row.name == "RaspberryPi5-8GB"


def test_an_apple_chip_is_known_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_gpu(tmp_path, monkeypatch, 1)
    answers = {"hw.memsize": str(32 * 1024**3), "machdep.cpu.brand_string": "Apple M2 Pro"}
    monkeypatch.setattr(local_host.sys, "platform", "darwin")
    monkeypatch.setattr(local_host, "_sysctl", answers.__getitem__)

    (row,) = find_local_hardware(CATALOG).accelerators

    assert row.name == "Apple-M2-Pro-32GB"


def test_a_machine_that_tells_nothing_is_bad_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_gpu(tmp_path, monkeypatch, 0)

    with pytest.raises(SpecError, match="name its hardware instead"):
        find_local_hardware(CATALOG)
