"""llama.cpp's server: settings, layouts, memory of each device, and command line of a plan."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import sqrt
from typing import TYPE_CHECKING

from qwen3_planner.candidates import LARGEST_FREE_REPLICA, Candidate, smallest_span
from qwen3_planner.engines.adapters import placed
from qwen3_planner.engines.llamacpp.command import ServerOptions, command, environment
from qwen3_planner.engines.llamacpp.semantics import CONTEXT_MULTIPLE, PHYSICAL_BATCH
from qwen3_planner.engines.sources import located
from qwen3_planner.plan import Layout
from qwen3_planner.serving.contract import Launch
from qwen3_planner.serving.llamacpp_memory import (
    Memory,
    cache_of,
    encoder_type,
    file_weights,
    has_gpu,
    memory_of,
    most_for_adapters,
    prompt_cache_mib,
    semantics_of,
    shares_host_memory,
    slots_of,
)
from qwen3_planner.serving.llamacpp_notes import (
    compute_error,
    provenance_of,
    warnings_of,
    weights_error,
)
from qwen3_planner.sizing.activation import Batch
from qwen3_planner.sizing.files import checkpoint_bytes
from qwen3_planner.sizing.gguf import file_type_of
from qwen3_planner.sizing.gguf_vision import encoder_file_bytes
from qwen3_planner.sizing.llamacpp import GPU_CONTEXT_ERROR_BYTES
from qwen3_planner.sizing.stages import Setting, StageMemory
from qwen3_planner.units import MIB, ceil_div

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.candidates import Pool
    from qwen3_planner.catalog.rows import Accelerator
    from qwen3_planner.plan import Provenance
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.request import KvCacheDtype
    from qwen3_planner.serving.verdicts import Fit


class LlamaCppServing:
    """llama.cpp on GPUs, Apple chips and the CPU."""

    def runs_on(self, accelerator: Accelerator) -> bool:  # noqa: ARG002 - on all of them
        """Whether it is planned on such a device: it runs everywhere."""
        return True

    def setting(self, question: Question, pool: Pool) -> Setting:  # noqa: ARG002 - everywhere alike
        """Resolve the tokens of a pass and the slots."""
        return _setting(question)

    def kv_cache(self, question: Question, choice: WeightChoice) -> KvCacheDtype:  # noqa: ARG002 - of every engine
        """Return what the KV cache holds: what was asked for, else the engine's default."""
        return question.kv_cache_dtype

    def layouts(self, question: Question, pool: Pool, gpu_limit: int) -> tuple[Layout, ...]:
        """List one to all GPUs of a node with every layer on them, then ever fewer layers."""
        request = question.request
        wish = request.parallelism
        share = max(1, min(pool.gpus // request.replicas, gpu_limit, LARGEST_FREE_REPLICA))
        most = min(share, pool.largest_node, question.model.layers + 1)
        sizes = (wish.pipeline,) if wish.pipeline is not None else range(1, max(1, most) + 1)
        others = {"tensor": wish.tensor or 1, "data": wish.data or 1, "expert": wish.expert or 1}
        whole = [
            _placed_on(pool, Layout(pipeline=size, **others), request.replicas) for size in sizes
        ]
        if not has_gpu(pool.accelerator) or shares_host_memory(pool.accelerator):
            return tuple(whole[:1])
        return (*whole, *_with_layers_on_host(question, pool, whole[-1]))

    def stages(
        self, question: Question, candidate: Candidate, setting: Setting
    ) -> tuple[StageMemory, ...]:
        """Compute what each device holds, and the host where its memory is known.

        The attention mask grows with the context: where the one that is wanted does not fit, it is
        that of the longest that does.
        """
        wanted = memory_of(question, candidate, setting, question.wanted_context)
        if wanted.fits or question.request.max_model_len is not None:
            return wanted.stages()
        shortest = question.shortest_context
        least = memory_of(question, candidate, setting, shortest)
        if not least.fits:
            return least.stages()
        low, high = 0, ceil_div(question.wanted_context - shortest, CONTEXT_MULTIPLE)
        while high - low > 1:  # a longer context never takes less
            middle = (low + high) // 2
            context = shortest + middle * CONTEXT_MULTIPLE
            fits = memory_of(question, candidate, setting, context).fits
            low, high = (middle, high) if fits else (low, middle)
        return memory_of(question, candidate, setting, shortest + low * CONTEXT_MULTIPLE).stages()

    def rank_weights(
        self,
        question: Question,  # noqa: ARG002 - the fit says it all
        fit: Fit,
        stage: int,
        expert_rank: int,  # noqa: ARG002 - experts are never shared out
    ) -> int:
        """Return the weights of one device, in bytes."""
        return fit.stages[stage].weights

    def needed_blocks(
        self,
        question: Question,
        layout: Layout,  # noqa: ARG002 - each device holds its layers of every token
        context: int,
    ) -> int:
        """Return the blocks of 256 tokens of the whole cache."""
        return cache_of(question, context).total // CONTEXT_MULTIPLE

    def longest_context(
        self,
        question: Question,
        layout: Layout,  # noqa: ARG002 - as above
        blocks: int,
    ) -> int:
        """Return the longest context that the load leaves room for; 0 if none."""
        slots, request_tokens = slots_of(question), question.request_tokens
        parted = max(0, blocks) // slots * CONTEXT_MULTIPLE
        if request_tokens is None:
            return parted
        if slots > 1 and not semantics_of(question).has_unified_flag:
            return min(question.wanted_context, parted) if parted >= request_tokens else 0
        shared = max(0, blocks) * CONTEXT_MULTIPLE
        return min(question.wanted_context, shared) if shared >= slots * request_tokens else 0

    def logged_tokens(
        self,
        question: Question,  # noqa: ARG002 - the blocks say it
        layout: Layout,  # noqa: ARG002 - likewise
        blocks: int,
        context: int,  # noqa: ARG002 - likewise
    ) -> int:
        """Return the cells that llama.cpp logs as the size of its cache."""
        return blocks * CONTEXT_MULTIPLE

    def pool_blocks(self, fit: Fit) -> tuple[int, int, int]:
        """Return the blocks that are allocated: exactly what is asked for."""
        return fit.needed_blocks, fit.needed_blocks, fit.needed_blocks

    def checkpoint_bytes(self, question: Question, choice: WeightChoice) -> int:
        """Return the bytes of the GGUF file, and of the image encoder's; of others, their own."""
        if not choice.fmt.quantization.is_gguf:  # refused by name, but weighed for a fix
            return checkpoint_bytes(question.model, choice.fmt)
        weights, vision = file_weights(question.model, choice.fmt), question.model.vision
        if vision is None:
            return weights.file_bytes
        return weights.file_bytes + encoder_file_bytes(vision, encoder_type(question, choice))

    def least_bytes(self, question: Question, choice: WeightChoice) -> int:  # noqa: ARG002 - of every engine
        """Return no bound: any layer may stay on the host."""
        return 0

    def error_bytes(
        self,
        question: Question,  # noqa: ARG002 - of every engine
        candidate: Candidate,
        setting: Setting,
        stages: tuple[StageMemory, ...],
    ) -> float:
        """Combine the errors of the device's memory, its context, buffers and weights."""
        pool = candidate.pool
        device = pool.accelerator.usable_relative_error * pool.device_bytes * setting.utilization
        context = 0 if shares_host_memory(pool.accelerator) else GPU_CONTEXT_ERROR_BYTES
        share = compute_error(candidate)
        compute = share * max(stage.activation for stage in stages)
        weights = weights_error(candidate.choice) * max(stage.weights for stage in stages)
        return sqrt(device**2 + context**2 + compute**2 + weights**2)

    def host_bytes(self, question: Question, fit: Fit) -> int:
        """Return the host memory that the pod asks for: what is computed there, and prompts."""
        memory = _memory(question, fit)
        host = memory.host(0)
        prompts = prompt_cache_mib(memory) * MIB if semantics_of(question).has_prompt_cache else 0
        return host.fixed + memory.needed_blocks * host.block + prompts

    def adapter_bytes(self, question: Question, fit: Fit) -> int:
        """Return what the adapters add to the device that holds most of them."""
        return most_for_adapters(question, fit.candidate)

    def launch(self, question: Question, fit: Fit, served_name: str) -> Launch:
        """Render ``llama-server``."""
        candidate, memory = fit.candidate, _memory(question, fit)
        cache = memory.cache
        options = ServerOptions(
            model=question.model,
            source=located(
                candidate.choice.source, question.request.revision, question.request.weights_at
            ),
            file_type=file_type_of(candidate.choice.fmt.quantization),
            served_name=served_name,
            layout=candidate.layout,
            on_gpu=memory.on_gpu,
            slots=cache.slots,
            context=cache.total,
            slot_context=fit.max_model_len,
            unified=cache.unified,
            kv_cache_dtype=question.kv_cache_dtype,
            physical_batch=fit.setting.batch.tokens,
            prompt_cache_mib=prompt_cache_mib(memory),
            chat=question.request.chat,
            adapters=placed(question.request, is_gguf=True),
            version=question.version,
            semantics=semantics_of(question),
        )
        return Launch(command(options), environment(options), question.kv_cache_dtype.value)

    def warnings(self, question: Question, fit: Fit) -> Iterator[str]:
        """Yield what the user should know about context, layers on the host, slots and file."""
        yield from warnings_of(question, fit)

    def provenance(self, question: Question, fit: Fit) -> tuple[Provenance, ...]:
        """Tell basis, error and source of each figure; errors are relative, one sigma."""
        return provenance_of(question, fit)


def _placed_on(pool: Pool, layout: Layout, replicas: int) -> Layout:
    """Spread a replica over nodes only where it must: that is refused by name."""
    gpus = layout.gpus_per_replica
    nodes = smallest_span(pool, gpus, replicas) or max(1, ceil_div(gpus, max(1, pool.largest_node)))
    nodes = next(each for each in range(nodes, gpus + 1) if gpus % each == 0)
    return Layout(
        layout.tensor, layout.pipeline, layout.data, layout.expert, nodes_per_replica=nodes
    )


MORE_ON_HOST = 3
"""Layouts listed for each weight format and context: the first that fits, and some that surely
do."""


@lru_cache(maxsize=64)
def _with_layers_on_host(question: Question, pool: Pool, largest: Layout) -> tuple[Layout, ...]:
    """List layouts that keep something on the host, on as many GPUs as there are.

    Experts go first, where there are any. For each weight format as little as makes the wanted
    context fit, and the shortest; where nothing does, as much as there is.
    """
    most = question.model.layers
    if not question.model.is_moe or not semantics_of(question).has_cpu_experts:
        most += 1 - largest.pipeline
    found = {most} if most > 0 else set()
    for choice in question.choices:
        if not choice.fmt.quantization.is_gguf:
            continue
        candidate, least = Candidate(pool, choice, largest), most
        for context in (question.wanted_context, question.shortest_context):
            # a shorter context never needs more of them on the host
            least = _fewest_on_host(question, candidate, context, least)
            found |= set(range(least, min(least + MORE_ON_HOST, most + 1)))
    return tuple(_keeping(question, largest, layers) for layers in sorted(found))


def _keeping(question: Question, largest: Layout, layers: int) -> Layout:
    if question.model.is_moe and semantics_of(question).has_cpu_experts:
        return replace(largest, host_expert_layers=layers)
    return replace(largest, host_layers=layers)


def _fewest_on_host(question: Question, candidate: Candidate, context: int, most: int) -> int:
    """Return the fewest layers on the host with which the GPUs hold a context; at most ``most``."""
    setting = _setting(question)

    def fits(layers: int) -> bool:
        layout = _keeping(question, candidate.layout, layers)
        return memory_of(question, replace(candidate, layout=layout), setting, context).fits_gpus

    low, high = 1, max(1, most)
    while low < high:  # a layer more on the host never takes more of a GPU
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    return low


def _setting(question: Question) -> Setting:
    tuning = question.request.tuning
    tokens = tuning.max_num_batched_tokens or PHYSICAL_BATCH
    return Setting(tuning.gpu_memory_utilization or 1.0, Batch(tokens, slots_of(question)))


def _memory(question: Question, fit: Fit) -> Memory:
    return memory_of(question, fit.candidate, fit.setting, fit.max_model_len)
