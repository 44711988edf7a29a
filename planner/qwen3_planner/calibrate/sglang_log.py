"""Start-up logs of SGLang, 0.4.6 to 0.5.23: settings, memory of the tightest rank, failures.

Texts: PyPI sglang 0.4.6.post1 to 0.5.23 srt/model_executor, srt/mem_cache/memory_pool.py,
srt/managers/scheduler.py, srt/entrypoints/engine.py. Its "GB" are 2^30 bytes
(srt/utils: ``GB = 1024 * 1024 * 1024``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qwen3_planner.calibrate.command_lines import facts_of_command
from qwen3_planner.calibrate.reading import Reading, Stated
from qwen3_planner.calibrate.vllm_log import convert, keep
from qwen3_planner.units import GIB

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = "sglang-log"

MARKS = (
    "server_args=",
    "Load weight end.",
    "Load weight begin.",
    "KV Cache is allocated.",
    "max_total_num_tokens=",
    "Memory pool end.",
    "Capture cuda graph",
    "sglang.launch_server",
)

_I = re.IGNORECASE
_GB = r"(-?\d+(?:\.\d+)?)\s?GB"

SIZES: tuple[tuple[str, re.Pattern[str], bool], ...] = (
    ("weights", re.compile(rf"Load weight end\..*mem usage={_GB}"), False),
    ("free_before", re.compile(rf"Load weight begin\. avail mem={_GB}"), True),
    (
        "graphs",
        re.compile(rf"Capture (?:target )?(?:decode )?cuda graph end\..*mem usage={_GB}", _I),
        False,
    ),
    ("left_after_pool", re.compile(rf"Memory pool end\. avail mem={_GB}"), True),
    ("left", re.compile(rf"[Cc]apture .*graph end\..*avail mem={_GB}"), True),
)
"""Name, text, whether the least of several ranks counts."""

_POOL = re.compile(
    rf"KV Cache is allocated\..*?#tokens: (\d+), (?:KV size: {_GB}|K size: {_GB}, V size: {_GB})"
)
_SUMMARY = re.compile(r"\bmax_total_num_tokens=(\d+), ")
_CONTEXT = re.compile(r"\bcontext_len=(\d+)")
_BYTES = re.compile(r"sglang:v(\d+\.\d+[\w.]*)")
_DEVICE = re.compile(r"device_name=([\w-]+?)(?:,|\.json)")
_VERSION = re.compile(r"sglang(?: version|==|-)[ :]*v?(\d+\.\d+\.\d+(?:\.post\d+)?)", re.IGNORECASE)

ARGUMENT_NAMES = {
    "model_path": "model",
    "tp_size": "tensor",
    "pp_size": "pipeline",
    "ep_size": "expert",
    "dp_size": "replicas",
    "attn_dp_size": "data",
    "enable_dp_attention": "data_attention",
    "mem_fraction_static": "utilization",
    "context_length": "max_model_len",
    "max_running_requests": "max_num_seqs",
    "chunked_prefill_size": "max_num_batched_tokens",
    "max_total_tokens": "max_total_tokens",
    "kv_cache_dtype": "kv_cache_dtype",
    "quantization": "method",
    "dtype": "dtype",
    "device": "device",
    "disable_cuda_graph": "enforce_eager",
    "speculative_algorithm": "speculative",
    "cpu_offload_gb": "cpu_offload_gb",
}
"""What SGLang prints of its settings, and our name of it."""

_PAIR = re.compile(
    r"['\"]?\b([a-z_]+)['\"]?\s?[:=]\s?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|-?[\w.+-]+)"
)

FAILURES: tuple[tuple[str, str], ...] = (
    ("Not enough memory. Please try to increase --mem-fraction-static", "nothing was left for KV"),
    ("Loaded weights leave no GPU memory", "nothing was left for the KV cache"),
    ("torch.OutOfMemoryError", "the GPU ran out of memory"),
    ("CUDA out of memory", "the GPU ran out of memory"),
    ("Scheduler hit an exception", "the scheduler failed"),
)


def read_sglang_log(name: str, lines: Iterable[tuple[int, str]]) -> Reading:
    """Read a start-up log; of several starts pasted together the last counts."""
    reading, failure, last = Reading(FORMAT), "", 0
    for number, line in lines:
        last = number
        place = f"{name} line {number}"
        if "server_args=" in line:
            kept = {key: reading.facts[key] for key in ("version",) if key in reading.facts}
            reading, failure = Reading(FORMAT, facts=kept), ""
        _facts(reading, line, place)
        _figures(reading, line, place)
        failure = failure or next((said for text, said in FAILURES if text in line), "")
    reading.facts.setdefault("engine", Stated("sglang", name))
    if "kv_tokens" not in reading.figures:
        reading.notes.append(failure or f"the log ends at line {last} before the KV cache is sized")
    return reading


def _facts(reading: Reading, line: str, place: str) -> None:
    if "server_args=" in line:
        for key, raw in _PAIR.findall(line.partition("server_args=")[2]):
            value = convert(raw)
            if key in ARGUMENT_NAMES and value is not None:
                reading.facts.setdefault(ARGUMENT_NAMES[key], Stated(value, place))
        reading.facts["shows_arguments"] = Stated(value=True, place=place)
        reading.facts["shows_layout"] = Stated(value=True, place=place)
    elif "sglang.launch_server" in line:
        command = line.partition("sglang.launch_server")[2]
        for name, value in facts_of_command(command, "sglang").items():
            reading.facts.setdefault(name, Stated(value, place))
    for name, pattern in (("version", _BYTES), ("version", _VERSION), ("accelerator", _DEVICE)):
        found = pattern.search(line)
        if found:
            reading.facts.setdefault(name, Stated(found[1].rstrip("."), place))
    context = _CONTEXT.search(line)
    if context and _SUMMARY.search(line):
        reading.facts.setdefault("max_model_len", Stated(int(context[1]), place))


def _figures(reading: Reading, line: str, place: str) -> None:
    if "draft" in line.lower():
        return  # a model that drafts has weights, pool and graphs of its own
    for name, pattern, least in SIZES:
        found = pattern.search(line)
        if found:
            keep(reading, name, float(found[1]) * GIB, place, least=least)
    pool = _POOL.search(line)
    if pool:
        tokens, whole, keys, values = pool.groups()
        size = float(whole) if whole else float(keys) + float(values)
        keep(reading, "kv_tokens", float(tokens), place, least=True)
        keep(reading, "kv", size * GIB, place, least=True)
    summary = _SUMMARY.search(line)
    if summary:
        keep(reading, "kv_tokens", float(summary[1]), place, least=True)
