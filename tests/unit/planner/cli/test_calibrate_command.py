"""``qwen3 calibrate``: from what was pasted to a plan that says what was measured."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from qwen3_planner.calibrate.sources import LONGEST_LINE, opened
from support.accuracy.rows import exclusions, launches
from support.engine_logs import log_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.accuracy.rows import Launch

    Program = Callable[..., tuple[int, str, str]]

BY_ID = {launch.id: launch for launch in launches()}
N01, SG03, V004 = BY_ID["N01"], BY_ID["SG03"], BY_ID["V004"]
LEFT_OUT = {row.id for row in exclusions() if row.holds("kv")}
KNOWN_FILES = ("bf16", "fp8")
"""Formats whose logs name a checkpoint of the catalog."""


def is_told(launch: Launch) -> bool:
    """Whether a launch says enough for a log of its own, on a card of the catalog's size."""
    return (
        launch.id not in LEFT_OUT
        and launch.engine in ("vllm", "sglang")
        and bool(launch.version and launch.accelerator and launch.tensor)
        and launch.quantization in KNOWN_FILES
        and launch.kv_cache_memory_bytes is None
        and (launch.kv_tokens or 0) > 0
    )


TOLD = [launch for launch in launches() if is_told(launch)]


def hardware(launch: Launch) -> str:
    return f"{launch.gpus}x{launch.accelerator}"


def inventory(launch: Launch, folder: Path) -> str:
    """Describe the very card of a launch, which may have less memory than the catalog's."""
    if launch.device_gib is None:
        return hardware(launch)
    mib = int(launch.device_gib * 1024)
    like = launch.accelerator
    card = {"name": "this-card", "like": like, "memory_mib": mib, "usable_memory_mib": mib}
    node = {"count": 1, "accelerator": "this-card", "accelerators_per_node": launch.gpus}
    path = folder / "inventory.yaml"
    path.write_text(yaml.safe_dump({"accelerators": [card], "nodes": [node]}))
    return str(path)


def version_of(launch: Launch) -> tuple[str, ...]:
    """SGLang's logs do not say it."""
    return ("--engine-version", launch.version) if launch.engine == "sglang" else ()


def replanned(qwen3: Program, launch: Launch, where: str, overlay: str) -> dict[str, Any]:
    """Plan the start of a log again."""
    options = {
        "--engine": launch.engine,
        "--engine-version": launch.version,
        "--quantization": launch.quantization,
        "--tensor": launch.tensor,
        "--pipeline": launch.pipeline or 1,
        "--data": launch.data or 1,
        "--expert": launch.expert or 1,
        "--gpu-memory-utilization": launch.utilization,
        "--max-model-len": launch.max_model_len,
        "--max-num-seqs": launch.max_num_seqs,
        "--max-num-batched-tokens": launch.max_num_batched_tokens,
        "--calibration": overlay,
    }
    words = [str(w) for pair in options.items() if pair[1] is not None for w in pair]
    if launch.enforce_eager:
        words.append("--enforce-eager")
    status, out, err = qwen3("plan", launch.model, "--hardware", where, *words, "-o", "json")
    assert status == 0, err
    document: dict[str, Any] = json.loads(out)
    return document


@pytest.fixture
def log(tmp_path: Path) -> Callable[[Launch], str]:
    def write(launch: Launch) -> str:
        path = tmp_path / f"{launch.id}.log"
        path.write_text(log_of(launch), "utf-8")
        return str(path)

    return write


