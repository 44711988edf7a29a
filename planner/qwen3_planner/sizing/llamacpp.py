"""llama.cpp: how the slots share the cache, and where weights, cache and states lie.

All exact: llama.cpp b11549 states the same bytes for files of these geometries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from qwen3_planner.catalog.rows import GgufWeights
from qwen3_planner.engines.llamacpp.semantics import CONTEXT_MULTIPLE
from qwen3_planner.units import MIB, round_up

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def weigh(tensors: Iterable[tuple[str, int]], layers: int, file_bytes: int) -> GgufWeights:
    """Sum the tensors of a file by where they can be placed.

    Args:
        tensors: name and bytes of each.
        layers: of the model; what lies beyond them is in none.
        file_bytes: of the whole file.
    """
    embedding, norm, head = 0, 0, 0
    totals, experts, borrowed = [0] * layers, [0] * layers, [0] * layers
    for name, size in tensors:
        parts = name.split(".")
        layer = int(parts[1]) if parts[0] == "blk" and parts[1].isdigit() else layers
        role = parts[2] if layer < layers else parts[0]
        if role == "token_embd":
            embedding += size
        elif role == "output":
            head += size
        elif layer >= layers:
            norm += size
        else:
            totals[layer] += size
            experts[layer] += size if role in EXPERT_ROLES else 0
            if role in BORROWED_ROLES:
                borrowed[layer] = max(borrowed[layer], size)
    return GgufWeights(
        embedding, norm, head, tuple(zip(totals, experts, borrowed, strict=True)), file_bytes
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
        borrowed: largest matrix on the host that a GPU borrows.
    """

    gpus: tuple[int, ...]
    host: int
    attention_layers: tuple[int, ...]
    host_attention_layers: int
    recurrent_layers: tuple[int, ...]
    host_recurrent_layers: int
    borrowed: int


def place(
    model: ModelArchitecture, weights: GgufWeights, layout: Layout, *, on_gpu: bool
) -> Placed:
    """Place every tensor: the embedding on the host, a tied head on the GPU once more.

    Args:
        model: the architecture.
        weights: of the file.
        layout: of one replica.
        on_gpu: whether there is a GPU; without one everything is in host memory.
    """
    count = layout.pipeline
    host_layers = layout.host_layers if on_gpu else model.layers + 1
    where = device_of_layer(model.layers, count, host_layers)
    held = [0] * (count + 1)  # the last is the host
    attention, recurrent = [0] * (count + 1), [0] * (count + 1)
    held[count] = weights.embedding
    last = where[-1]
    if last is None:
        held[count] += weights.norm + weights.head
    else:
        held[last] += weights.norm + (weights.head or weights.embedding)
    borrowed = 0
    for index, (size, of_experts, largest) in enumerate(weights.layers):
        device = where[index]
        place_of = count if device is None else device
        on_host = of_experts if index < layout.host_expert_layers else 0
        held[place_of] += size - on_host
        held[count] += on_host
        if device is None or on_host:
            borrowed = max(borrowed, largest)
        kind = attention if model.has_full_attention(index) else recurrent
        kind[place_of] += 1
    return Placed(
        gpus=tuple(held[:-1]),
        host=held[-1],
        attention_layers=tuple(attention[:-1]),
        host_attention_layers=attention[-1],
        recurrent_layers=tuple(recurrent[:-1]),
        host_recurrent_layers=recurrent[-1],
        borrowed=borrowed,
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
