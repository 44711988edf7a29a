"""Memory of one rank under SGLang: what the KV pool takes, and what must fit beside it.

SGLang profiles nothing. After loading it gives the KV cache all memory that is free, but for the
share ``1 - mem_fraction_static`` of what was free before loading; activations, CUDA graphs, the
attention's workspace and the table of requests have to do with that share. Source: PyPI sglang
0.4.6.post1 ``model_executor/model_runner.py`` to 0.5.23 ``mem_cache/kv_cache_configurator.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from qwen3_planner.engines.sglang.semantics import (
    CONTEXT_SLACK_TOKENS,
    FEWEST_REQUESTS,
    MOST_REQUESTS,
)
from qwen3_planner.sizing.activation import Batch, forward_peak, moe_workspaces
from qwen3_planner.sizing.linear_attention import layer_state_bytes, linear_layers
from qwen3_planner.units import GIB, MIB

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.plan import Layout

CONTEXT_BYTES = {9: int(0.71 * GIB), 10: int(0.78 * GIB), 12: int(0.6 * GIB)}
"""What a process takes of the device before it loads, by compute capability major.

H100 79.18 GiB, 78.47 free (three logs); B200 178.35, 177.57; RTX 5080 15.44, 15.16; RTX 5090
31.37, 30.77; RTX PRO 6000 95.01, 94.24."""

OLDER_CONTEXT_BYTES = int(0.5 * GIB)
"""The same before Hopper, where contexts hold fewer processors' stacks. RTX 4090 23.64, 23.08."""

GROUP_BYTES = {True: int(1.3 * GIB), False: int(0.1 * GIB)}
"""What NCCL and the custom all-reduce take on top in a group, by whether its GPUs are linked: B200
at TP4 has 176.25 GiB free before loading, alone 177.57; four RTX 4090 23.08 of 23.64."""

LOAD_GROWTH_BYTES = int(0.05 * GIB)
"""What loading takes beside the tensors: 0.00 to 0.12 GiB, 0.05 in the middle, over eleven logs."""

GROWTH_ERROR_BYTES = 0.05 * GIB
CONTEXT_ERROR_BYTES = 0.15 * GIB
GROUP_ERROR_BYTES = {True: 0.6 * GIB, False: 0.15 * GIB}
"""One standard deviation of the three: the spread of those logs."""

VISION_ERROR_BYTES = 0.6 * GIB
"""The same of an image encoder: the one log (VL-32B in fp8) lost 1.15 GiB more than its tensors."""

FLASHINFER_WORKSPACE_BYTES = {False: 512 * MIB, True: 384 * MIB}
"""FlashInfer's workspace, for dense models and for experts. Source: PyPI sglang 0.5.23
``layers/attention/flashinfer_backend.py``; 0.63 GiB go between two lines of two logs."""

TRTLLM_WORKSPACE_BYTES = 512 * MIB
"""Source: PyPI sglang 0.5.23 ``layers/attention/trtllm_mha_backend.py``; 1.12 GiB go between two
lines of two logs on B200, with the metadata of the graphs."""

HOPPER_MAJOR = 9
DATA_CENTRE_BLACKWELL_MAJOR = 10

GRAPH_BYTES_PER_SIZE = 11 * MIB
"""A captured decode batch: 0.60 GiB for 52 sizes (8B), 0.34 for 36 (30B-A3B), 0.11 for 4."""

GROUP_GRAPH_BYTES_PER_SIZE = 40 * MIB
"""The same in a group: 7.36 GiB for 51 sizes at TP8 in July 2025, less since. Assumed."""

PREFILL_GRAPH_BYTES = 8 * MIB
"""A captured prefill size, beside the activations that all share: SGLang's own figure; with the
activations 2.31 GiB for 74 sizes (8B), 1.7 for 58 (30B-A3B-FP8), 2.84 (32B)."""

OUTSIDE_ERROR = 0.35
"""How far the sum of what must fit beside the pool may be off, relative."""


@dataclass(frozen=True, slots=True)
class Serving:
    """What a server is started with.

    Attributes:
        fraction: ``--mem-fraction-static``.
        chunked_prefill: tokens of one prefill step of all data-parallel ranks together.
        max_requests: ``--max-running-requests`` of the user; None: the default.
        decode_sizes: captured decode batches.
        prefill_sizes: captured prefill sizes.
        context: tokens of the longest sequence.
    """

    fraction: float
    chunked_prefill: int
    max_requests: int | None
    decode_sizes: int
    prefill_sizes: int
    context: int