@pytest.mark.parametrize("launch", TOLD, ids=lambda launch: launch.id)
def test_a_start_that_was_learned_from_is_planned_as_it_was_logged(
    qwen3: Program, tmp_path: Path, log: Callable[[Launch], str], launch: Launch
) -> None:
    overlay = str(tmp_path / "mine.yaml")
    where = inventory(launch, tmp_path)
    learned = ("calibrate", log(launch), "--hardware", where, *version_of(launch))
    status, _, err = qwen3(*learned, "--calibration", overlay)
    assert status == 0, err
    plain = replanned(qwen3, launch, where, "none")["memory"]
    now = replanned(qwen3, launch, where, overlay)
    assert now["memory"]["kvCacheTokens"] == pytest.approx(launch.kv_tokens, rel=0.01)
    ends = [(m["kvCacheTokensLow"], m["kvCacheTokensHigh"]) for m in (plain, now["memory"])]
    assert ends[1][1] - ends[1][0] < ends[0][1] - ends[0][0]
    told = now["provenance"]["memory.kvCache"]
    assert told["basis"] == "fitted"
    assert f"from {launch.id}.log (sha256 " in told["source"]


def test_there_are_enough_measured_starts() -> None:
    assert len(TOLD) >= 15
    assert {launch.engine for launch in TOLD} == {"vllm", "sglang"}
    assert any((launch.tensor or 1) > 1 for launch in TOLD)


def test_the_table_shows_planned_beside_measured_within_80_columns(
    qwen3: Program, log: Callable[[Launch], str]
) -> None:
    status, out, err = qwen3("calibrate", log(N01), "--hardware", "1xA100-SXM-40GB")
    assert status == 0, err
    assert "140,960 tokens" in out
    assert "less than planned" in out
    assert max(map(len, out.splitlines())) <= 80
    assert "nothing is kept" in err


def test_an_entry_says_what_was_measured_when_and_where_it_holds(
    qwen3: Program, log: Callable[[Launch], str]
) -> None:
    path = log(N01)
    status, out, _ = qwen3("calibrate", path, "--hardware", "1xA100-SXM-40GB", "-o", "json")
    assert status == 0
    document = json.loads(out)
    (entry,) = document["entries"]
    assert document["schema"] == "calibration/v1"
    with open(path, "rb") as file:  # noqa: PTH123 - bytes as they are
        assert entry["origin"]["sha256"] == sha256(file.read()).hexdigest()
    assert entry["appliesTo"] == {
        "engine": "vllm",
        "since": "0.19.0",
        "until": "0.20.0",
        "accelerator": "A100-SXM-40GB",
        "modelKind": "dense",
        "layoutKind": "one",
    }
    first = entry["figures"][0]
    assert first["measured"] == 140960
    assert first["error"] == pytest.approx(first["planned"] / 140960 - 1, abs=1e-5)
    assert first["factor"] == pytest.approx(140960 / first["planned"], abs=1e-5)


