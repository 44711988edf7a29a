"""Start-up logs: every measured start of the accuracy rows, written in its engine's format.

The logs are ours, the figures are those of tests/unit/planner/accuracy/launches, which name their
sources.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.calibrate.facts import with_facts
from qwen3_planner.calibrate.reading import Stated
from qwen3_planner.calibrate.recognizing import read_source
from qwen3_planner.calibrate.sglang_log import read_sglang_log
from qwen3_planner.calibrate.vllm_log import read_vllm_log
from qwen3_planner.errors import SpecError
from qwen3_planner.request import KvCacheDtype, ParallelismWish, PlanRequest, Quantization
from qwen3_planner.units import GIB
from support.accuracy.rows import launches
from support.engine_logs import log_of

if TYPE_CHECKING:
    from pathlib import Path

    from qwen3_planner.calibrate.reading import Reading
    from support.accuracy.rows import Launch

BY_ID = {launch.id: launch for launch in launches()}
M1, N01, V004 = BY_ID["M1"], BY_ID["N01"], BY_ID["V004"]
SG03 = BY_ID["SG03"]

PREFIXES = (
    "",
    "\x1b[36m(APIServer pid=1)\x1b[0;0m ",
    "2026-11-23T10:00:01.123456789Z stdout F ",
    "vllm-1  | ",
    "[pod/qwen3-7f9c/engine] ",
    "Nov 23 10:00:01 node7 docker[2211]: ",
)
"""What stands before a line: colours, containerd, compose, kubectl --prefix, journald."""


def read(text: str) -> Reading:
    lines = enumerate(text.splitlines(), 1)
    reader = read_sglang_log if "server_args" in text else read_vllm_log
    return reader("engine.log", lines)


def facts(reading: Reading) -> dict[str, object]:
    return {name: stated.value for name, stated in reading.facts.items()}


def test_a_log_of_vllm_tells_how_it_ran_and_what_it_took() -> None:
    reading = read(log_of(N01))
    told = facts(reading)
    assert (told["engine"], told["version"], told["model"]) == ("vllm", "0.19.0", "Qwen/Qwen3-8B")
    assert (told["tensor"], told["max_model_len"], told["utilization"]) == (1, 40960, 0.9)
    assert reading.figures["weights"].value == pytest.approx(15.27 * GIB)
    assert reading.figures["kv"].value == pytest.approx(19.36 * GIB)
    assert reading.figures["kv_tokens"].value == 140960
    assert reading.figures["kv_tokens"].place == "engine.log line 6"


def test_a_log_of_sglang_tells_the_same() -> None:
    reading = read(log_of(SG03))
    told = facts(reading)
    assert (told["engine"], told["model"]) == ("sglang", "Qwen/Qwen3-30B-A3B-FP8")
    assert (told["tensor"], told["utilization"]) == (1, 0.83)
    assert reading.figures["kv_tokens"].value == 392920
    assert reading.figures["kv"].value == pytest.approx(35.98 * GIB)
    assert "max_num_seqs" not in told, "what the scheduler settled on was not asked for"


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("launch", [M1, SG03], ids=["vllm", "sglang"])
def test_what_stands_before_a_line_does_not_matter(prefix: str, launch: Launch) -> None:
    from qwen3_planner.calibrate.sources import _clean  # noqa: PLC0415 - what files go through

    plain = read(log_of(launch))
    lines = log_of(launch, prefix=prefix).splitlines()
    reading = read("\n".join(_clean(line.encode()) for line in lines))
    assert reading.figures.keys() == plain.figures.keys()
    assert {n: s.value for n, s in reading.figures.items()} == {
        n: s.value for n, s in plain.figures.items()
    }
    assert facts(reading) == facts(plain)


def test_of_several_ranks_the_one_with_least_room_decides() -> None:
    launch = replace(V004, kv_gib=20.0)
    reading = read(log_of(launch))
    assert (launch.tensor or 0) > 1
    assert reading.figures["kv"].value == pytest.approx(20.0 * GIB)


def test_of_several_starts_the_last_counts() -> None:
    earlier = replace(M1, kv_tokens=111, max_model_len=2048)
    reading = read(log_of(earlier) + log_of(N01))
    assert reading.figures["kv_tokens"].value == 140960
    assert facts(reading)["max_model_len"] == 40960


@pytest.mark.parametrize(
    ("line", "name", "gib"),
    [
        ("Model loading took 15.2683 GiB and 3.1 seconds", "weights", 15.2683),
        ("Model loading took 15.27 GiB memory and 3.1 seconds", "weights", 15.27),
        ("model weights take 61.03GiB; non_torch_memory takes 0.14GiB;", "weights", 61.03),
        ("model weights take 61.03GiB; non_torch_memory takes 0.14GiB;", "non_torch", 0.14),
        (
            (
                " PyTorch activation peak memory takes 5.64GiB; the rest of the memory reserved for"
                " KV Cache is 4.45GiB."
            ),
            "activation",
            5.64,
        ),
        (" the rest of the memory reserved for KV Cache is 4.45GiB.", "kv", 4.45),
        ("Available KV cache memory: 19.36 GiB", "kv", 19.36),
        ("Available KV cache memory: -1.50 GiB", "kv", -1.5),
        ("Graph capturing finished in 21 secs, took 0.55 GiB", "graphs", 0.55),
        ("Estimated CUDA graph memory: 0.35 GiB total", "graphs_estimate", 0.35),
        (
            (
                "Free memory on device (78.6/79.18 GiB) on startup. Desired GPU memory utilization"
                " is (0.9, 71.26 GiB). Actual usage is 61.03 GiB for weight, 5.64 GiB for peak"
                " activation, 0.14 GiB for non-torch memory, and 0.77 GiB for CUDAGraph memory."
            ),
            "activation",
            5.64,
        ),
        (
            (
                "Free memory on device (78.6/79.18 GiB) on startup. Desired GPU memory utilization"
                " is (0.9, 71.26 GiB)."
            ),
            "device",
            79.18,
        ),
        ("larger than the available KV cache memory (4.45 GiB). Based on", "kv", 4.45),
        ("Explicitly set (1.0/18.09) GiB for KV cache on node 0.", "kv", 1.0),
    ],
)
def test_each_way_in_which_vllm_says_a_size_is_read(line: str, name: str, gib: float) -> None:
    reading = read_vllm_log("x", [(1, f"INFO 11-23 10:00:00 [a.py:1] {line}")])
    assert reading.figures[name].value == pytest.approx(gib * GIB)


@pytest.mark.parametrize(
    ("line", "tokens"),
    [
        ("GPU KV cache size: 602,960 tokens", 602960),
        (
            (
                "GPU KV cache size: 602,960 tokens, Maximum concurrency for 40,960 tokens per"
                " request: 14.72x"
            ),
            602960,
        ),
        ("CPU KV cache size: 128,000 tokens", 128000),
    ],
)
def test_each_way_in_which_vllm_says_its_tokens_is_read(line: str, tokens: int) -> None:
    assert read_vllm_log("x", [(1, line)]).figures["kv_tokens"].value == tokens


@pytest.mark.parametrize(
    ("line", "tokens", "gib"),
    [
        ("KV Cache is allocated. #tokens: 91749, K size: 7.00 GB, V size: 7.00 GB", 91749, 14.0),
        ("KV Cache is allocated. #tokens: 91749, KV size: 14.00 GB", 91749, 14.0),
        (
            (
                "KV Cache is allocated. dtype: torch.bfloat16, #tokens: 91749, K size: 7.00 GB, V"
                " size: 7.00 GB"
            ),
            91749,
            14.0,
        ),
    ],
)
def test_each_way_in_which_sglang_says_its_pool_is_read(line: str, tokens: int, gib: float) -> None:
    figures = read_sglang_log("x", [(1, f"[2026-11-23 TP0] {line}")]).figures
    assert figures["kv_tokens"].value == tokens
    assert figures["kv"].value == pytest.approx(gib * GIB)


def test_sglang_s_later_releases_name_whose_graphs_and_pools_they_are() -> None:
    lines = (
        "Capture target decode CUDA graph end. elapsed=7.9 s, mem usage=0.34 GB, avail mem=9 GB.",
        "KV Cache is allocated. dtype: torch.bfloat16, #tokens: 500, K size: 2.0 GB, V size: 2 GB",
        "draft KV Cache is allocated. dtype: x, #tokens: 500, K size: 0.10 GB, V size: 0.10 GB",
        "Capture draft decode CUDA graph end. elapsed=1.0 s, mem usage=0.90 GB, avail mem=8.0 GB.",
    )
    figures = read_sglang_log("x", enumerate(lines, 1)).figures
    assert figures["graphs"].value == pytest.approx(0.34 * GIB)
    assert figures["kv"].value == pytest.approx(4 * GIB)


def test_sglang_tells_its_memory_by_lines_of_all_releases() -> None:
    lines = (
        "Load weight begin. avail mem=78.47 GB",
        (
            "Load weight end. elapsed=9.1 s, type=Qwen3MoeForCausalLM, quant=fp8, avail mem=49.3"
            " GB, mem usage=29.15 GB."
        ),
        "Memory pool end. avail mem=12.70 GB",
        "Capture cuda graph end. Time elapsed: 7.9 s. mem usage=0.34 GB. avail mem=10.54 GB.",
    )
    figures = read_sglang_log("x", enumerate(lines, 1)).figures
    sizes = {name: round(float(stated.value) / GIB, 2) for name, stated in figures.items()}
    assert sizes == {
        "free_before": 78.47,
        "weights": 29.15,
        "left_after_pool": 12.7,
        "graphs": 0.34,
        "left": 10.54,
    }


def test_arguments_of_all_releases_are_read() -> None:
    namespace = (
        "INFO 04-28 10:00:00 [api_server.py:1044] args: Namespace(subparser='serve',"
        " model_tag='Qwen/Qwen3-32B', max_model_len=16000, tensor_parallel_size=2,"
        " gpu_memory_utilization=0.9, max_num_seqs=None, enforce_eager=False)"
    )
    command = "$ vllm serve Qwen/Qwen3-32B -tp 2 --max-model-len=16000 --gpu-memory-utilization 0.9"
    for line in (namespace, command):
        told = facts(read_vllm_log("x", [(1, line)]))
        assert told["model"] == "Qwen/Qwen3-32B"
        assert (told["tensor"], told["max_model_len"], told["utilization"]) == (2, 16000, 0.9)
        assert "max_num_seqs" not in told
    banner = "(APIServer pid=7)   ▄▄ ▄█ █     █     █ ▀▄▀ █  version 0.32.0"
    assert facts(read_vllm_log("x", [(1, banner)]))["version"] == "0.32.0"


def test_a_card_named_by_a_kernel_s_configuration_is_read() -> None:
    line = (
        "Using default MoE config. Config file not found at"
        " /x/configs/E=128,N=768,device_name=NVIDIA_H100_80GB_HBM3.json"
    )
    assert facts(read_vllm_log("x", [(1, line)]))["accelerator"] == "NVIDIA_H100_80GB_HBM3"


def test_a_log_that_ends_early_says_where() -> None:
    cut = log_of(N01).splitlines()[:4]
    reading = read("\n".join(cut))
    assert reading.notes == ["the log ends at line 4 before the KV cache is sized"]


def test_a_start_that_failed_says_why() -> None:
    text = log_of(N01).splitlines()[:4]
    text.append("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.")
    assert read("\n".join(text)).notes == ["the GPU ran out of memory"]


def test_the_engine_of_old_is_refused() -> None:
    line = "Initializing a V0 LLM engine (v0.8.5) with config: model='Qwen/Qwen3-8B'"
    with pytest.raises(SpecError, match="V0 engine is not planned"):
        read_vllm_log("old.log", [(1, line)])


@pytest.mark.parametrize("launch", [M1, SG03], ids=["vllm", "sglang"])
def test_a_log_in_docker_s_own_files_is_read(launch: Launch, tmp_path: Path) -> None:
    lines = log_of(launch).splitlines()
    stamp = "2026-11-23T10:00:00Z"
    wrapped = [json.dumps({"log": f"{x}\n", "stream": "stdout", "time": stamp}) for x in lines]
    (tmp_path / "c.log").write_text("\n".join(wrapped))
    reading, _, _ = read_source(str(tmp_path / "c.log"))
    assert reading.figures.keys() == read(log_of(launch)).figures.keys()
    assert facts(reading) == facts(read(log_of(launch)))


def test_a_log_that_begins_with_a_bracket_is_no_json(tmp_path: Path) -> None:
    (tmp_path / "s.log").write_text(log_of(SG03))
    assert log_of(SG03).startswith("[2026")
    assert read_source(str(tmp_path / "s.log"))[0].format == "sglang-log"


def asked(**changed: object) -> PlanRequest:
    stated = {name: Stated(value, "x.log line 1") for name, value in changed.items()}  # type: ignore[arg-type]
    return with_facts(PlanRequest("Qwen3-8B"), stated)


def test_what_takes_memory_of_its_own_is_counted_or_asked_for() -> None:
    assert asked(lora=True).tuning.max_loras == 1
    assert asked(speculative="{'method': 'ngram'}").tuning.draft_model is None
    with pytest.raises(SpecError, match="a model drafts tokens"):
        asked(speculative="{'model': 'Qwen/Qwen3-0.6B', 'num_speculative_tokens': 3}")
    with pytest.raises(SpecError, match="a model drafts tokens"):
        asked(speculative="EAGLE3", engine="sglang")
    with pytest.raises(SpecError, match="the size of the KV cache was given"):
        asked(max_total_tokens=10000)


def test_engines_own_words_become_ours() -> None:
    spread = asked(shows_layout=True, tensor=4, data=2, expert_parallel=True, engine="vllm")
    assert spread.parallelism == ParallelismWish(4, 1, 2, 8)
    copied = asked(
        engine="sglang", shows_layout=True, tensor=8, data_attention=True, replicas=2, expert=8
    )
    assert copied.parallelism == ParallelismWish(4, 1, 2, 8)
    assert asked(version="0.11.1rc2.dev16+gabcdef").engine_version == "0.11.1"
    assert asked(kv_cache_dtype="fp8_e4m3").kv_cache_dtype is KvCacheDtype.FP8
    assert asked(shows_layout=True, dtype="torch.float16").quantization is Quantization.FP16
    assert asked(method="awq_marlin").quantization is Quantization.AWQ_INT4
    assert asked(max_num_batched_tokens=-1).tuning.max_num_batched_tokens is None
    with pytest.raises(SpecError, match="is several weight formats"):
        asked(method="compressed-tensors")
    with pytest.raises(SpecError, match="is not planned"):
        asked(method="bitsandbytes")
