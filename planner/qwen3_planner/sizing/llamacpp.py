"""llama.cpp: how the slots share the cache, and where weights, cache and states lie.

All exact: llama.cpp b11549 states the same bytes for files of these geometries.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.llamacpp.semantics import CONTEXT_MULTIPLE
from qwen3_planner.sizing.gguf import OUTSIDE, StoredTensor
from qwen3_planner.units import MIB, round_up

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.plan import Layout

F32: Final = 4
"""Bytes of an element of a recurrent state."""

GPU_CONTEXT_BYTES: Final = 450 * MIB
"""What the driver's context, libraries and CUDA graphs take of a GPU besides the buffers.

211 MiB (RTX 5060 Ti), 264 MiB (RTX 3090) and 475 MiB (RTX 4090) before the first buffer: free
against total memory in start-up logs of b8000 to b10000 (github.com/ollama/ollama/issues/17482,
github.com/ggml-org/llama.cpp/issues/23679); cuBLAS and graphs follow. Assumed beyond these."""

GPU_CONTEXT_ERROR_BYTES: Final = 150 * MIB
"""Spread of the above, one standard deviation."""

PROCESS_BYTES: Final = 256 * MIB
"""Host memory of the server itself: program, vocabulary, HTTP threads. Assumed."""

GPU_PROCESS_BYTES: Final = 1024 * MIB
"""The same with a GPU's runtime libraries. Assumed."""

EXPERT_ROLES: Final = frozenset({"ffn_gate_exps", "ffn_up_exps", "ffn_down_exps"})
"""Tensors that ``--n-cpu-moe`` keeps on the host."""

BORROWED_ROLES: Final = EXPERT_ROLES | {"ffn_gate"}
"""Tensors of the host whose copies decide the size of a GPU's compute buffer."""


@dataclass(frozen=True, slots=True)
class Cache:
    """How the slots share the KV cache.

    Attributes:
        slots: sequences that are worked on at a time.
        total: tokens of the whole cache.
        reach: tokens of it that one sequence attends to.
        unified: whether the slots share one cache instead of a part each.
    """

    slots: int
    total: int
    reach: int
    unified: bool


def cache_for(slots: int, context: int, request_tokens: int | None, *, can_share: bool) -> Cache:
    """Return the smallest cache that holds the load and one sequence of the whole context.

    Where the requests are known to be shorter than the context, the slots share the cache.

    >>> cache_for(4, 8192, None, can_share=True).total, cache_for(4, 8192, 1280, can_share=True)
    (32768, Cache(slots=4, total=8192, reach=8192, unified=True))

    Args:
        slots: requests in flight.
        context: tokens of the longest sequence.
        request_tokens: of one request; None: as long as the context.
        can_share: whether the build can share a cache between slots.
    """
    each = round_up(context, CONTEXT_MULTIPLE)
    if slots == 1 or request_tokens is None or not can_share:
        return Cache(slots, slots * each, each, unified=False)
    total = round_up(max(context, slots * request_tokens), CONTEXT_MULTIPLE)
    if total >= slots * each:
        return Cache(slots, slots * each, each, unified=False)
    return Cache(slots, total, total, unified=True)


def device_of_layer(layers: int, gpus: int, host_layers: int) -> tuple[int | None, ...]:
    """Return the GPU of each layer, and last that of the output head; None is the host.

    The layers that are offloaded, the head among them, are shared out evenly in their order.
    Source: ggml-org/llama.cpp b11549 src/llama-model.cpp load_tensors, with equal ``-ts``.

    >>> device_of_layer(4, 2, 0), device_of_layer(4, 1, 3)
    ((0, 0, 0, 1, 1), (None, None, None, 0, 0))
    """
    offloaded = layers + 1 - host_layers
    return tuple(
        None if layer < host_layers else (layer - host_layers) * gpus // offloaded
        for layer in range(layers + 1)
    )


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the weights lie.

    Attributes:
        gpus: bytes on each GPU.
        host: bytes in host memory.
        attention_layers: layers with a KV cache on each GPU.
        host_attention_layers: the same on the host.
        recurrent_layers: layers with a state of fixed size on each GPU.
        host_recurrent_layers: the same on the host.
        borrowed: matrix of a layer on the host that the GPU borrows: the gate of an MLP, the
            largest of its experts.
    """

    gpus: tuple[int, ...]
    host: int
    attention_layers: tuple[int, ...]
    host_attention_layers: int
    recurrent_layers: tuple[int, ...]
    host_recurrent_layers: int
    borrowed: int


@lru_cache(maxsize=4096)
def place(
    model: ModelArchitecture, stored: tuple[StoredTensor, ...], layout: Layout, *, on_gpu: bool
) -> Placed:
    """Place every tensor: the embedding on the host, a tied head on the GPU once more.

    Args:
        model: the architecture.
        stored: tensors of the file.
        layout: of one replica.
        on_gpu: whether there is a GPU; without one everything is in host memory.
    """
    host_layers = layout.host_layers if on_gpu else model.layers + 1
    where = device_of_layer(model.layers, layout.pipeline, host_layers)
    gpus, host, borrowed = [0] * layout.pipeline, 0, 0
    is_tied = all(each.tensor.role != "output" for each in stored)
    for each in stored:
        tensor, size = each.tensor, each.n_bytes
        if tensor.role == "token_embd":
            host += size
            if is_tied and where[-1] is not None:
                gpus[where[-1]] += size
            continue
        device = where[-1] if tensor.layer == OUTSIDE else where[tensor.layer]
        if tensor.role in EXPERT_ROLES and tensor.layer < layout.host_expert_layers:
            device = None
        if device is None:
            host += size
            if tensor.role in BORROWED_ROLES:
                borrowed = max(borrowed, size)
        else:
            gpus[device] += size
    attention = [0] * (layout.pipeline + 1)
    recurrent = [0] * (layout.pipeline + 1)
    for layer, device in enumerate(where[:-1]):
        kind = attention if model.has_full_attention(layer) else recurrent
        kind[layout.pipeline if device is None else device] += 1
    return Placed(
        tuple(gpus),
        host,
        tuple(attention[:-1]),
        attention[-1],
        tuple(recurrent[:-1]),
        recurrent[-1],
        borrowed,
    )


def token_bytes(model: ModelArchitecture, layers: int, bytes_per_32: int) -> int:
    """Return the KV bytes of one token over so many layers: whole heads, never split."""
    return 2 * layers * model.kv_heads * model.head_dim * bytes_per_32 // 32


def state_bytes(model: ModelArchitecture, layers: int, slots: int) -> int:
    """Return the recurrent state of so many linear layers: convolution and memory, in F32."""
    linear = model.linear_attention
    if linear is None:
        return 0
    convolution = (linear.conv_kernel - 1) * linear.conv_width
    memory = linear.value_heads * linear.value_head_dim * linear.key_head_dim
    return layers * slots * (convolution + memory) * F32
