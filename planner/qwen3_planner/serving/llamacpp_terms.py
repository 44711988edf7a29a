"""How llama.cpp's figures add up, term by term."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.engines.llamacpp.semantics import CONTEXT_MULTIPLE
from qwen3_planner.explanation import Term
from qwen3_planner.plan import Basis
from qwen3_planner.serving.llamacpp_memory import (
    VISION_COMPUTE_BYTES,
    Memory,
    encoder_type,
    file_weights,
    memory_of,
    ranks_of,
)
from qwen3_planner.sizing.llamacpp import device_of_layer, state_bytes
from qwen3_planner.sizing.llamacpp_compute import output_bytes, unpacked_cache_bytes
from qwen3_planner.sizing.lora import layer_adapter_bytes

if TYPE_CHECKING:
    from qwen3_planner.plan import GpuMemory
    from qwen3_planner.question import Question
    from qwen3_planner.serving.verdicts import Fit


def llamacpp_terms(question: Question, fit: Fit, gpu: GpuMemory) -> dict[str, tuple[Term, ...]]:
    """Tell the figures of one device apart, by their names in a plan's provenance."""
    memory = memory_of(question, fit.candidate, fit.setting, fit.max_model_len)
    return {
        "memory.device": _budget(question, fit, gpu),
        "memory.weights": _weights(memory, gpu),
        "memory.activation": _activation(memory, gpu),
        "memory.overhead": _overhead(memory, gpu),
        "memory.kvCache": _kv_cache(memory, fit, gpu),
    }


def _budget(question: Question, fit: Fit, gpu: GpuMemory) -> tuple[Term, ...]:
    left = gpu.budget_bytes - gpu.device_bytes
    whose = "as given" if question.request.tuning.gpu_memory_utilization else "all"
    return (
        Term("device", gpu.device_bytes, "what the driver tells a process"),
        Term("left alone", left, f"the plan may use {fit.setting.utilization:g} of it, {whose}"),
    )


def _weights(memory: Memory, gpu: GpuMemory) -> tuple[Term, ...]:
    """Add up the tensors of the file that lie on a device; the encoder is a file of its own."""
    question, layout = memory.question, memory.layout
    model, held = question.model, file_weights(question.model, memory.candidate.choice.fmt)
    where = device_of_layer(model.layers, layout.pipeline, layout.host_layers)
    if not memory.on_gpu:
        where = (gpu.stage,) * len(where)
    here = [index for index in range(model.layers) if where[index] == gpu.stage]
    kept = range(layout.host_expert_layers)
    experts = sum(held.layers[index][1] for index in here if index not in kept)
    others = sum(held.layers[index][0] - held.layers[index][1] for index in here)
    ranks = ranks_of(question)
    adapters = sum(layer_adapter_bytes(model, index, sum(ranks))[0] for index in here)
    adapters -= sum(
        layer_adapter_bytes(model, index, sum(ranks))[1] for index in here if index in kept
    )
    of_layers = f"{len(here)} of {model.layers} layers"
    is_last = where[-1] == gpu.stage
    head = held.head
    how = "output.weight"
    if memory.on_gpu and not head:
        head, how = held.embedding, "the embedding once more: the model ties them"
    is_first = gpu.stage == 0
    encoder = f"a file of its own, {encoder_type(question, memory.candidate.choice)}"
    what = "attention, norms, routers" if model.is_moe else "attention, MLP, norms"
    return (
        Term("embedding", 0 if memory.on_gpu else held.embedding, "token_embd.weight"),
        Term("layers", others, f"{what} of {of_layers}"),
        Term("experts", experts, f"routed, of {sum(each not in kept for each in here)} layers"),
        Term("LoRA adapters", adapters, f"{len(ranks)} of rank {_listed(ranks)}, as F16"),
        Term("last norm", held.norm if is_last else 0, "and what else is in no layer"),
        Term("output head", head if is_last else 0, how),
        Term("image encoder", memory.encoder if is_first else 0, encoder),
    )


def _listed(ranks: tuple[int, ...]) -> str:
    return ", ".join(map(str, dict.fromkeys(ranks)))


def _activation(memory: Memory, gpu: GpuMemory) -> tuple[Term, ...]:
    """Name the buffers beside the compute buffer, which is the rest."""
    model, load = memory.question.model, memory.load
    cache = memory.cache
    unpacked = unpacked_cache_bytes(model, cache) if memory.unpacks else 0
    image = VISION_COMPUTE_BYTES if gpu.stage == 0 and model.vision else 0
    outputs = 0 if memory.on_gpu else output_bytes(model, cache.slots)
    mask = load.mask_bytes
    logits = f"{load.logits:,} of them with logits"
    return (
        Term(
            "compute buffer",
            gpu.activation_bytes - unpacked - image - outputs - mask,
            f"a pass of {load.tokens:,} tokens, {logits}, and copies of inputs",
        ),
        Term("attention mask", mask, f"{load.tokens:,} x {load.reach:,} tokens x 2 B"),
        Term("unpacked cache", unpacked, "one layer of it as F16, while it is attended to"),
        Term("largest image", image, "encoding it", Basis.ASSUMED),
        Term("logits", outputs, f"{cache.slots:,} slots x {model.vocab_size:,} x 4 B"),
    )


def _overhead(memory: Memory, gpu: GpuMemory) -> tuple[Term, ...]:
    placed, slots = memory.placed, memory.cache.slots
    layers = placed.recurrent_layers[gpu.stage] if memory.on_gpu else placed.host_recurrent_layers
    states = state_bytes(memory.question.model, layers, slots)
    rest = gpu.overhead_bytes - states
    process = Term("driver's context", rest, "with libraries and CUDA graphs")
    if not memory.on_gpu:
        process = Term("server process", rest, "program, vocabulary, threads")
    return (
        Term("recurrent states", states, f"{layers} layers x {slots:,} slots", Basis.EXACT),
        process,
    )


def _kv_cache(memory: Memory, fit: Fit, gpu: GpuMemory) -> tuple[Term, ...]:
    cache, block = memory.cache, fit.stages[gpu.stage].block
    each = f"{block // CONTEXT_MULTIPLE:,} bytes a token"
    load = f"{cache.slots:,} slots of {cache.total // cache.slots:,} tokens, {each}"
    if cache.unified:
        load = f"{cache.total:,} tokens that {cache.slots:,} slots share, {each}"
    return (Term("cache", gpu.kv_cache_bytes, load),)
