"""Damaged inputs: cut, flipped, glued; each is learned from or told, none is a defect."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.cli import main
from support.accuracy.rows import launches
from support.engine_logs import log_of

if TYPE_CHECKING:
    from pathlib import Path

BY_ID = {launch.id: launch for launch in launches()}
A100, H100, RTX = "1xA100-SXM-40GB", "1xH100-SXM-80GB", "RTX-4090-24GB"
BENCH = {
    "backend": "vllm", "model_id": "Qwen/Qwen3-8B", "max_concurrency": 16, "duration": 100.0,
    "completed": 200, "total_input_tokens": 204800, "total_output_tokens": 51200,
    "output_throughput": 450.0, "mean_ttft_ms": 300.0, "mean_tpot_ms": 33.0,
}  # fmt: skip
LLAMA = [
    {"build_number": 6000, "model_type": "qwen3 8B Q8_0", "model_n_params": 8190735360,
     "n_prompt": 0, "n_gen": 128, "n_depth": 0, "avg_ts": 80.0}
]  # fmt: skip
INPUTS = {
    "vllm": (log_of(BY_ID["N01"]), ("--hardware", A100)),
    "sglang": (log_of(BY_ID["SG03"]), ("--hardware", H100, "--engine-version", "0.5.19")),
    "bench": (json.dumps(BENCH), ("--hardware", A100)),
    "llama": (json.dumps(LLAMA), ("--hardware", RTX)),
}
GLUED = (b"0", b"-1", b"1e400", b"nan", b"null", b'"', b"{}", b"[]", b"9" * 20, b"True", b"\n")
TRIES = 60


def damaged(text: bytes, random: Random) -> bytes:
    data = bytearray(text)
    for _ in range(random.randint(1, 5)):
        place = random.randrange(len(data) or 1)
        kind = random.random()
        if kind < 0.3:
            del data[place:]
        elif kind < 0.6 and data:
            data[place] = random.randrange(256)
        else:
            data[place:place] = random.choice(GLUED)
    return bytes(data)


@pytest.mark.thorough
@pytest.mark.parametrize("name", INPUTS)
def test_a_damaged_input_is_learned_from_or_told(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text, options = INPUTS[name]
    path, random = tmp_path / "damaged", Random(7)  # noqa: S311 - repeatable damage
    told = 0
    for _ in range(TRIES):
        path.write_bytes(damaged(text.encode(), random))
        status = main(("calibrate", str(path), *options, "-o", "json"))
        said = capsys.readouterr()
        assert status in (0, 2), (said.err, path.read_bytes())
        assert (said.out == "") == (status == 2)
        told += status == 2
    assert told > TRIES // 4
