"""The program as a process: exit statuses, streams, and what it costs to start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qwen3_planner import planning
from qwen3_planner.cli import main

PROGRAMS = Path(sys.executable).parent
QUESTION = ("plan", "Qwen3-32B", "--hardware", "2xH100-SXM-80GB")


def run(
    *arguments: str, program: str = "qwen3", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAMS / program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=60,
    )


@pytest.mark.thorough
@pytest.mark.parametrize("program", ["qwen3", "kubectl-qwen3"])
def test_both_programs_answer_alike(program: str) -> None:
    done = run(*QUESTION, "-o", "json", program=program)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["feasible"] is True


def test_the_module_is_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "qwen3_planner", *QUESTION, "-o", "json"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    assert json.loads(done.stdout)["schema"] == "plan/v1"


def test_as_a_plugin_it_calls_itself_what_the_user_typed() -> None:
    done = run("plan", "--help", program="kubectl-qwen3")

    assert done.stdout.startswith("Usage: kubectl qwen3 plan")


@pytest.mark.thorough
def test_exit_statuses_tell_the_cases_apart() -> None:
    no_plan = run("plan", "Qwen3-235B-A22B", "--hardware", "T4", "-o", "json")
    bad = run("plan", "Qwen3-99B", "--hardware", "T4")

    assert (no_plan.returncode, no_plan.stderr) == (3, "")
    assert json.loads(no_plan.stdout)["feasible"] is False
    assert (bad.returncode, bad.stdout) == (2, "")


LIGHT = """
import sys
from qwen3_planner.cli import main
status = main(sys.argv[1:])
heavy = {"kopf", "kubernetes", "ray", "numpy", "pandas", "pydantic", "yaml", "aiohttp", "asyncio"}
print(status, sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


def test_a_plan_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, *QUESTION, "-o", "json"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip

    assert done.stderr == "0 []\n"


def test_a_reader_that_leaves_early_is_no_defect() -> None:
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as closed:
        done = subprocess.run(
            [PROGRAMS / "qwen3", *QUESTION, "-o", "json"],
            stdout=closed, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip

    assert (done.returncode, done.stderr) == (141, "")


def test_what_the_terminal_cannot_say_is_escaped_not_a_defect() -> None:
    done = run(*QUESTION, "--served-name", "qwën", "-o", "json", PYTHONIOENCODING="ascii")

    assert done.returncode == 0, done.stderr
    assert "qw\\xebn" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "debug", "traced"),
    [((), "", False), (("--debug",), "", True), ((), "1", True), ((), "0", False)],
)
def test_a_defect_is_a_short_message_and_a_traceback_on_request(
    arguments: tuple[str, ...],
    debug: str,
    *,
    traced: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("tensor")

    monkeypatch.setattr(planning, "plan", broken)
    monkeypatch.setenv("QWEN3_DEBUG", debug)

    status = main([*QUESTION, *arguments])
    said = capsys.readouterr()

    assert (status, said.out) == (1, "")
    assert "error: KeyError: 'tensor'\n  This is a defect of qwen3" in said.err
    assert ("Traceback" in said.err) is traced


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
import qwen3_planner.planning
qwen3_planner.planning.plan = lambda *_: os.kill(os.getpid(), signal.SIGINT)
from qwen3_planner.cli import main
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_ends_it_as_shells_expect() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *QUESTION],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 128 + signal.SIGINT
    assert "Traceback" not in done.stderr


def test_the_shell_is_offered_products_after_a_count() -> None:
    done = run(
        _QWEN3_COMPLETE="bash_complete", COMP_WORDS="qwen3 plan --hardware 2xH100", COMP_CWORD="3"
    )

    assert "plain,2xH100-SXM-80GB" in done.stdout