def test_stdin_is_read_too(qwen3: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(log_of(N01).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    overlay = tmp_path / "o.json"
    arguments = ("calibrate", "-", "--hardware", "1xA100-SXM-40GB", "--calibration", str(overlay))
    assert qwen3(*arguments)[0] == 0
    assert json.loads(overlay.read_text())["entries"][0]["origin"]["name"] == "stdin"


def test_the_variable_names_the_overlay_for_both_commands(
    qwen3: Program,
    log: Callable[[Launch], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    overlay = tmp_path / "mine.yaml"
    monkeypatch.setenv("QWEN3_CALIBRATION", str(overlay))
    assert qwen3("calibrate", log(N01), "--hardware", "1xA100-SXM-40GB")[0] == 0
    assert overlay.exists()
    ask = ("plan", "Qwen3-8B", "--hardware", "1xA100-SXM-40GB", "--engine-version", "0.19.0")
    told = json.loads(qwen3(*ask, "-o", "json")[1])["provenance"]["memory.kvCache"]
    assert told["basis"] == "fitted"
    off = json.loads(qwen3(*ask, "--calibration", "none", "-o", "json")[1])
    assert off["provenance"]["memory.kvCache"]["basis"] == "formula"
    overlay.unlink()
    status, _, err = qwen3(*ask)
    assert status == 2
    assert err.startswith("error: QWEN3_CALIBRATION: ")


def test_a_resource_may_say_how_it_ran(
    qwen3: Program, log: Callable[[Launch], str], tmp_path: Path
) -> None:
    ask = ("plan", "Qwen3-8B", "--hardware", "1xA100-SXM-40GB", "--engine-version", "0.19.0")
    _, manifest, _ = qwen3(
        *ask, "--quantization", "bf16", "--gpu-memory-utilization", "0.9", "-o", "manifest"
    )
    (tmp_path / "r.yaml").write_text(manifest)
    given = ("-f", str(tmp_path / "r.yaml"), "--hardware", "1xA100-SXM-40GB")
    status, out, err = qwen3("calibrate", log(N01), *given)
    assert status == 0, err
    assert "140,960 tokens" in out
    status, _, err = qwen3("calibrate", log(replace(N01, utilization=0.8)), *given)
    assert status == 2
    assert "contradicts" in err


def test_entries_are_added_and_one_that_is_given_again_takes_its_place(
    qwen3: Program, log: Callable[[Launch], str], tmp_path: Path
) -> None:
    overlay = tmp_path / "mine.yaml"
    for launch in (N01, SG03, N01):
        arguments = (log(launch), "--hardware", hardware(launch), *version_of(launch))
        assert qwen3("calibrate", *arguments, "--calibration", str(overlay))[0] == 0
    entries = yaml.safe_load(overlay.read_text())["entries"]
    assert [entry["origin"]["name"] for entry in entries] == ["N01.log", "SG03.log"]
    assert list(tmp_path.glob(".mine*")) == [], "nothing half-written is left"


@pytest.mark.thorough
def test_no_entry_is_lost_when_several_write_at_once(
    log: Callable[[Launch], str], tmp_path: Path
) -> None:
    overlay = tmp_path / "mine.json"
    starts = [replace(N01, id=f"X{number}", kv_tokens=140000 + number) for number in range(4)]
    running = [
        subprocess.Popen(
            [
                sys.executable, "-m", "qwen3_planner", "calibrate", log(launch),
                "--hardware", "1xA100-SXM-40GB", "--calibration", str(overlay),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for launch in starts
    ]  # fmt: skip
    assert [process.wait(60) for process in running] == [0] * len(starts)
    assert len(json.loads(overlay.read_text())["entries"]) == len(starts)


def test_an_overlay_keeps_its_mode_and_stays_whole_where_it_cannot_be_written(
    qwen3: Program, log: Callable[[Launch], str], tmp_path: Path
) -> None:
    overlay = tmp_path / "mine.yaml"
    arguments = ("calibrate", log(N01), "--hardware", "1xA100-SXM-40GB", "--calibration")
    assert qwen3(*arguments, str(overlay))[0] == 0
    overlay.chmod(0o640)
    assert qwen3(*arguments, str(overlay))[0] == 0
    assert overlay.stat().st_mode & 0o777 == 0o640
    status, _, err = qwen3(*arguments, str(tmp_path / "no" / "such" / "folder.yaml"))
    assert status == 2
    assert "cannot be written: No such file" in err


BENCH = {
    "backend": "vllm",
    "model_id": "Qwen/Qwen3-8B",
    "max_concurrency": 16,
    "duration": 100.0,
    "completed": 200,
    "total_input_tokens": 204800,
    "total_output_tokens": 51200,
    "output_throughput": 450.0,
    "mean_ttft_ms": 300.0,
    "mean_tpot_ms": 33.0,
}


def test_a_benchmark_beside_its_log_teaches_both_and_plans_say_so(
    qwen3: Program, log: Callable[[Launch], str], tmp_path: Path
) -> None:
    bench, overlay = tmp_path / "bench.json", tmp_path / "mine.yaml"
    bench.write_text(json.dumps(BENCH))
    status, out, err = qwen3(
        "calibrate", log(N01), str(bench), "--hardware", "1xA100-SXM-40GB",
        "--calibration", str(overlay),
    )  # fmt: skip
    assert status == 0, err
    assert "33.00 ms" in out
    asked = ("--concurrency", "16", "--input-tokens", "1024", "--output-tokens", "256")
    status, out, err = qwen3(
        "plan", "Qwen3-8B", "--hardware", "1xA100-SXM-40GB", "--engine-version", "0.19.0",
        "--quantization", "bf16", *asked, "--calibration", str(overlay), "-o", "json",
    )  # fmt: skip
    assert status == 0, err
    said = json.loads(out)
    assert said["performance"]["tpotMs"] == pytest.approx(33.0, rel=0.03)
    assert said["performance"]["ttftMs"] == pytest.approx(300.0, rel=0.1)
    assert "bench.json" in said["provenance"]["performance.tpotMs"]["source"]
    assert said["memory"]["kvCacheTokens"] == pytest.approx(140960, rel=0.01)


def test_what_a_benchmark_does_not_say_is_taken_as_planned_and_told(
    qwen3: Program, tmp_path: Path
) -> None:
    bench = tmp_path / "bench.json"
    bench.write_text(json.dumps({**BENCH, "model_id": "Qwen/Qwen3-32B"}))
    status, _, err = qwen3("calibrate", str(bench), "--hardware", "4xL40S-48GB")
    assert status == 0, err
    assert "no input names the version" in err
    assert "no input names the layout" in err


def test_llama_bench_calibrates_a_card(qwen3: Program, tmp_path: Path) -> None:
    rows = [
        {"build_number": 6000, "model_type": "qwen3 8B Q4_K - Medium", "n_prompt": p, "n_gen": g,
         "avg_ts": ts}
        for p, g, ts in ((512, 0, 6000.0), (0, 128, 100.0))
    ]  # fmt: skip
    path, overlay = tmp_path / "bench.jsonl", tmp_path / "mine.yaml"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    status, out, err = qwen3(
        "calibrate", str(path), "--hardware", "RTX-4090", "--calibration", str(overlay)
    )
    assert status == 0, err
    assert "gguf:Q4_K_M on llamacpp b6000" in " ".join(out.split())
    ask = ("plan", "Qwen3-8B", "--quantization", "gguf:Q4_K_M", "--hardware", "RTX-4090")
    load = ("--input-tokens", "1", "--output-tokens", "128", "--engine-version", "b6000")
    _, out, _ = qwen3(*ask, *load, "--calibration", str(overlay), "-o", "json")
    assert json.loads(out)["performance"]["tpotMs"] == pytest.approx(10.0, rel=0.05)


A100 = ("--hardware", "1xA100-SXM-40GB")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--hardware", "1xL40S", "--tensor", "2"), "--tensor: 2: contradicts N01.log line 2"),
        ((*A100, "--model", "Qwen3-14B"), "--model: Qwen3-14B: contradicts N01.log line 2"),
        ((*A100, "--engine", "sglang"), "--engine: sglang: contradicts"),
        ((*A100, "--engine-version", "0.32.0"), "--engine-version: 0.32.0: contradicts"),
        ((*A100, "--gpu-memory-utilization", "0.5"), "--gpu-memory-utilization: 0.5: contradicts"),
        ((*A100, "--max-model-len", "1000"), "--max-model-len: 1000: contradicts"),
        ((), "--hardware: (missing): no input names the card"),
        (("--hardware", "1xH100-SXM-80GB"), "card or --gpu-memory-utilization are others"),
        (("--hardware", "any"), "it ran on one kind of hardware"),
        ((*A100, "--quantization", "fp8"), "of weights on a GPU"),
        ((*A100, "--kv-cache-dtype", "fp8"), "bytes a token"),
        ((*A100, "--measure"), "one at a time"),
    ],
)
def test_what_contradicts_the_log_is_an_error_that_names_both(
    qwen3: Program, log: Callable[[Launch], str], options: tuple[str, ...], said: str
) -> None:
    status, out, err = qwen3("calibrate", log(N01), *options)
    assert status == 2, out
    assert out == ""
    assert said in err.replace(os.path.dirname(log(N01)) + "/", "")  # noqa: PTH120 - a text


KERNELS = "no file /x/E=128,N=768,device_name={}.json, using defaults\n"
"""How a log names the card: by a kernel's configuration that is missing."""


def test_a_card_that_the_log_names_need_not_be_said_and_must_not_be_another(
    qwen3: Program, tmp_path: Path
) -> None:
    path = tmp_path / "named.log"
    path.write_text(log_of(N01) + KERNELS.format("NVIDIA_A100-SXM4-40GB"))
    status, out, err = qwen3("calibrate", str(path))
    assert status == 0, err
    assert "tp1 of A100-SXM-40GB" in out
    status, _, err = qwen3("calibrate", str(path), "--hardware", "1xL40S-48GB")
    assert status == 2
    assert "--hardware: L40S-48GB: contradicts" in err
    assert "1xA100-SXM-40GB" in err
    card = {"name": "mine", "like": "A100-SXM-40GB", "memory_mib": 40960}
    node = {"count": 1, "accelerator": "mine", "accelerators_per_node": 1}
    described = tmp_path / "inventory.yaml"
    described.write_text(yaml.safe_dump({"accelerators": [card], "nodes": [node]}))
    status, _, err = qwen3("calibrate", str(path), "--hardware", str(described))
    assert status == 0, err


def test_too_few_gpus_name_how_many_it_were(qwen3: Program, log: Callable[[Launch], str]) -> None:
    status, _, err = qwen3("calibrate", log(V004), "--hardware", f"1x{V004.accelerator}")
    assert status == 2
    assert f"{V004.gpus}x{V004.accelerator}" in err


def test_a_log_of_another_model_than_its_name_says_is_refused(
    qwen3: Program, log: Callable[[Launch], str]
) -> None:
    """The weights or the pool tell a model that was renamed."""
    other = replace(N01, checkpoint="hf://someone/my-tune", weights_gib=27.5)
    given = ("--model", "Qwen3-8B", "--quantization", "bf16", *A100)
    status, _, err = qwen3("calibrate", log(other), *given)
    assert status == 2
    assert "27.5 GiB of weights" in err
    same = replace(N01, checkpoint="hf://someone/my-tune")
    assert qwen3("calibrate", log(same), *given)[0] == 0


def test_sglang_needs_to_be_told_its_release(qwen3: Program, log: Callable[[Launch], str]) -> None:
    status, _, err = qwen3("calibrate", log(SG03), "--hardware", hardware(SG03))
    assert status == 2
    assert "--engine-version: (missing)" in err


def test_a_given_pool_teaches_nothing(qwen3: Program, log: Callable[[Launch], str]) -> None:
    given = replace(N01, kv_cache_memory_bytes=20_000_000_000)
    status, _, err = qwen3("calibrate", log(given), *A100)
    assert status == 2
    assert "was given, so the log says nothing" in err


def test_the_same_input_twice_is_an_error(qwen3: Program, log: Callable[[Launch], str]) -> None:
    status, _, err = qwen3("calibrate", log(N01), log(N01), *A100)
    assert status == 2
    assert "give it once" in err


def test_neither_files_nor_measuring_is_an_error(qwen3: Program) -> None:
    status, _, err = qwen3("calibrate")
    assert status == 2
    assert "FILE: (missing): name a log or a result" in err


def test_measuring_without_pytorch_says_how_to_go_on(qwen3: Program) -> None:
    status, _, err = qwen3("calibrate", "--measure", "--hardware", "L40S")
    assert status == 2
    assert "has no PyTorch" in err
    assert "--python PATH" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("schema: calibration/v2\nentries: []\n", "choices: calibration/v1"),
        ("[]", "is no calibration overlay"),
        ("schema: calibration/v1\n", "entries: None: must be a list"),
        ("schema: calibration/v1\nentries: [{kind: magic}]\n", "entries[0].kind: magic"),
        ("schema: calibration/v1\nentries: [{kind: memory}]\n", "must be an object"),
        ("{", "is no JSON"),
        ("a: [", "is no YAML"),
    ],
)
def test_a_broken_overlay_is_told_with_its_place(
    qwen3: Program, tmp_path: Path, text: str, said: str
) -> None:
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(text)
    ask = ("plan", "Qwen3-8B", "--hardware", "L40S", "--calibration", str(overlay))
    status, out, err = qwen3(*ask)
    assert (status, out) == (2, "")
    assert said in err


def test_a_huge_log_is_read_in_pieces_and_hashed_whole(tmp_path: Path) -> None:
    path = tmp_path / "huge.log"
    with path.open("w") as file:
        file.write("x" * (3 * LONGEST_LINE) + "\n")
        file.writelines(f"line {number}\n" for number in range(200_000))
        file.write("GPU KV cache size: 1,000 tokens")
    with opened(str(path)) as source:
        lengths = [(number, len(line)) for number, line in source.lines()]
        assert source.digest == sha256(path.read_bytes()).hexdigest()
    assert max(length for _, length in lengths) == LONGEST_LINE
    assert lengths[-1] == (200_002, len("GPU KV cache size: 1,000 tokens"))


def test_what_was_learned_already_is_taken_as_it_is(
    qwen3: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As the operator offers it in a resource's status: JSON, over a pipe, without a model."""
    entry = {
        "kind": "memory",
        "origin": {
            "name": "team-a/chat",
            "format": "engine-metrics",
            "sha256": "ab" * 32,
            "date": "2026-11-23",
        },
        "appliesTo": {
            "engine": "vllm",
            "since": "0.32.0",
            "until": "0.33.0",
            "accelerator": "L40S-48GB",
            "modelKind": "dense",
            "layoutKind": "one",
        },
        "setup": {
            "engine": "vllm",
            "version": "0.32.0",
            "accelerator": "L40S-48GB",
            "variant": "Qwen3-8B",
            "modelKind": "dense",
            "quantization": "bf16",
            "layout": {"tensor": 1, "pipeline": 1, "data": 1, "expert": 1},
        },
        "figures": [
            {"figure": "memory.kvCacheTokens", "unit": "tokens", "planned": 100, "measured": 90}
        ],
        "correction": {"addedBytes": 2**30, "sigmaBytes": 2**26},
    }
    text = json.dumps({"schema": "calibration/v1", "entries": [entry]})
    mine = tmp_path / "mine.yaml"
    stdin = io.TextIOWrapper(io.BytesIO(text.encode()))
    monkeypatch.setattr("sys.stdin", stdin)

    status, out, _ = qwen3("calibrate", "-", "--calibration", str(mine))

    assert status == 0
    assert "vllm from 0.32.0 to before 0.33.0" in out
    question = ("plan", "Qwen3-8B", "--hardware", "1xL40S-48GB", "-o", "json")
    plain, taken = qwen3(*question)[1], qwen3(*question, "--calibration", str(mine))[1]
    tokens = [json.loads(each)["memory"]["kvCacheTokens"] for each in (plain, taken)]
    assert tokens[1] < tokens[0]
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert qwen3(*question, "--calibration", "-")[1] == taken


def test_nothing_can_be_added_to_stdin(qwen3: Program, log: Callable[[Launch], str]) -> None:
    status, _, err = qwen3("calibrate", log(N01), *A100, "--calibration", "-")

    assert status == 2
    assert "nothing can be added to stdin: name a file" in err


def test_a_plan_without_an_overlay_imports_nothing_of_this() -> None:
    program = (
        "import sys; from qwen3_planner.cli import main;"
        " main(['plan', 'Qwen3-8B', '--hardware', 'L40S', '-o', 'json']);"
        " print([m for m in sys.modules if 'calibrate' in m or 'corrections' in m or 'peers' in m],"
        " file=sys.stderr)"
    )
    variables = {k: v for k, v in os.environ.items() if k != "QWEN3_CALIBRATION"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=variables, capture_output=True, text=True, check=True
    )
    assert done.stderr == "[]\n"
