"""Memory outside tensors: the CUDA context's growth and communication buffers; host memory."""

from __future__ import annotations

from math import sqrt

from qwen3_planner.engines.vllm.semantics import Runner
from qwen3_planner.units import GIB

SINGLE_RANK_BYTES = int(0.135 * GIB)
"""Non-torch memory of a lone GPU: 0.13, 0.13, 0.13, 0.13, 0.14, 0.14 GiB in six start-up logs.

vLLM 0.11 on H100; llm-d/llm-d-benchmark@2593348 config_explorer/empirical-vllm-memory-results.md.
"""

GROUPED_RANK_BYTES = int(0.545 * GIB)
"""The same in a group of GPUs: 0.54 and 0.55 GiB at TP2 in two such logs (NCCL channels and the
custom all-reduce buffers)."""

HOST_BYTES_PER_WORKER = 6 * GIB
"""Host memory of one worker process: Python with torch and CUDA libraries and pinned staging for
loading. Assumed; safetensors files are mapped, so their pages are reclaimable."""

HOST_BYTES_PER_SERVER = 4 * GIB
"""Host memory of the API server and the engine core process. Assumed."""


def non_torch_bytes(world_size: int) -> int:
    """Return what one GPU loses to context growth and communication.

    >>> non_torch_bytes(1) < non_torch_bytes(2) == non_torch_bytes(8)
    True
    """
    return SINGLE_RANK_BYTES if world_size == 1 else GROUPED_RANK_BYTES


def host_bytes(gpus: int, data: int) -> int:
    """Return the host memory that the pods of one replica ask for.

    Args:
        gpus: of the replica; one worker process each.
        data: data-parallel ranks; one engine core process each.
    """
    return gpus * HOST_BYTES_PER_WORKER + data * HOST_BYTES_PER_SERVER


UNEXPLAINED_BYTES = {Runner.V1: 0, Runner.V2: int(0.75 * GIB)}
"""What logs of the V2 runner lose beyond the formulas: 0 to 1.8 GiB, 0.9 in the middle, over seven
runs of 8B, 14B and 32B on four kinds of GPU with 0.27.1 and 0.28.0. No log of a newer release
is known to us; its profiling pins less memory, so a little less is taken."""

RUNNER_ERROR_BYTES = {Runner.V1: 0.2 * GIB, Runner.V2: 0.6 * GIB}
"""One standard deviation of activation, graphs and workspaces together: 0.00 to 0.33 GiB over
eight logs of the V1 runner, and the spread of the seven of V2."""

GROUP_ERROR_BYTES = 0.2 * GIB
"""Spread of communication buffers over machines with and without NVLink. Assumed."""

PIPELINE_ERROR_BYTES = 0.6 * GIB
"""A pipelined run (vLLM 0.27.1, 32B on two GPUs) held 1.3 GiB less KV than these formulas say."""

WEIGHTS_ERROR = 0.001
"""Share of the weights: the largest error of bf16 logs."""

QUANTIZED_WEIGHTS_ERROR = 0.005
"""The same of quantized logs: kernels repack tensors into blocks of other sizes."""


def memory_error_bytes(
    world_size: int, pipeline: int, runner: Runner, weights: int, *, is_quantized: bool
) -> float:
    """Return how far the KV memory of one GPU may be off for the formulas, one sigma.

    >>> memory_error_bytes(1, 1, Runner.V1, 0, is_quantized=False) / GIB
    0.2
    """
    share = QUANTIZED_WEIGHTS_ERROR if is_quantized else WEIGHTS_ERROR
    parts = [RUNNER_ERROR_BYTES[runner], weights * share]
    if world_size > 1:
        parts.append(GROUP_ERROR_BYTES)
    if pipeline > 1:
        parts.append(PIPELINE_ERROR_BYTES)
    return sqrt(sum(part**2 for part in parts))