def context_bytes(capability_major: int | None, world_size: int, *, is_linked: bool = True) -> int:
    """Return what a rank loses before it loads: its context, and communication in a group.

    >>> context_bytes(8, 1) < context_bytes(8, 4, is_linked=False) < context_bytes(8, 4)
    True
    """
    own = CONTEXT_BYTES.get(capability_major or 0, OLDER_CONTEXT_BYTES)
    return own + (GROUP_BYTES[is_linked] if world_size > 1 else 0)


def running_requests(tokens: int, context: int, asked: int | None, data: int) -> int:
    """Return how many requests run at once on one data-parallel rank, at most.

    >>> running_requests(392_920, 40_960, None, 1), running_requests(1000, 40_960, None, 1)
    (4096, 500)
    >>> running_requests(392_920, 40_960, 64, 4)
    16
    """
    if asked is not None:
        return max(1, min(asked // data, tokens // 2))
    estimate = int(tokens / context * 512)
    return max(1, min(max(min(estimate, MOST_REQUESTS), FEWEST_REQUESTS), tokens // 2))


def request_table_bytes(requests: int, context: int) -> int:
    """Return the table of token places: one int32 for each token that each request may have.

    >>> round(request_table_bytes(4096, 40_960) / 2**30, 3)
    0.625
    """
    return (requests + 1) * (context + CONTEXT_SLACK_TOKENS) * 4


def workspace_bytes(capability_major: int | None, *, is_moe: bool) -> int:
    """Return what the attention backend takes: FA3 on Hopper nearly nothing."""
    if capability_major == HOPPER_MAJOR:
        return 0
    if capability_major == DATA_CENTRE_BLACKWELL_MAJOR:
        return TRTLLM_WORKSPACE_BYTES
    return FLASHINFER_WORKSPACE_BYTES[is_moe]


def activation_bytes(model: ModelArchitecture, layout: Layout, chunked_prefill: int) -> int:
    """Estimate the peak of one prefill step: one layer's pass, and the experts' buffers."""
    rows = Batch(chunked_prefill, 1)
    ranks = layout.tensor * layout.data
    inner = ranks // layout.expert if model.is_moe else 1
    return forward_peak(model, ranks, rows) + moe_workspaces(model, inner, rows)


def graph_bytes(serving: Serving, world_size: int) -> int:
    """Estimate the CUDA graphs of decoding and prefill, without the activations they share."""
    each = GRAPH_BYTES_PER_SIZE if world_size == 1 else GROUP_GRAPH_BYTES_PER_SIZE
    return serving.decode_sizes * each + serving.prefill_sizes * PREFILL_GRAPH_BYTES


def state_bytes_per_request(model: ModelArchitecture, tensor: int, layers: range) -> int:
    """Return the state of one request in the linear-attention layers of one rank.

    Source: PyPI sglang 0.5.23 ``configs/mamba_utils.py``: the last inputs of the convolution in
    16 bit, and a key times value matrix for each head in 32.
    """
    each = layer_state_bytes(model, tensor, state_element_bytes=4)
    return each * linear_layers(model, layers.start, layers.stop)


def state_slots(rest: int, share: float, per_request: int) -> int:
    """Return the slots that a hybrid model's states get of what is left after loading.

    Source: PyPI sglang 0.5.23 ``mem_cache/kv_cache_configurator.py`` _handle_max_mamba_cache.
    """
    budget = rest * share / (1 + share)
    return max(0, int((budget - per_request) // per_request))


def error_bytes(
    world_size: int, weights_error_bytes: float, *, is_linked: bool = True, has_vision: bool = False
) -> float:
    """Return how far the KV pool of one rank may be off for the formulas: one sigma.

    >>> error_bytes(1, 0.0) < error_bytes(2, 0.0, is_linked=False) < error_bytes(2, 0.0)
    True
    """
    parts = [GROWTH_ERROR_BYTES, CONTEXT_ERROR_BYTES, weights_error_bytes]
    if world_size > 1:
        parts.append(GROUP_ERROR_BYTES[is_linked])
    if has_vision:
        parts.append(VISION_ERROR_BYTES)
    return sqrt(sum(part**2 for part in parts))
