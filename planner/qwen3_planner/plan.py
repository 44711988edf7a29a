"""What the planner answers: frozen values, the contract ``plan/v1`` in Python.

Field for field the JSON of ``qwen3 plan -o json`` (see docs/reference/plan-json.md), in snake
case. All sizes are bytes. Written by :mod:`qwen3_planner.planning`, rendered by
:mod:`qwen3_planner.report`, executed by the operator.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


@dataclass(frozen=True, slots=True, order=True)
class Layout:
    """How one replica is spread over GPUs.

    Attributes:
        tensor: ranks that share each layer.
        pipeline: stages.
        data: data-parallel ranks inside the replica.
        expert: size of the expert-parallel group (1 = off; with vLLM ``tensor * data`` when on).
        nodes_per_replica: nodes that one replica spans, each with the same number of GPUs.
        host_layers: layers, from the first, that stay in host memory (llama.cpp).
        host_expert_layers: layers, from the first, whose experts stay in host memory (llama.cpp).
    """

    tensor: int = 1
    pipeline: int = 1
    data: int = 1
    expert: int = 1
    nodes_per_replica: int = 1
    host_layers: int = 0
    host_expert_layers: int = 0

    @property
    def gpus_per_replica(self) -> int:
        """GPUs of one replica, over all its nodes."""
        return self.tensor * self.pipeline * self.data

    @property
    def gpus_per_node(self) -> int:
        """GPUs that one replica takes on each of its nodes."""
        return self.gpus_per_replica // self.nodes_per_replica

    def __str__(self) -> str:
        """Name the groups larger than one, tensor always.

        >>> str(Layout(tensor=8)), str(Layout(tensor=4, pipeline=2, expert=4))
        ('tp8', 'tp4xpp2xep4')
        """
        parts = [f"tp{self.tensor}"]
        if self.pipeline > 1:
            parts.append(f"pp{self.pipeline}")
        if self.data > 1:
            parts.append(f"dp{self.data}")
        if self.expert > 1:
            parts.append(f"ep{self.expert}")
        name = "x".join(parts)
        if self.host_layers:
            return f"{name}, {self.host_layers} layers on the host"
        if self.host_expert_layers:
            return f"{name}, experts of {self.host_expert_layers} layers on the host"
        return name

    @property
    def keeps_layers_on_host(self) -> bool:
        """Whether some weights are computed from host memory."""
        return self.host_layers > 0 or self.host_expert_layers > 0


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """GPUs taken on one node; ``name`` is None where any node of the pool will do."""

    name: str | None
    gpus: int


@dataclass(frozen=True, slots=True)
class Placement:
    """The pool that every replica goes to, and the nodes of ONE replica."""

    accelerator: str
    nodes: tuple[PlacedNode, ...]


@dataclass(frozen=True, slots=True)
class GpuMemory:
    """Where the memory of one GPU goes.

    Attributes:
        rank: of the replica, in the order dp, pp, tp.
        stage: pipeline stage.
        weights_bytes: what the engine holds after loading (its own "Model loading took").
        kv_cache_bytes: the KV pool the engine will allocate.
        kv_needed_bytes: what the load needs of it.
        activation_bytes: transient peak of the profile run.
        graph_bytes: CUDA graphs, if this engine version counts them in its budget.
        overhead_bytes: workspaces, communication buffers, context: what is left of the budget.
        budget_bytes: utilization x device_bytes.
        device_bytes: what CUDA reports to a process.
    """

    rank: int
    stage: int
    weights_bytes: int
    kv_cache_bytes: int
    kv_needed_bytes: int
    activation_bytes: int
    graph_bytes: int
    overhead_bytes: int
    budget_bytes: int
    device_bytes: int


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of one replica.

    Attributes:
        checkpoint_bytes: files of the whole model.
        host_bytes: host memory that one replica's pods ask for.
        per_gpu: one entry per GPU, in rank order.
        kv_cache_tokens: what the engine logs for one data-parallel rank.
        kv_cache_tokens_low: lower end of the 90 % interval.
        kv_cache_tokens_high: upper end of the 90 % interval.
        max_concurrency: kv_cache_tokens / max_model_len.
        concurrency_by_context: (tokens, requests of that length at once), of one replica.
    """

    checkpoint_bytes: int
    host_bytes: int
    per_gpu: tuple[GpuMemory, ...]
    kv_cache_tokens: int
    kv_cache_tokens_low: int
    kv_cache_tokens_high: int
    max_concurrency: float
    concurrency_by_context: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Performance:
    """Predicted speed of one replica in a closed loop; each interval holds 90 %.

    Attributes:
        input_tokens: of each request.
        output_tokens: of each request.
        concurrency: requests in flight.
        ttft_ms: mean time to the first token, queueing included.
        ttft_ms_low: lower end of its interval.
        ttft_ms_high: upper end.
        tpot_ms: mean over requests of (end-to-end - TTFT) / (output tokens - 1).
        tpot_ms_low: lower end of its interval.
        tpot_ms_high: upper end.
        output_tokens_per_second: generated.
        output_tokens_per_second_low: lower end of its interval.
        output_tokens_per_second_high: upper end.
        requests_per_second: answered.
        relative_error: of the time per output token, one standard deviation.
        saturation_concurrency: the fewest requests in flight that bring 95 % of the most tokens.
        saturation_output_tokens_per_second: the most tokens.
    """

    input_tokens: int
    output_tokens: int
    concurrency: int
    ttft_ms: float
    ttft_ms_low: float
    ttft_ms_high: float
    tpot_ms: float
    tpot_ms_low: float
    tpot_ms_high: float
    output_tokens_per_second: float
    output_tokens_per_second_low: float
    output_tokens_per_second_high: float
    requests_per_second: float
    relative_error: float
    saturation_concurrency: int
    saturation_output_tokens_per_second: float


