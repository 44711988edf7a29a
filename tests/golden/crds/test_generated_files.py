from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
CRD = "crds/serving.qwen3.dev_qwen3deployments.yaml"


def generate(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, text=True, check=False
    )


def test_the_committed_files_are_what_the_models_say() -> None:
    done = generate(ROOT / "scripts" / "generate.py", "--check")

    assert done.returncode == 0, done.stderr


def test_a_stale_file_is_named_and_written_again(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "generate.py"
    script.parent.mkdir()
    for name in ("generate.py", "rules_page.py", "dashboards.py"):
        shutil.copy(ROOT / "scripts" / name, script.parent / name)
    (tmp_path / "tests").symlink_to(ROOT / "tests")  # rules are quoted as the tests ask them
    assert generate(script).returncode == 0
    (tmp_path / CRD).write_text("by hand", "utf-8")

    done = generate(script, "--check")

    assert done.returncode == 1
    assert done.stderr == f"{CRD} is stale: run `make generate`\n"
    assert generate(script).stdout == f"wrote {CRD}\n"
    assert (tmp_path / CRD).read_text("utf-8") == (ROOT / CRD).read_text("utf-8")


def test_an_unknown_option_is_bad_input() -> None:
    assert generate(ROOT / "scripts" / "generate.py", "--chek").returncode == 2
