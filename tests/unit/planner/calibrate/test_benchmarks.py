"""Results of benchmarks: what is read of each form, and what a wrong or cut one is told."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_planner.calibrate.recognizing import read_source
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

    from qwen3_planner.calibrate.reading import Reading

VLLM = {
    "date": "20261123-100000",
    "backend": "vllm",
    "model_id": "Qwen/Qwen3-8B",
    "num_prompts": 200,
    "request_rate": "inf",
    "max_concurrency": 16,
    "duration": 100.0,
    "completed": 200,
    "failed": 0,
    "total_input_tokens": 204800,
    "total_output_tokens": 51200,
    "request_throughput": 2.0,
    "output_throughput": 512.0,
    "mean_ttft_ms": 180.0,
    "mean_tpot_ms": 30.0,
}

PRINTED = """
============ Serving Benchmark Result ============
Successful requests:                     200
Maximum request concurrency:             16
Benchmark duration (s):                  100.00
Total input tokens:                      204800
Total generated tokens:                  51200
Request throughput (req/s):              2.00
Output token throughput (tok/s):         512.00
---------------Time to First Token----------------
Mean TTFT (ms):                          180.00
Median TTFT (ms):                        170.00
-----Time per Output Token (excl. 1st token)------
Mean TPOT (ms):                          30.00
==================================================
"""

LLAMA = {
    "build_commit": "abcdef12",
    "build_number": 6000,
    "gpu_info": "NVIDIA GeForce RTX 4090",
    "model_type": "qwen3 8B Q4_K - Medium",
    "model_n_params": 8190735360,
    "n_prompt": 512,
    "n_gen": 0,
    "avg_ts": 9000.5,
}

TABLE = """
| model                          |       size |     params | backend    | ngl |     test |              t/s |
| ------------------------------ | ---------: | ---------: | ---------- | --: | -------: | ---------------: |
| qwen3 8B Q4_K - Medium         |   4.68 GiB |     8.19 B | CUDA       |  99 |    pp512 |   9000.50 ± 12.3 |
| qwen3 8B Q4_K - Medium         |   4.68 GiB |     8.19 B | CUDA       |  99 |    tg128 |    130.25 ± 0.51 |
| qwen3 8B Q4_K - Medium         |   4.68 GiB |     8.19 B | CUDA       |  99 | tg64 @ d4096 |  110.00 ± 0.5 |
| qwen3 8B Q4_K - Medium         |   4.68 GiB |     8.19 B | CUDA       |  99 | pp512 @ d4096 | 6000.00 ± 9.0 |

