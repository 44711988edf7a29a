"""Memory outside tensors: the CUDA context's growth and communication buffers; host memory."""

from __future__ import annotations

from qwen3_planner.units import GIB

SINGLE_RANK_BYTES = int(0.135 * GIB)
"""Non-torch memory of a lone GPU: 0.13, 0.13, 0.13, 0.13, 0.14, 0.14 GiB in six start-up logs
(vLLM 0.11 on H100; llm-d/llm-d-benchmark@2593348 config_explorer/empirical-vllm-memory-results.md)
and 0.13 in one of 0.31 on A100; others state 0.03 to 0.07."""

GROUPED_RANK_BYTES = int(0.545 * GIB)
"""The same in a group of GPUs with links between them: 0.54 and 0.55 GiB at TP2 in two such logs
(NCCL channels, buffers of the custom all-reduce and of symmetric memory)."""

UNLINKED_RANK_BYTES = int(0.21 * GIB)
"""The same in a group of GPUs without links: 0.21 GiB at TP8 on L40S (vLLM 0.10.2, a log of
Qwen3-235B-A22B that states it)."""

HOST_BYTES_PER_WORKER = 6 * GIB
"""Host memory of one worker process: Python with torch and CUDA libraries and pinned staging for
loading. Assumed; safetensors files are mapped, so their pages are reclaimable."""

HOST_BYTES_PER_SERVER = 4 * GIB
"""Host memory of the API server and the engine core process. Assumed."""


def non_torch_bytes(world_size: int, *, is_linked: bool = True) -> int:
    """Return what one GPU loses to context growth and communication.

    >>> non_torch_bytes(1) < non_torch_bytes(2, is_linked=False) < non_torch_bytes(2)
    True
    """
    if world_size == 1:
        return SINGLE_RANK_BYTES
    return GROUPED_RANK_BYTES if is_linked else UNLINKED_RANK_BYTES


def group_error_bytes(world_size: int, *, is_linked: bool) -> float:
    """Return one standard deviation of what :func:`non_torch_bytes` says of a group.

    >>> group_error_bytes(1, is_linked=True), group_error_bytes(8, is_linked=True) / GIB
    (0.0, 0.6)
    """
    if world_size == 1:
        return 0.0
    if not is_linked:
        return UNLINKED_GROUP_ERROR_BYTES
    return max(sigma for ranks, sigma in GROUP_ERROR_BYTES.items() if ranks <= world_size)


def host_bytes(gpus: int, data: int) -> int:
    """Return the host memory that the pods of one replica ask for.

    Args:
        gpus: of the replica; one worker process each.
        data: data-parallel ranks; one engine core process each.
    """
    return gpus * HOST_BYTES_PER_WORKER + data * HOST_BYTES_PER_SERVER


PEAK_ERROR_BYTES = 0.025 * GIB
"""One standard deviation of the profile run's peak: the root of the mean square of what logs that
state it differ by, 0.003 to 0.036 GiB (tests/unit/planner/accuracy: M1 to M3, N04, K10 to K14, K20
to K23)."""

CONTEXT_ERROR_BYTES = 0.05 * GIB
"""The same of what one GPU loses outside PyTorch, driver and card by card: logs state 0.02 (L4 and
L40S), 0.11 to 0.12 (RTX 4090) and 0.13 to 0.14 GiB (H100, A100)."""

GROUP_ERROR_BYTES = {2: 0.4 * GIB, 4: 0.6 * GIB}
"""Spread of communication buffers between linked GPUs, by the least number of ranks: 0.54, 0.55 and
1.38 GiB are stated at TP2; of more ranks no log states it."""

UNLINKED_GROUP_ERROR_BYTES = 0.1 * GIB
"""The same without links: 0.21 GiB is stated at TP8, 0.2 and 0.3 are left over at TP2."""

PIPELINE_ERROR_BYTES = 0.2 * GIB
"""Of what stages keep for each other beside the tensors that are counted. Assumed: the one log of a
pipelined start does not state it."""

UNKNOWN_RELEASE_ERROR_BYTES = 0.35 * GIB
"""Of a release that this one does not know: what the last ten minor releases of vLLM changed
from one to the next, root of the mean square: Qwen3-8B 0.15, 32B 0.40, 30B-A3B 0.53."""

WEIGHTS_ERROR = 0.0003
"""Share of the weights: what 16-bit logs of 7 GiB and more differ by, most of it their rounding."""

QUANTIZED_WEIGHTS_ERROR = 0.005
"""The same of quantized logs: kernels repack tensors into blocks of other sizes."""

ENCODER_ERROR = 0.3
"""Share of the image encoder's peak: no log states it apart."""
