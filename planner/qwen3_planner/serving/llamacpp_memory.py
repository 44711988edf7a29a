"""llama.cpp: the memory of each device of a candidate, and of its host."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.engines.adapters import ASSUMED_RANK
from qwen3_planner.engines.llamacpp.semantics import (
    CONTEXT_MULTIPLE,
    PROMPT_CACHE_MIB,
    LlamaCppSemantics,
    semantics_at,
)
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.request import KvCacheDtype
from qwen3_planner.sizing.gguf import file_bytes, file_type_of, stored_tensors
from qwen3_planner.sizing.gguf_vision import encoder_bytes
from qwen3_planner.sizing.kv_cache import kv_bytes_per_32
from qwen3_planner.sizing.llamacpp import (
    GPU_CONTEXT_BYTES,
    GPU_PROCESS_BYTES,
    PROCESS_BYTES,
    Cache,
    Placed,
    cache_for,
    place,
    state_bytes,
    token_bytes,
    weigh,
)
from qwen3_planner.sizing.llamacpp_compute import (
    Pass,
    cpu_compute_bytes,
    gpu_compute_bytes,
    host_compute_bytes,
    output_bytes,
    unpacked_cache_bytes,
)
from qwen3_planner.sizing.lora import layer_adapter_bytes
from qwen3_planner.sizing.stages import Setting, StageMemory
from qwen3_planner.units import MIB

if TYPE_CHECKING:
    from qwen3_planner.candidates import Candidate, Pool
    from qwen3_planner.catalog.rows import Accelerator, GgufWeights, ModelArchitecture
    from qwen3_planner.plan import Layout
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.sizing.formats import WeightFormat

ENCODERS_OF_QWEN: Final = "hf://Qwen/"
"""Repositories that hold the image encoder as F16 and as Q8_0; everywhere else F16 is taken."""

VISION_COMPUTE_BYTES: Final = 512 * MIB
"""What encoding the largest image takes. Assumed."""

UNPACKING_VENDORS: Final = ("nvidia", "amd")
"""Vendors whose kernels unpack a quantized cache before they attend to it."""


def semantics_of(question: Question) -> LlamaCppSemantics:
    """Return what holds for the question's build; newer than known takes the newest known."""
    return semantics_at(min(question.version, parse_version(question.release.newest_known_version)))


def has_gpu(accelerator: Accelerator) -> bool:
    """Whether layers are offloaded to a device: a GPU, or the GPU of an Apple chip."""
    is_gpu = accelerator.device_class is AcceleratorClass.GPU
    return is_gpu or accelerator.vendor == "apple"


def shares_host_memory(accelerator: Accelerator) -> bool:
    """Whether the device's memory is the host's own."""
    return accelerator.device_class is not AcceleratorClass.GPU


@lru_cache(maxsize=64)
def file_weights(model: ModelArchitecture, fmt: WeightFormat) -> GgufWeights:
    """Return what the tensors of a file take: as its header says, else by the stock mix."""
    if fmt.gguf is not None:
        return fmt.gguf
    file_type = file_type_of(fmt.quantization)
    tensors = ((each.tensor.name, each.n_bytes) for each in stored_tensors(model, file_type))
    return weigh(tensors, model.layers, file_bytes(model, file_type))


@lru_cache(maxsize=4096)
def _placed(
    model: ModelArchitecture,
    fmt: WeightFormat,
    layout: Layout,
    ranks: tuple[int, ...],
    *,
    on_gpu: bool,
) -> Placed:
    weights = with_adapters(model, file_weights(model, fmt), ranks)
    return place(model, weights, layout, on_gpu=on_gpu)


def with_adapters(
    model: ModelArchitecture, weights: GgufWeights, ranks: tuple[int, ...]
) -> GgufWeights:
    """Add LoRA adapters to what they adapt: each lies where its layer lies, as F16.

    Source: ggml-org/llama.cpp b11549 ``src/llama-adapter.cpp``,
    ``convert_lora_to_gguf.py`` --outtype.

    Args:
        model: the architecture.
        weights: of the file.
        ranks: of the adapters.
    """
    if not ranks:
        return weights
    rank, layers = sum(ranks), []
    for index, (size, experts, largest) in enumerate(weights.layers):
        whole, of_experts = layer_adapter_bytes(model, index, rank)
        layers.append((size + whole, experts + of_experts, largest))
    return replace(weights, layers=tuple(layers))


