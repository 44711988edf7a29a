"""Of a log's end the line that tells most is repeated, and nothing that is secret."""

from __future__ import annotations

import pytest

from qwen3_operator.decisions.last_words import MAX_LINE, last_error_line, redacted

VLLM = """\
(EngineCore pid=99) ERROR 11-23 10:00:00 [core.py:900] Traceback (most recent call last):
(EngineCore pid=99) ERROR 11-23 10:00:00 [core.py:900]   File "/x/core.py", line 3, in run
(EngineCore pid=99) ERROR 11-23 10:00:00 [core.py:900] ValueError: 5.00 GiB KV cache is needed
(APIServer pid=1) Traceback (most recent call last):
(APIServer pid=1)   File "/x/utils.py", line 1, in wait
(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above.
/usr/lib/resource_tracker.py:1: UserWarning: There appear to be 1 leaked semaphore objects
"""

SGLANG = """\
[2026-11-23 10:00:00 TP0] Scheduler hit an exception: Traceback (most recent call last):
  File "/x/scheduler.py", line 1, in run
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB
[2026-11-23 10:00:01] Received sigquit from a child process. It usually means the child failed.
Killed
"""

LLAMA = """\
llama_model_load: error loading model: unable to allocate CUDA0 buffer
main: exiting due to model loading error
"""


@pytest.mark.parametrize(
    ("log", "line"),
    [
        pytest.param(VLLM, "ValueError: 5.00 GiB KV cache is needed", id="vllm"),
        pytest.param(
            SGLANG,
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
            id="sglang",
        ),
        pytest.param(
            LLAMA,
            "llama_model_load: error loading model: unable to allocate CUDA0 buffer",
            id="llama.cpp",
        ),
        pytest.param(
            "usage: vllm serve\nvllm serve: error: unrecognized arguments: --foo\n",
            "vllm serve: error: unrecognized arguments: --foo",
            id="a wrong argument",
        ),
        pytest.param(
            "RuntimeError: Engine core initialization failed. See root cause above.\n",
            "RuntimeError: Engine core initialization failed. See root cause above.",
            id="hearsay, where nothing else is left",
        ),
        pytest.param("starting\ngoing\n", "going", id="the last line, where none complains"),
        pytest.param("", "", id="nothing was said"),
        pytest.param("OSError: " + "x" * 999, f"OSError: {'x' * (MAX_LINE - 10)}…", id="long"),
    ],
)
def test_the_line_that_tells_most_is_chosen(log: str, line: str) -> None:
    assert last_error_line(log) == line


@pytest.mark.parametrize(
    "text",
    [
        "OSError: 401 for https://hub/x with hf_MARKERmarker1234",
        "error: --api-key MARKERmarker1234",
        "error: --api-key=MARKERmarker1234 --port 8000",
        "error: non-default args: {'api_key': ['MARKERmarker1234'], 'port': 1}",
        "error: Authorization: Bearer MARKERmarker1234",
        "error: GET https://me:MARKERmarker1234@mirror.example/x",
        "error: HF_TOKEN=MARKERmarker1234",
        'error: {"password": "MARKERmarker1234"}',
        "error: https://bucket/x?X-Amz-Signature=MARKERmarker1234&y=1",
        "error: sk-MARKERmarker1234",
        "error: ms-0123456789-MARKER-marker1234".replace("MARKER-marker", "0123456789abcdef"),
    ],
)
def test_what_looks_like_a_secret_is_not_repeated(text: str) -> None:
    told = last_error_line(text)

    assert "***" in told
    assert "marker1234" not in told
    assert "0123456789abcdef" not in told


@pytest.mark.parametrize(
    "text",
    [
        "KV cache tokens: 4096",
        "error: --max-num-batched-tokens 8192 is too small",
        "ValueError: tokenizer class Qwen2Tokenizer is unknown",
        "http://10.0.0.3:8000/health: connection refused",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redacted(text) == text
