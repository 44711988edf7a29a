"""Start-up logs of vLLM, 0.8.5 to 0.33, V1 engine: settings, memory of the tightest rank, failures.

Lines are searched for what they say, so whatever stands before it (timestamps, ranks, container
names) does not matter. Texts: PyPI vllm 0.8.5 to 0.33.0 v1/worker/gpu_worker.py,
v1/worker/gpu_model_runner.py, v1/core/kv_cache_utils.py, v1/engine/core.py, entrypoints/utils.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qwen3_planner.calibrate.command_lines import facts_of_command
from qwen3_planner.calibrate.reading import Reading, Stated
from qwen3_planner.errors import SpecError
from qwen3_planner.units import GIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from qwen3_planner.calibrate.reading import Value

FORMAT = "vllm-log"

MARKS = (
    "Initializing a V1 LLM engine",
    "vLLM API server version",
    "Model loading took",
    "Available KV cache memory",
    "GPU KV cache size",
    "CPU KV cache size",
    "non-default args:",
    "vllm serve ",
    "[gpu_worker.py",
    "[kv_cache_utils.py",
)
"""Texts that no other engine logs."""

_SIZE = r"(-?\d+(?:\.\d+)?)\s?(?:GiB|GB)"

FIGURES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("weights", re.compile(rf"[Mm]odel (?:loading took|weights take) {_SIZE}")),
    ("kv", re.compile(rf"Available KV cache memory: {_SIZE}")),
    ("kv", re.compile(rf"memory reserved for KV Cache is {_SIZE}")),
    ("kv", re.compile(rf"available KV cache memory \({_SIZE}\)")),
    ("kv", re.compile(r"Explicitly set \((-?\d+(?:\.\d+)?)/[\d.]+\) GiB for KV cache")),
    ("activation", re.compile(rf"{_SIZE} for peak activation")),
    ("activation", re.compile(rf"PyTorch activation peak memory takes {_SIZE}")),
    ("activation", re.compile(rf"torch peak memory increase: {_SIZE}")),
    ("non_torch", re.compile(rf"{_SIZE} for non-torch memory")),
    ("non_torch", re.compile(rf"non_torch_memory takes {_SIZE}")),
    ("non_torch", re.compile(rf"non-torch forward increase memory: {_SIZE}")),
    ("graphs", re.compile(rf"Graph capturing finished in [\d.]+ secs?, took {_SIZE}")),
    ("graphs_estimate", re.compile(rf"Estimated CUDA graph memory: {_SIZE}")),
    (
        "device",
        re.compile(r"Free memory on device [^(]*\((?:[\d.]+)/(\d+(?:\.\d+)?) GiB\) on startup"),
    ),
    ("device", re.compile(rf"can use total_gpu_memory \({_SIZE}\)")),
)
"""Sizes in GiB; of several ranks the tightest counts."""

_LEAST = ("kv", "device")
"""Where the least of several ranks decides; of the others the most does."""

_TOKENS = re.compile(r"KV cache size: (\d[\d,]*) tokens")
_CONCURRENCY = re.compile(r"Maximum concurrency for (\d[\d,]*) tokens per request: ([\d.]+)x")
_TOO_LONG = re.compile(r"at least one request with the model's max seq len \((\d+)\)")

FACTS: tuple[tuple[str, re.Pattern[str], Callable[[str], Value]], ...] = (
    ("version", re.compile(r"LLM engine \(v(\d+\.\d+[\w.]*)"), str),
    ("version", re.compile(r"vLLM API server version (\d+\.\d+[\w.]*)"), str),
    ("version", re.compile(r"█\s+version (\d+\.\d+[\w.]*)"), str),
    ("version", re.compile(r"vllm/vllm-openai:v(\d+\.\d+[\w.]*)"), str),
    ("max_model_len", re.compile(r"Using max model len (\d+)"), int),
    ("max_num_batched_tokens", re.compile(r"with max_num_batched_tokens=(\d+)"), int),
    ("accelerator", re.compile(r"device_name=([\w-]+?)(?:,|\.json)"), str),
    ("utilization", re.compile(r"Desired GPU memory utilization is \((\d+(?:\.\d+)?),"), float),
    ("utilization", re.compile(r"current --gpu-memory-utilization=(\d+(?:\.\d+)?)"), float),
    ("utilization", re.compile(r"gpu_memory_utilization \((\d+(?:\.\d+)?)\)"), float),
)
"""Single values; :data:`CONFIG` and :data:`ARGUMENTS` hold many on one line."""

CONFIG = "LLM engine (v"
CONFIG_NAMES = {
    "model": "model",
    "max_seq_len": "max_model_len",
    "tensor_parallel_size": "tensor",
    "pipeline_parallel_size": "pipeline",
    "data_parallel_size": "data",
    "quantization": "method",
    "dtype": "dtype",
    "enforce_eager": "enforce_eager",
    "kv_cache_dtype": "kv_cache_dtype",
    "device_config": "device",
}
"""What the engine prints of its configuration, and our name of it."""

ARGUMENTS = ("non-default args:", "args: Namespace(", "] args: ")
ARGUMENT_NAMES = {
    "model": "model",
    "model_tag": "model",
    "max_model_len": "max_model_len",
    "tensor_parallel_size": "tensor",
    "pipeline_parallel_size": "pipeline",
    "data_parallel_size": "data",
    "enable_expert_parallel": "expert_parallel",
    "gpu_memory_utilization": "utilization",
    "max_num_seqs": "max_num_seqs",
    "max_num_batched_tokens": "max_num_batched_tokens",
    "kv_cache_dtype": "kv_cache_dtype",
    "kv_cache_memory_bytes": "kv_cache_memory_bytes",
    "enforce_eager": "enforce_eager",
    "cpu_offload_gb": "cpu_offload_gb",
    "quantization": "method",
    "enable_lora": "lora",
    "speculative_config": "speculative",
}
"""What was given on the command line, and our name of it."""

_PAIR = re.compile(
    r"['\"]?\b([a-z_]+)['\"]?\s?[:=]\s?"
    r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|-?[\w.+-]+(?:/[\w.+-]+)*|\{[^{}]*\})"
)
"""``name=value`` or ``'name': value``; values of our names hold no nested brackets."""

FAILURES: tuple[tuple[str, str], ...] = (
    ("No available memory for the cache blocks", "nothing was left for the KV cache"),
    ("torch.OutOfMemoryError", "the GPU ran out of memory"),
    ("CUDA out of memory", "the GPU ran out of memory"),
    ("less than desired GPU memory utilization", "other processes held memory of the GPU"),
    ("Engine core initialization failed", "the engine did not start"),
)

NOT_V1 = re.compile(r"Initializing a V0 LLM engine")


def read_vllm_log(name: str, lines: Iterable[tuple[int, str]]) -> Reading:
    """Read a start-up log; of several starts pasted together the last counts.

    Args:
        name: of the input.
        lines: with their numbers.

    Raises:
        SpecError: it is of the V0 engine, which no plan describes.
    """
    reading, failure, last = Reading(FORMAT), "", 0
    for number, line in lines:
        last = number
        place = f"{name} line {number}"
        if NOT_V1.search(line):
            reason = f"line {number}: the V0 engine is not planned; VLLM_USE_V1=1 starts the V1 one"
            raise SpecError("FILE", name, reason)
        if "vLLM API server version" in line or "█  version" in line:
            reading = Reading(FORMAT)
            failure = ""
        _facts(reading, line, place)
        _figures(reading, line, place)
        failure = failure or next((said for text, said in FAILURES if text in line), "")
    reading.facts.setdefault("engine", Stated("vllm", name))
    if "kv" not in reading.figures and "kv_tokens" not in reading.figures:
        reading.notes.append(failure or f"the log ends at line {last} before the KV cache is sized")
    return reading


def _facts(reading: Reading, line: str, place: str) -> None:
    for name, pattern, convert in FACTS:
        found = pattern.search(line)
        if found:
            reading.facts.setdefault(name, Stated(convert(found[1].rstrip(".")), place))
    if CONFIG in line:
        _pairs(reading, line.partition("config:")[2], CONFIG_NAMES, place)
        reading.facts["shows_layout"] = Stated(value=True, place=place)
    for mark in ARGUMENTS:
        if mark in line:
            _pairs(reading, line.partition(mark)[2], ARGUMENT_NAMES, place)
            reading.facts["shows_arguments"] = Stated(value=True, place=place)
            break
    if "vllm serve " in line:
        for name, value in facts_of_command(line.partition("vllm serve ")[2], "vllm").items():
            reading.facts.setdefault(name, Stated(value, place))


def _pairs(reading: Reading, text: str, names: dict[str, str], place: str) -> None:
    """Take what is named; ``None`` and empty values say nothing. The first of a name counts."""
    for key, raw in _PAIR.findall(text):
        value = convert(raw)
        if key in names and value is not None:
            reading.facts.setdefault(names[key], Stated(value, place))


def convert(raw: str) -> Value | None:
    """Turn Python's way of writing a value into the value.

    >>> [convert(raw) for raw in ("'Qwen/Qwen3-8B'", "0.9", "4", "True", "None", "torch.bfloat16")]
    ['Qwen/Qwen3-8B', 0.9, 4, True, None, 'torch.bfloat16']
    """
    if raw[:1] in "'\"":
        return raw[1:-1] or None
    if raw in ("None", "null"):
        return None
    if raw in ("True", "False"):
        return raw == "True"
    for kind in (int, float):
        try:
            return kind(raw)
        except ValueError:
            continue
    return raw


def _figures(reading: Reading, line: str, place: str) -> None:
    for name, pattern in FIGURES:
        found = pattern.search(line)
        if found:
            keep(reading, name, float(found[1]) * GIB, place, least=name in _LEAST)
    tokens = _TOKENS.search(line)
    if tokens:
        keep(reading, "kv_tokens", float(tokens[1].replace(",", "")), place, least=True)
    longest = _CONCURRENCY.search(line) or _TOO_LONG.search(line)
    if longest:
        length = int(longest[1].replace(",", ""))
        reading.facts.setdefault("max_model_len", Stated(length, place))


def keep(reading: Reading, name: str, value: float, place: str, *, least: bool) -> None:
    """Keep the figure of the rank that decides."""
    known = reading.figures.get(name)
    if known is None or (value < float(known.value) if least else value > float(known.value)):
        reading.figures[name] = Stated(value, place)