def ranks_of(question: Question) -> tuple[int, ...]:
    """Return the ranks of the adapters; one that is not stated is taken to be usual."""
    return tuple(adapter.rank or ASSUMED_RANK for adapter in question.request.adapters)


def encoder_type(question: Question, choice: WeightChoice) -> str:
    """Return the type of the image encoder's file that is taken beside the weights."""
    file_type = file_type_of(choice.fmt.quantization)
    if not semantics_of(question).nearest_encoder or file_type in ("F16", "BF16"):
        return "F16"
    return "Q8_0" if choice.source.startswith(ENCODERS_OF_QWEN) else "F16"


def vision_bytes(question: Question, choice: WeightChoice) -> int:
    """Return the bytes of the image encoder; 0 where there is none."""
    vision = question.model.vision
    return 0 if vision is None else encoder_bytes(vision, encoder_type(question, choice))


def slots_of(question: Question) -> int:
    """Return the requests that are worked on at a time."""
    return question.request.tuning.max_num_seqs or question.request.workload.concurrency


def cache_of(question: Question, context: int) -> Cache:
    """Return the cache that holds the load at a context."""
    return cache_for(
        slots_of(question),
        context,
        question.request_tokens,
        can_share=semantics_of(question).has_unified_flag,
    )


@dataclass(frozen=True, slots=True)
class Memory:
    """One candidate at one context; made by :func:`memory_of`.

    Attributes:
        question: what is planned.
        candidate: which.
        setting: of the engine.
        cache: the KV cache of the whole replica.
        placed: where the weights lie.
        load: the largest pass.
        on_gpu: whether layers are offloaded to a device.
    """

    question: Question
    candidate: Candidate
    setting: Setting
    cache: Cache
    placed: Placed
    load: Pass
    on_gpu: bool

    @property
    def pool(self) -> Pool:
        """Where it runs."""
        return self.candidate.pool

    @property
    def layout(self) -> Layout:
        """Of the replica."""
        return self.candidate.layout

    def block(self, attention_layers: int) -> int:
        """Return the bytes of a block of the cache over so many layers; at least 1."""
        width = kv_bytes_per_32(self.question.kv_cache_dtype)
        each = token_bytes(self.question.model, attention_layers, width)
        return max(1, CONTEXT_MULTIPLE * each)

    def gpu(self, index: int) -> StageMemory:
        """Return what one GPU holds."""
        weights, activation, overhead, block, budget = self._gpu_parts(index)
        return StageMemory(index, weights, activation, 0, overhead, block, budget)

    def _gpu_parts(self, index: int) -> tuple[int, int, int, int, int]:
        """Return weights, activation, overhead, a block and the budget of one GPU, in bytes."""
        model, placed, cache = self.question.model, self.placed, self.cache
        pool = self.candidate.pool
        weights = placed.gpus[index]
        activation = gpu_compute_bytes(model, self.load, placed, self.candidate.layout, index)
        if self.unpacks:
            activation += unpacked_cache_bytes(model, cache)
        if index == 0 and model.vision:
            weights += self.encoder
            activation += VISION_COMPUTE_BYTES
        overhead = state_bytes(model, placed.recurrent_layers[index], cache.slots)
        if not shares_host_memory(pool.accelerator):
            overhead += GPU_CONTEXT_BYTES
        block = self.block(placed.attention_layers[index])
        return (
            weights,
            activation,
            overhead,
            block,
            int(pool.device_bytes * self.setting.utilization),
        )

    @property
    def encoder(self) -> int:
        """Bytes of the image encoder's weights."""
        return vision_bytes(self.question, self.candidate.choice)

    @property
    def unpacks(self) -> bool:
        """Whether the device unpacks a quantized cache before it attends to it."""
        plain = (KvCacheDtype.FP16, KvCacheDtype.BF16)
        vendor = self.pool.accelerator.vendor
        return vendor in UNPACKING_VENDORS and self.question.kv_cache_dtype not in plain

    def host(self, budget: int) -> StageMemory:
        """Return what the host holds, of a budget; last of the stages.

        Without a GPU that is everything.
        """
        model, placed, cache = self.question.model, self.placed, self.cache
        copies = 1 if self.layout.keeps_layers_on_host else self.layout.pipeline
        if self.on_gpu:
            compute = host_compute_bytes(model, self.load, copies)
            extra, process = 0, GPU_PROCESS_BYTES
        else:
            compute, extra = cpu_compute_bytes(model, self.load), self.encoder
            compute += VISION_COMPUTE_BYTES if model.vision else 0
            process = PROCESS_BYTES
        return StageMemory(
            stage=self.layout.pipeline if self.on_gpu else 0,
            weights=placed.host + extra,
            activation=compute + output_bytes(model, cache.slots),
            graphs=0,
            overhead=process + state_bytes(model, placed.host_recurrent_layers, cache.slots),
            block=self.block(placed.host_attention_layers),
            budget=budget,
        )

    def stages(self) -> tuple[StageMemory, ...]:
        """Return every GPU, and the host where its memory is known."""
        if not self.on_gpu:
            return (self.host(int(self.pool.device_bytes * self.setting.utilization)),)
        gpus = tuple(self.gpu(index) for index in range(self.layout.pipeline))
        known = known_host_bytes(self.pool, self.layout)
        return gpus if known is None else (*gpus, self.host(known))

    @property
    def needed_blocks(self) -> int:
        """Blocks of the cache."""
        return self.cache.total // CONTEXT_MULTIPLE

    @property
    def fits(self) -> bool:
        """Whether every device holds it."""
        needed = self.needed_blocks
        return all(stage.blocks >= needed for stage in self.stages())

    @property
    def fits_gpus(self) -> bool:
        """Whether the GPUs hold it, whatever the host has."""
        needed = self.needed_blocks
        return all(self._holds(index, needed) for index in range(self.layout.pipeline))

    def _holds(self, index: int, blocks: int) -> bool:
        """Whether a GPU has so many blocks left; asked hundreds of times for one layout."""
        weights, activation, overhead, block, budget = self._gpu_parts(index)
        return max(0, (budget - weights - activation - overhead) // block) >= blocks


def memory_of(question: Question, candidate: Candidate, setting: Setting, context: int) -> Memory:
    """Work out what a candidate holds at a context.

    Args:
        question: what is planned.
        candidate: which.
        setting: of the engine.
        context: tokens of the longest sequence.
    """
    cache = cache_of(question, context)
    tokens = min(setting.batch.tokens, cache.total)
    limited = semantics_of(question).limits_logits and not question.model.is_pooling
    logits = min(tokens, cache.slots) if limited else tokens
    on_gpu = has_gpu(candidate.pool.accelerator)
    return Memory(
        question,
        candidate,
        setting,
        cache,
        _placed(
            question.model,
            candidate.choice.fmt,
            candidate.layout,
            ranks_of(question),
            on_gpu=on_gpu,
        ),
        Pass(tokens, logits, cache.reach, cache.total),
        on_gpu,
    )


def most_for_adapters(question: Question, candidate: Candidate) -> int:
    """Return what LoRA adapters take of the device, or the host, that holds most of them."""
    on_gpu = has_gpu(candidate.pool.accelerator)
    with_them, without = (
        _placed(question.model, candidate.choice.fmt, candidate.layout, ranks, on_gpu=on_gpu)
        for ranks in (ranks_of(question), ())
    )
    pairs = zip((*with_them.gpus, with_them.host), (*without.gpus, without.host), strict=True)
    return max(held - bare for held, bare in pairs)


def known_host_bytes(pool: Pool, layout: Layout) -> int | None:
    """Return the memory of the smallest node the layout may go to; None where one is unknown."""
    if shares_host_memory(pool.accelerator):
        return None
    nodes = [kind.host_bytes for kind in pool.nodes if kind.gpus >= layout.gpus_per_node]
    known = [each for each in nodes if each is not None]
    return min(known) if known and len(known) == len(nodes) else None


def prompt_cache_mib(memory: Memory) -> int:
    """Return the host memory for prompts: the default where a GPU's host has it to spare.

    Where the device's memory is the host's, prompts would crowd out weights and cache: none.
    """
    if shares_host_memory(memory.pool.accelerator):
        return 0
    known = known_host_bytes(memory.pool, memory.layout)
    if known is None:
        return PROMPT_CACHE_MIB
    host = memory.host(known)
    spare = host.available - memory.needed_blocks * host.block
    return max(0, min(PROMPT_CACHE_MIB, spare // MIB))