build: abcdef12 (6000)
"""  # noqa: E501 - as it is printed


def metric(mean: float) -> dict[str, Any]:
    return {"successful": {"mean": mean, "median": mean}, "errored": {"mean": 0.0}}


GUIDELLM: dict[str, Any] = {
    "args": {"target": "http://localhost:8000", "model": "Qwen/Qwen3-8B"},
    "benchmarks": [
        {
            "config": {"strategy": {"type_": "concurrent", "streams": 16}},
            "metrics": {
                "request_concurrency": metric(15.7),
                "prompt_token_count": metric(1024.0),
                "output_token_count": metric(256.0),
                "time_to_first_token_ms": metric(180.0),
                "time_per_output_token_ms": metric(30.6),
                "inter_token_latency_ms": metric(30.0),
                "output_tokens_per_second": metric(512.0),
            },
        },
        {
            "config": {"strategy": {"type_": "constant", "rate": 2.0}},
            "metrics": {
                "request_concurrency": metric(8.2),
                "prompt_token_count": metric(1024.0),
                "output_token_count": metric(256.0),
                "time_to_first_token_ms": metric(90.0),
                "inter_token_latency_ms": metric(22.0),
                "output_tokens_per_second": metric(400.0),
            },
        },
    ],
}


def read(folder: Path, text: str, name: str = "result") -> Reading:
    (folder / name).write_text(text, "utf-8")
    reading, _, _ = read_source(str(folder / name))
    return reading


@pytest.mark.parametrize("form", ["json", "json lines", "list", "printed"])
def test_each_form_of_a_serving_benchmark_says_the_same(tmp_path: Path, form: str) -> None:
    texts = {
        "json": json.dumps(VLLM),
        "json lines": json.dumps(VLLM) + "\n" + json.dumps({**VLLM, "max_concurrency": 32}),
        "list": json.dumps([VLLM], indent=2),
        "printed": f"starting\n{PRINTED}",
    }
    reading = read(tmp_path, texts[form])
    run = reading.runs[0]
    assert reading.format == "vllm-bench"
    assert (run.input_tokens, run.output_tokens, run.concurrency) == (1024, 256, 16)
    assert run.measured == {"output_tokens_per_s": 512.0, "tpot_ms": 30.0, "ttft_ms": 180.0}
    assert len(reading.runs) == (2 if form == "json lines" else 1)


def test_without_a_limit_requests_in_flight_follow_from_little_s_law(tmp_path: Path) -> None:
    """2 requests a second of 0.18 + 255 x 0.03 s each are 15.7 in flight."""
    reading = read(tmp_path, json.dumps({**VLLM, "max_concurrency": None, "request_rate": 2.0}))
    assert reading.runs[0].concurrency == 16
    assert "ttft_ms" not in reading.runs[0].measured


def test_what_it_prints_of_its_own_arguments_is_read(tmp_path: Path) -> None:
    line = "Namespace(bench_type='serve', num_prompts=200, backend='vllm', model='Qwen/Qwen3-8B')"
    reading = read(tmp_path, f"{line}\n{PRINTED}")
    assert reading.facts["model"].value == "Qwen/Qwen3-8B"
    assert reading.facts["engine"].value == "vllm"


def test_failed_requests_are_told(tmp_path: Path) -> None:
    assert (
        "50 of 250 requests failed" in read(tmp_path, json.dumps({**VLLM, "failed": 50})).notes[0]
    )


def test_guidellm_tells_each_load_and_its_own_time_per_token(tmp_path: Path) -> None:
    reading = read(tmp_path, json.dumps(GUIDELLM))
    first, second = reading.runs
    assert reading.facts["model"].value == "Qwen/Qwen3-8B"
    assert (first.concurrency, first.measured["tpot_ms"]) == (16, 30.0)
    assert second.concurrency == 8
    assert "ttft_ms" not in second.measured, "clients that do not wait"


@pytest.mark.parametrize(
    "place",
    [
        {"args": {"model": "Qwen/Qwen3-8B"}},
        {"config": {"backend": {"kind": "openai_http", "model": "Qwen/Qwen3-8B"}}},
    ],
    ids=["0.5", "0.7"],
)
def test_guidellm_s_releases_keep_the_model_in_different_places(
    tmp_path: Path, place: dict[str, Any]
) -> None:
    report = {**place, "benchmarks": GUIDELLM["benchmarks"]}
    assert read(tmp_path, json.dumps(report)).facts["model"].value == "Qwen/Qwen3-8B"
    old = {
        "benchmarks": [{**GUIDELLM["benchmarks"][0], "worker": {"backend_model": "Qwen/Qwen3-8B"}}]
    }
    assert read(tmp_path, json.dumps(old)).facts["model"].value == "Qwen/Qwen3-8B"


@pytest.mark.parametrize("form", ["json", "json lines", "csv", "md"])
def test_each_form_of_llama_bench_says_the_same(tmp_path: Path, form: str) -> None:
    generation = {**LLAMA, "n_prompt": 0, "n_gen": 128, "avg_ts": 130.25}
    rows = [LLAMA, generation]
    header = ",".join(LLAMA)
    csv = "\n".join(",".join(f'"{row[key]}"' for key in LLAMA) for row in rows)
    texts = {
        "json": json.dumps(rows),
        "json lines": "\n".join(json.dumps(row) for row in rows),
        "csv": f"{header}\n{csv}\n",
        "md": TABLE,
    }
    reading = read(tmp_path, texts[form])
    prompt, decode = reading.runs[:2]
    assert reading.facts["version"].value == "b6000"
    assert reading.facts["engine"].value == "llamacpp"
    assert (prompt.input_tokens, prompt.measured) == (512, {"prompt_tokens_per_s": 9000.5})
    assert (decode.output_tokens, decode.measured) == (128, {"decode_tokens_per_s": 130.25})


def test_generation_at_a_depth_is_of_that_context_and_a_prompt_there_is_left_out(
    tmp_path: Path,
) -> None:
    reading = read(tmp_path, TABLE)
    assert reading.runs[2].input_tokens == 4096
    assert len(reading.runs) == 3
    assert "a prompt behind 4096 tokens, left out" in reading.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("   \n\n", "is empty"),
        (json.dumps(VLLM)[:-40], "is no whole JSON"),
        ('{"completed": 3, "duration"', "is no whole JSON"),
        (json.dumps({**VLLM, "completed": 0}), "no request succeeded"),
        (json.dumps({"completed": 5, "duration": 1.0}), "states no total_input_tokens"),
        (json.dumps({"a": 1, "b": 2}), "is JSON of none of the known programs (it has a, b)"),
        ("[]", "is an empty list"),
        ("[1, 2]", "is no object"),
        ("[" * 100_000, "is nested deeper"),
        (json.dumps({"benchmarks": [{}]}), "has no metrics"),
        (json.dumps({"benchmarks": []}), "no request of any benchmark succeeded"),
        (json.dumps({**LLAMA, "avg_ts": "fast"}), "'fast' is no number"),
        (json.dumps({**LLAMA, "avg_ts": 0}), "the run failed"),
        (TABLE.replace("pp512", "xx512"), "is no row of llama-bench"),
        ("hello\nworld\n", "none of its first 2 lines is of a log or a benchmark"),
        (PRINTED.split("Total generated", maxsplit=1)[0], "states no total_output_tokens"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SpecError) as told:
        read(tmp_path, text)
    assert told.value.field == "FILE"
    assert said in told.value.reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"GPU\0KV cache", "is no text"),
        ("vllm serve".encode("utf-16"), "is UTF-16 text"),
    ],
)
def test_what_is_no_text_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "odd").write_bytes(content)
    with pytest.raises(SpecError, match=said):
        read_source(str(tmp_path / "odd"))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read: No such file"):
        read_source(str(tmp_path / "none.log"))