@dataclass(frozen=True, slots=True)
class ReadingPerformance:
    """Predicted speed of one replica of a model that only reads: embeddings, scores of a reranker.

    A closed loop; each interval holds 90 %.

    Attributes:
        input_tokens: of each request.
        concurrency: requests in flight.
        ttft_ms: mean time to the answer, queueing included.
        ttft_ms_low: lower end of its interval.
        ttft_ms_high: upper end.
        input_tokens_per_second: read.
        input_tokens_per_second_low: lower end of its interval.
        input_tokens_per_second_high: upper end.
        requests_per_second: answered.
        relative_error: of the time to the answer, one standard deviation.
        saturation_concurrency: the fewest requests in flight that bring 95 % of the most tokens.
        saturation_input_tokens_per_second: the most tokens.
    """

    input_tokens: int
    concurrency: int
    ttft_ms: float
    ttft_ms_low: float
    ttft_ms_high: float
    input_tokens_per_second: float
    input_tokens_per_second_low: float
    input_tokens_per_second_high: float
    requests_per_second: float
    relative_error: float
    saturation_concurrency: int
    saturation_input_tokens_per_second: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What the GPUs of all replicas cost, in dollars, while each replica carries the load.

    Attributes:
        usd_per_hour: of all of them.
        usd_per_million_output_tokens: all that is paid, over the tokens generated.
        usd_per_million_input_tokens: the part that computing prompts takes, over their tokens.
        usd_per_million_output_tokens_alone: the rest, over the tokens generated.
        kwh_per_million_output_tokens: energy, servers and cooling included.
        price_as_of: ISO date of the price; empty where the inventory states it.
    """

    usd_per_hour: float
    usd_per_million_output_tokens: float | None = None
    usd_per_million_input_tokens: float | None = None
    usd_per_million_output_tokens_alone: float | None = None
    kwh_per_million_output_tokens: float | None = None
    price_as_of: str = ""


class Basis(StrEnum):
    """How a figure came about, surest first."""

    EXACT = "exact"
    FORMULA = "formula"
    FITTED = "fitted"
    ASSUMED = "assumed"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one figure of the plan comes from and how far it may be off (1 sigma, relative)."""

    figure: str
    basis: Basis
    relative_error: float
    source: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the question, as assignments ``(name, value)`` that belong together.

    Names are those of :data:`CHANGE_NAMES`; ``hardware`` takes the short form of the CLI and
    replaces the inventory.
    """

    assignments: tuple[tuple[str, str | int | float], ...]

    def __str__(self) -> str:
        """Say the change as options of ``qwen3 plan``.

        >>> str(Change((("quantization", "fp8"), ("maxModelLen", 32768))))
        '--quantization fp8 --max-model-len 32768'
        """
        return " ".join(_as_option(name, value) for name, value in self.assignments)


UNSET = "none"
"""Takes back a setting that was given: what is assigned, and what its option takes."""


SWITCHES = frozenset({"enforceEager", "fullyShardedLoras"})
"""Changes whose options take no value."""


def _as_option(name: str, value: str | float) -> str:
    if name in SWITCHES:
        option = CHANGE_NAMES[name]
        return option.replace("--", "--no-", 1) if value == UNSET else option
    shown = f"{value:g}" if isinstance(value, float) else value
    return f"{CHANGE_NAMES[name]} {shown}"


CHANGE_NAMES: dict[str, str] = {
    "quantization": "--quantization",
    "kvCacheDtype": "--kv-cache-dtype",
    "engine": "--engine",
    "engineVersion": "--engine-version",
    "tensor": "--tensor",
    "pipeline": "--pipeline",
    "data": "--data",
    "expert": "--expert",
    "replicas": "--replicas",
    "maxModelLen": "--max-model-len",
    "concurrency": "--concurrency",
    "inputTokens": "--input-tokens",
    "outputTokens": "--output-tokens",
    "ttftMs": "--ttft-ms",
    "tpotMs": "--tpot-ms",
    "outputTokensPerSecond": "--output-tokens-per-second",
    "requestsPerSecond": "--requests-per-second",
    "gpuMemoryUtilization": "--gpu-memory-utilization",
    "maxNumSeqs": "--max-num-seqs",
    "maxNumBatchedTokens": "--max-num-batched-tokens",
    "kvCacheMemoryBytes": "--kv-cache-memory-bytes",
    "cpuOffloadGb": "--cpu-offload-gb",
    "enforceEager": "--enforce-eager",
    "loras": "--lora",
    "maxLoras": "--max-loras",
    "maxLoraRank": "--max-lora-rank",
    "fullyShardedLoras": "--fully-sharded-loras",
    "draftModel": "--draft-model",
    "draftTokens": "--draft-tokens",
    "multiNode": "--multi-node",
    "accelerators": "--accelerators",
    "maxGpus": "--max-gpus",
    "maxNodesPerReplica": "--max-nodes-per-replica",
    "hardware": "--hardware",
}
"""Every name a :class:`Change` may assign, with its option of ``qwen3 plan``."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one candidate cannot be.

    Attributes:
        rule: CamelCase name of the rule that binds (``FP8BlockAlignment``,
            ``InsufficientGPUMemory``).
        message: what, how far off, and what would help.
        quantization: of the candidate.
        layout: of the candidate; None if no layout could even be formed.
        accelerator: of the candidate; None if none matched.
        needed_bytes: per GPU, on the tightest one; None where the rule is not about memory.
        available_bytes: per GPU, likewise.
        fixes: changes of the request that each, applied alone, give a plan.
    """

    rule: str
    message: str
    quantization: str
    layout: Layout | None = None
    accelerator: str | None = None
    needed_bytes: int | None = None
    available_bytes: int | None = None
    fixes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class LoraRoom:
    """Room for LoRA adapters in each replica.

    Attributes:
        slots: adapters on the GPUs at once.
        rank: largest that a slot holds.
        bytes_per_gpu: that the slots take, on the GPU where they take most.
        adapters: (name, source) of those that the server starts with.
    """

    slots: int
    rank: int
    bytes_per_gpu: int
    adapters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A layout that is legal, fits, and ranks first. Equal questions give equal plans.

    Attributes:
        variant: catalog name.
        parameters: exact count, tied embeddings once.
        source: checkpoint, as a URL (``hf://Qwen/Qwen3-32B``).
        revision: if pinned.
        served_name: name under which clients ask for the model.
        engine: name of the server.
        engine_version: ``A.B.C``.
        quantization: of the weights.
        kv_cache_dtype: of the cache (never ``auto``).
        max_model_len: tokens.
        replicas: copies.
        layout: of one replica.
        placement: the pool and nodes of one replica.
        memory: of one replica.
        usd_per_hour: of the GPUs that all replicas use; None where no price is known.
        provenance: one entry per figure.
        command: argument vector of the engine; the first word is the program.
        env: environment the engine needs, as (name, value), sorted.
        warnings: what the user should know.
        alternatives: next best plans, each without alternatives of its own.
        refusals: candidates that were refused, the most telling first.
        performance: predicted speed; None where nothing is known of the engine's efficiency, or the
            model generates no tokens.
        reading: predicted speed of a model that generates none; else None.
        cost: of the GPUs that all replicas use; None where no price is known.
        lora: room for adapters; None where LoRA is off.
    """

    variant: str
    parameters: int
    source: str
    revision: str | None
    served_name: str
    engine: str
    engine_version: str
    quantization: str
    kv_cache_dtype: str
    max_model_len: int
    replicas: int
    layout: Layout
    placement: Placement
    memory: Memory
    usd_per_hour: float | None
    provenance: tuple[Provenance, ...]
    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    alternatives: tuple[Plan, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    performance: Performance | None = None
    cost: Cost | None = None
    reading: ReadingPerformance | None = None
    lora: LoraRoom | None = None

    @property
    def gpus(self) -> int:
        """GPUs of all replicas together."""
        return self.layout.gpus_per_replica * self.replicas


@dataclass(frozen=True, slots=True)
class Nearest:
    """The smallest change of the question that gives a plan, and that plan."""

    change: Change
    plan: Plan


@dataclass(frozen=True, slots=True)
class NoPlan:
    """Nothing fits. ``refusals`` says why, the binding one first; ``nearest`` what would."""

    variant: str
    parameters: int
    source: str
    refusals: tuple[Refusal, ...]
    nearest: Nearest | None = None


PlanResult: TypeAlias = Plan | NoPlan
