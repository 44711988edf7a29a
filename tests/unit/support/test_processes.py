"""Background processes start, fail and end as promised; /bin/sh stands in for the programs."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from support.controlplane import BackgroundProcess, ProcessDiedError, layout
from support.controlplane.credentials import signing_key, token_file
from support.controlplane.layout import LOOPBACK, Ports, ReservedPorts
from support.controlplane.sweeper import SweptFolder
from support.wait import until

if TYPE_CHECKING:
    from pathlib import Path


def shell(tmp_path: Path, script: str) -> BackgroundProcess:
    return BackgroundProcess("sh", ["/bin/sh", "-c", script], tmp_path / "log")


def test_death_at_start_is_reported_with_the_end_of_the_log(tmp_path: Path) -> None:
    process = shell(tmp_path, "echo no such flag >&2; exit 3")
    until(lambda: process.returncode is not None, 10, "should have ended")
    with pytest.raises(ProcessDiedError, match=r"sh ended with status 3(.|\n)*no such flag"):
        process.check()


def test_stop_asks_first(tmp_path: Path) -> None:
    process = shell(tmp_path, "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done")
    until(lambda: "up" in process.tail(), 10, "should run")
    assert process.stop() == 0
    assert "bye" in process.tail()


def test_stop_kills_what_does_not_listen(tmp_path: Path) -> None:
    process = shell(tmp_path, "trap '' TERM; echo up; while :; do sleep 0.05; done")
    until(lambda: "up" in process.tail(), 10, "should run")
    assert process.stop(seconds=0.2) < 0


def test_process_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    started: list[BackgroundProcess] = []
    thread = threading.Thread(
        target=lambda: started.append(shell(tmp_path, "echo up; exec sleep 60"))
    )
    thread.start()
    thread.join()
    process = started[0]
    until(lambda: "up" in process.tail(), 10, "should run")
    process.check()
    process.kill()


def test_swept_folder_is_removed_with_what_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    SweptFolder(folder).remove()
    assert not folder.exists()


def numbers(ports: Ports) -> set[int]:
    return {getattr(ports, name) for name in ports.__dataclass_fields__}


def test_a_control_planes_ports_are_its_own_until_they_are_released(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blocks = range(31_000, 31_016, 8)
    monkeypatch.setattr(layout, "_BLOCKS", blocks)
    first, second = ReservedPorts(), ReservedPorts()
    assert len(numbers(first.ports) | numbers(second.ports)) == 2 * len(numbers(first.ports))
    held = first.ports
    first.release()
    third = ReservedPorts()
    assert third.ports == held
    second.release()
    third.release()


def test_a_block_in_which_somebody_listens_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_BLOCKS", range(31_016, 31_032, 8))
    with socket.socket() as somebody:
        somebody.bind((LOOPBACK, 31_019))
        found = ReservedPorts()
        assert min(numbers(found.ports)) == 31_025
        found.release()


def test_signing_keys_are_new_each_time_and_tokens_carry_their_group() -> None:
    assert signing_key() != signing_key()
    assert token_file({"admin": "a", "scheduler": "b"}) == (
        'a,admin,admin,"system:masters"\nb,system:kube-scheduler,system:kube-scheduler\n'
    )
