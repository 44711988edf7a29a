from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Qwen3 = Callable[..., tuple[int, str, str]]

RESOURCE = """\
apiVersion: serving.qwen3.dev/v1alpha1
kind: Qwen3Deployment
metadata: {name: chat}
spec:
  model: {variant: Qwen3-8B}
  engine: {name: vllm, version: 0.11.0, extraArgs: [--swap-space=4]}
"""


def test_an_upgrade_that_breaks_nothing_has_status_0(qwen3: Qwen3) -> None:
    status, out, err = qwen3(
        "upgrade-check", "Qwen3-32B", "--hardware", "2xH100-SXM-80GB", "--from", "0.11.0"
    )
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "Qwen3-32B from vllm 0.11.0 to 0.32.0: nothing breaks"
    assert "Held fixed: bf16, TP 2 on 2 x H100-SXM-80GB, context 40,960 tokens." in out
    assert max(map(len, out.splitlines())) <= 80


def test_an_upgrade_that_breaks_the_plan_has_status_3_and_says_what_would_fit(
    qwen3: Qwen3,
) -> None:
    status, out, _ = qwen3(
        "upgrade-check", "Qwen3-32B", "--hardware", "1xH100-SXM-80GB", "--quantization", "bf16",
        "--from", "0.32.0", "--to", "0.11",
    )  # fmt: skip
    assert status == 3
    assert "it breaks" in out.splitlines()[0]
    assert "Nearest that fits with 0.11.0" in out


def test_a_resource_brings_its_version_and_its_extra_arguments(
    qwen3: Qwen3, tmp_path: Path
) -> None:
    path = tmp_path / "chat.yaml"
    path.write_text(RESOURCE, "utf-8")
    status, out, _ = qwen3("upgrade-check", "-f", str(path), "--hardware", "1xL40S", "--to", "0.32")
    assert status == 3
    assert "from vllm 0.11.0 to 0.32.0" in out
    assert "extraArgs use --swap-space, which is gone since 0.18.0." in out


def test_the_document_is_complete(qwen3: Qwen3) -> None:
    status, out, _ = qwen3(
        "upgrade-check", "Qwen3-32B", "--hardware", "2xH100-SXM-80GB", "--from", "0.11.0",
        "--to", "0.32.0", "-o", "json",
    )  # fmt: skip
    document = json.loads(out)
    assert status == 0
    assert document["schema"] == "upgrade-check/v1"
    assert document["holds"] is True
    assert document["before"]["engine"]["version"] == document["from"] == "0.11.0"
    budget = next(figure for figure in document["figures"] if figure["name"] == "budget")
    gpu = document["after"]["memory"]["perGpu"][0]
    assert budget["after"] == gpu["budgetBytes"]
    assert isinstance(budget["after"], int)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Qwen3-8B", "--hardware", "1xL40S"), "--from: (missing)"),
        (("Qwen3-8B", "--hardware", "1xL40S", "--from", "eleven"), "--from: eleven"),
        (
            ("Qwen3-8B", "--hardware", "1xL40S", "--from", "0.11", "--engine-version", "0.12"),
            "--engine-version: 0.12: two versions are compared",
        ),
        (
            ("Qwen3-8B", "--hardware", "1xL40S", "--from", "0.11", "--extra-args", "'"),
            "--extra-args: ': is no command line",
        ),
        (("Qwen3-8B", "--from", "0.11"), "--hardware: (missing)"),
    ],
)
def test_bad_input_is_named(qwen3: Qwen3, arguments: tuple[str, ...], said: str) -> None:
    status, out, err = qwen3("upgrade-check", *arguments)
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {said}")
