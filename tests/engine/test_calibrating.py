"""What a real vLLM logs as it starts is what calibrate reads; PyTorch itself measures a device."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.calibrate.measuring import INSIDE, measure_card
from qwen3_planner.calibrate.recognizing import read_source
from qwen3_planner.catalog.local_folder import add_folder
from qwen3_planner.cli import main
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.plan import NoPlan
from qwen3_planner.planning import plan
from qwen3_planner.request import EngineName, PlanRequest
from qwen3_planner.units import GIB
from support.engine.model_folders import write_model
from support.engine.oracle import engine_variables
from support.engine.serving import Server
from support.engine.starting import KV_SPACE_GIB
from support.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from qwen3_planner.catalog.rows import Catalog
    from support.engine.environment import EngineEnvironment

pytestmark = pytest.mark.engine

CONTEXT = 2000
TOKENS = 128_000
"""1 GiB of blocks of 128 tokens, 2 layers, 8 KV heads of 128: 64 requests of a context."""


@dataclass(frozen=True)
class Served:
    """What a server logged, and what a benchmark of it wrote and printed."""

    log: Path
    result: Path
    printed: Path


def benchmark(engine: EngineEnvironment, port: int, name: str, folder: Path, to: Path) -> Path:
    """Run vLLM's own benchmark; return what it prints, its result lies beside it."""
    words = {
        "--backend": "vllm",
        "--base-url": f"http://127.0.0.1:{port}",
        "--model": name,
        "--tokenizer": str(folder),
        "--dataset-name": "random",
        "--random-input-len": "32",
        "--random-output-len": "8",
        "--num-prompts": "6",
        "--max-concurrency": "2",
        "--result-dir": str(to),
        "--result-filename": "bench.json",
    }
    argv = [str(engine.vllm), "bench", "serve", "--save-result"]
    argv += [word for pair in words.items() for word in pair]
    done = subprocess.run(
        argv, env=engine_variables(folder), cwd=to, capture_output=True, text=True, check=True
    )
    printed = to / "bench.txt"
    printed.write_text(done.stdout, "utf-8")
    return printed


@pytest.fixture(scope="module")
def served(
    engine: EngineEnvironment, catalog: Catalog, tmp_path_factory: pytest.TempPathFactory
) -> Served:
    """A server that was started from a plan's own command."""
    small = replace(
        catalog.model("Qwen3-8B"),
        layers=2,
        hidden_size=256,
        intermediate_size=512,
        vocab_size=1024,
        max_position_embeddings=4096,
    )
    folder = write_model(tmp_path_factory.mktemp("model") / "tiny-qwen3", small)
    argv = [str(engine.python), "-m", "support.engine.inside.tokenizing", str(folder)]
    subprocess.run(argv, env=engine_variables(folder), check=True)
    name, extended, checkpoint = add_folder(str(folder), catalog, field="MODEL")
    request = PlanRequest(
        name, source=checkpoint.uri, engine=EngineName.VLLM, max_model_len=CONTEXT
    )
    answer = plan(request, parse_hardware("1xL4-24GB", catalog), extended)
    assert not isinstance(answer, NoPlan), answer
    words, port = list(answer.command[2:]), free_port()
    words[words.index("--port") + 1] = str(port)
    serving = tmp_path_factory.mktemp("serving")
    with Server(engine, [*words, "--load-format", "dummy", "--enforce-eager"], port, serving) as on:
        on.wait_until_healthy()
        path = serving / "start.log"
        path.write_text(on.log, "utf-8")
        printed = benchmark(engine, port, answer.served_name, folder, serving)
    return Served(path, serving / "bench.json", printed)


@pytest.fixture
def log(served: Served) -> Path:
    """What it logged."""
    return served.log


def test_the_real_log_tells_its_release_its_arguments_and_its_pool(log: Path) -> None:
    reading, _, _ = read_source(str(log))
    told = {name: stated.value for name, stated in reading.facts.items()}
    assert reading.format == "vllm-log"
    assert told["version"] == "0.32.0"
    assert (told["max_model_len"], told["tensor"], told["pipeline"], told["data"]) == (
        CONTEXT,
        1,
        1,
        1,
    )
    assert told["enforce_eager"] is True
    assert str(told["model"]).endswith("tiny-qwen3")
    assert told["device"] == "cpu"
    assert reading.figures["kv_tokens"].value == TOKENS
    assert reading.figures["kv"].value == KV_SPACE_GIB * GIB
    assert reading.notes == []


def test_a_log_of_the_cpu_teaches_nothing_of_a_gpu(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(("calibrate", str(log), "--hardware", "1xL4-24GB"))
    said = capsys.readouterr()
    assert (status, said.out) == (2, "")
    assert "it ran on a CPU" in said.err


def test_the_same_log_said_to_be_of_a_gpu_is_compared_token_by_token(
    log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the device's word changed it is compared: the pool has the bytes a token of the plan."""
    text = log.read_text().replace("device_config=cpu", "device_config=cuda")
    path = tmp_path / "gpu.log"
    path.write_text(text)
    status = main(("calibrate", str(path), "--hardware", "1xL4-24GB"))
    said = capsys.readouterr()
    assert status == 2
    assert "the KV cache has 0.98 GiB on a GPU" in said.err, "64 whole requests of the 1 GiB"


def test_the_real_benchmark_says_the_same_in_both_of_its_forms(served: Served) -> None:
    result, printed = (read_source(str(path))[0] for path in (served.result, served.printed))
    (run,), (shown,) = result.runs, printed.runs
    assert (run.concurrency, run.output_tokens) == (2, 8)
    assert 32 <= run.input_tokens <= 40, "prompts are decoded and encoded again"
    assert (shown.concurrency, shown.input_tokens, shown.output_tokens) == (
        run.concurrency,
        run.input_tokens,
        run.output_tokens,
    )
    assert run.measured.keys() == {"tpot_ms", "ttft_ms", "output_tokens_per_s"}
    assert shown.measured == pytest.approx(run.measured, abs=0.01)
    assert {reading.facts["model"].value for reading in (result, printed)} == {"tiny-qwen3"}
    assert {reading.facts["engine"].value for reading in (result, printed)} == {"vllm"}


def test_pytorch_measures_what_the_child_process_reports(
    engine: EngineEnvironment, catalog: Catalog
) -> None:
    """On the CPU, with small sizes: the very program that measures a GPU."""
    argv = [str(engine.python), "-I", str(INSIDE), "cpu", "64"]
    said = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True).stdout
    rates = json.loads(said.splitlines()[-1])
    assert rates["memory_bytes_per_s"] > 1e8
    assert rates["compute_flops"] > 1e8
    assert rates["attention_flops"] > 1e7
    with pytest.raises(SpecError, match="it is another card, or busy"):
        measure_card(
            catalog.accelerator("H200-SXM-141GB"),
            str(engine.python),
            "2026-11-23",
            device="cpu",
            smaller=64,
        )
