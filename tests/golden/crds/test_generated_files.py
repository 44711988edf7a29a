from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.scripts import load_script

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[3]
CRD = "crds/serving.qwen3.dev_qwen3deployments.yaml"


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    """Import the script, whose texts are made once: they take a second."""
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(ROOT / "scripts"))  # as for a program that is started
        module = load_script("generate")
        texts = module.generated()
        patched.setattr(module, "generated", lambda: texts)
        yield module


def test_the_committed_files_are_what_the_models_say(
    script: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_file_is_named_and_written_again(
    script: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(script, "ROOT", tmp_path)
    assert script.main([]) == 0
    (tmp_path / CRD).write_text("by hand", "utf-8")
    capsys.readouterr()

    assert script.main(["--check"]) == 1
    assert capsys.readouterr().err == f"{CRD} is stale: run `make generate`\n"
    assert script.main([]) == 0
    assert capsys.readouterr().out == f"wrote {CRD}\n"
    assert (tmp_path / CRD).read_text("utf-8") == (ROOT / CRD).read_text("utf-8")


def test_an_unknown_option_is_bad_input() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "generate.py", "--chek"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 2
    assert "Usage: scripts/generate.py" in done.stderr
