"""Command lines of engines that stand in a log or were pasted with it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.calibrate.reading import Value

VLLM = {
    "--model": "model",
    "--tensor-parallel-size": "tensor",
    "-tp": "tensor",
    "--pipeline-parallel-size": "pipeline",
    "-pp": "pipeline",
    "--data-parallel-size": "data",
    "-dp": "data",
    "--gpu-memory-utilization": "utilization",
    "--max-model-len": "max_model_len",
    "--max-num-seqs": "max_num_seqs",
    "--max-num-batched-tokens": "max_num_batched_tokens",
    "--kv-cache-dtype": "kv_cache_dtype",
    "--kv-cache-memory-bytes": "kv_cache_memory_bytes",
    "--quantization": "method",
    "-q": "method",
}
SGLANG = {
    "--model-path": "model",
    "--model": "model",
    "--tp": "tensor",
    "--tp-size": "tensor",
    "--tensor-parallel-size": "tensor",
    "--pp-size": "pipeline",
    "--ep": "expert",
    "--ep-size": "expert",
    "--mem-fraction-static": "utilization",
    "--context-length": "max_model_len",
    "--max-running-requests": "max_num_seqs",
    "--chunked-prefill-size": "max_num_batched_tokens",
    "--kv-cache-dtype": "kv_cache_dtype",
    "--quantization": "method",
}
VLLM_SWITCHES = {"--enforce-eager": "enforce_eager", "--enable-expert-parallel": "expert_parallel"}
SGLANG_SWITCHES = {"--disable-cuda-graph": "enforce_eager"}

WHOLE = (
    "tensor",
    "pipeline",
    "data",
    "expert",
    "max_model_len",
    "max_num_seqs",
    "max_num_batched_tokens",
    "kv_cache_memory_bytes",
)
"""Facts that are whole numbers; ``32k`` is 32768 to vLLM where a capital K is used, else 32000."""

_UNITS = {"k": 1000, "m": 1000**2, "g": 1000**3, "K": 1024, "M": 1024**2, "G": 1024**3}


def facts_of_command(text: str, engine: str) -> dict[str, Value]:
    """Read what a command line fixes, whatever else stands on it.

    >>> facts_of_command("Qwen/Qwen3-8B -tp 2 --max-model-len=32K --enforce-eager", "vllm")
    {'model': 'Qwen/Qwen3-8B', 'tensor': 2, 'max_model_len': 32768, 'enforce_eager': True}
    """
    values, switches = (VLLM, VLLM_SWITCHES) if engine == "vllm" else (SGLANG, SGLANG_SWITCHES)
    words = _words(text)
    facts: dict[str, Value] = {}
    if engine == "vllm" and words and not words[0].startswith("-"):
        facts["model"] = words[0]
    for option, value in _options(words):
        if option in switches:
            facts[switches[option]] = True
        elif option in values and value is not None:
            converted = _converted(values[option], value)
            if converted is not None:
                facts[values[option]] = converted
    return facts


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text.strip().rstrip("\\"), comments=False)
    except ValueError:  # a quote that never ends: the line was cut
        return text.split()


def _options(words: list[str]) -> Iterator[tuple[str, str | None]]:
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if equals:
            yield name, value
        elif word.startswith("-"):
            following = words[index + 1] if index + 1 < len(words) else None
            yield word, following


def _converted(name: str, value: str) -> Value | None:
    try:
        if name == "utilization":
            return float(value)
        if name in WHOLE:
            unit = _UNITS.get(value[-1:], 1)
            return round(float(value[:-1] if unit > 1 else value) * unit)
    except ValueError:
        return None
    return value
