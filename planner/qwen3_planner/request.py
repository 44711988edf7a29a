"""What is asked of the planner: one frozen value, whoever asks (CLI, resource, sweep).

A field that is ``None`` (or empty) is left to the planner; anything else is binding: the plan
holds it, or says why it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MODEL_MOUNT_PATH: Final = "/models"
"""Where a volume with weights is mounted; what lies on it is served from below it."""


class Quantization(StrEnum):
    """Weight formats that this planner computes. ``AUTO`` is a wish, never in a plan.

    ``fp8`` is the official block-128 checkpoint, else one scale per output channel; ``fp8-static``
    has one scale per tensor; ``gguf:<TYPE>`` are the file types of llama.cpp.
    """

    AUTO = "auto"
    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"
    FP8_STATIC = "fp8-static"
    INT8 = "int8"
    AWQ_INT4 = "awq-int4"
    GPTQ_INT4 = "gptq-int4"
    GPTQ_INT8 = "gptq-int8"
    NVFP4 = "nvfp4"
    MXFP4 = "mxfp4"
    GGUF_BF16 = "gguf:BF16"
    GGUF_F16 = "gguf:F16"
    GGUF_Q8_0 = "gguf:Q8_0"
    GGUF_Q6_K = "gguf:Q6_K"
    GGUF_Q5_K_M = "gguf:Q5_K_M"
    GGUF_Q5_K_S = "gguf:Q5_K_S"
    GGUF_Q5_1 = "gguf:Q5_1"
    GGUF_Q5_0 = "gguf:Q5_0"
    GGUF_Q4_K_M = "gguf:Q4_K_M"
    GGUF_Q4_K_S = "gguf:Q4_K_S"
    GGUF_Q4_1 = "gguf:Q4_1"
    GGUF_Q4_0 = "gguf:Q4_0"
    GGUF_IQ4_NL = "gguf:IQ4_NL"
    GGUF_IQ4_XS = "gguf:IQ4_XS"
    GGUF_Q3_K_L = "gguf:Q3_K_L"
    GGUF_Q3_K_M = "gguf:Q3_K_M"
    GGUF_Q3_K_S = "gguf:Q3_K_S"
    GGUF_IQ3_M = "gguf:IQ3_M"
    GGUF_IQ3_S = "gguf:IQ3_S"
    GGUF_IQ3_XS = "gguf:IQ3_XS"
    GGUF_IQ3_XXS = "gguf:IQ3_XXS"
    GGUF_Q2_K = "gguf:Q2_K"
    GGUF_Q2_K_S = "gguf:Q2_K_S"
    GGUF_IQ2_M = "gguf:IQ2_M"
    GGUF_IQ2_S = "gguf:IQ2_S"
    GGUF_IQ2_XS = "gguf:IQ2_XS"
    GGUF_IQ2_XXS = "gguf:IQ2_XXS"
    GGUF_IQ1_M = "gguf:IQ1_M"
    GGUF_IQ1_S = "gguf:IQ1_S"

    @property
    def is_gguf(self) -> bool:
        """Whether it is a file type of llama.cpp."""
        return self.value.startswith("gguf:")


class KvCacheDtype(StrEnum):
    """Element types of the KV cache. ``AUTO`` is the engine's own choice.

    ``bf16``, ``fp16`` and ``fp8`` (e4m3) are those of vLLM and SGLang; llama.cpp takes ``fp16`` and
    the block formats of ggml.
    """

    AUTO = "auto"
    BF16 = "bf16"
    FP16 = "fp16"
    FP8 = "fp8"
    FP8_E5M2 = "fp8-e5m2"
    Q8_0 = "q8_0"
    Q5_1 = "q5_1"
    Q5_0 = "q5_0"
    Q4_1 = "q4_1"
    Q4_0 = "q4_0"
    IQ4_NL = "iq4_nl"


class EngineName(StrEnum):
    """Model servers. ``AUTO`` is a wish, never in a plan."""

    AUTO = "auto"
    VLLM = "vllm"
    SGLANG = "sglang"
    LLAMACPP = "llamacpp"


class MultiNode(StrEnum):
    """How the ranks of a replica over several nodes find each other."""

    NATIVE = "native"
    """The engine's own way: each rank is told its number and the leader's address."""

    RAY = "ray"
    """A Ray cluster of the replica's pods, in which vLLM's leader starts the others' workers."""


@dataclass(frozen=True, slots=True)
class Workload:
    """The load that the plan must hold.

    Attributes:
        concurrency: requests in flight per replica, over all its data-parallel ranks.
        input_tokens: prompt tokens of one request; ``None``: not stated.
        output_tokens: generated tokens of one request; ``None``: not stated.
    """

    concurrency: int = 1
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ParallelismWish:
    """Sizes of the parallel groups that the user fixed; ``None`` is the planner's to choose.

    Attributes:
        tensor: ranks that share each layer.
        pipeline: stages that the layers are cut into.
        data: copies of attention (with vLLM DP) inside one replica.
        expert: size of the expert-parallel group; 1 means off.
    """

    tensor: int | None = None
    pipeline: int | None = None
    data: int | None = None
    expert: int | None = None


@dataclass(frozen=True, slots=True)
class EngineTuning:
    """Engine settings that the user fixed; ``None`` is that engine version's own default.

    Attributes:
        gpu_memory_utilization: share of the device's memory for the engine, in (0, 1].
        max_num_seqs: sequences scheduled at once.
        max_num_batched_tokens: tokens of one scheduler step.
        kv_cache_memory_bytes: KV pool of one GPU, taken as given whatever the share of memory.
        cpu_offload_gib: weights of one GPU that are kept in host memory, GiB.
        enforce_eager: whether CUDA graphs are switched off.
        max_loras: LoRA adapters that are held at once; ``None``: as many as are named, and LoRA is
            off where none is.
        max_lora_rank: largest rank of an adapter; ``None``: the smallest that holds those named.
        fully_sharded_loras: whether both halves of each adapter are shared out over tensor ranks.
        draft_model: catalog name of the model that drafts tokens; ``None``: no speculation.
        draft_tokens: tokens drafted per step.
        multi_node: how ranks on several nodes are started; ``None``: the engine's own way.
    """

    gpu_memory_utilization: float | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None
    kv_cache_memory_bytes: int | None = None
    cpu_offload_gib: float | None = None
    enforce_eager: bool | None = None
    max_loras: int | None = None
    max_lora_rank: int | None = None
    fully_sharded_loras: bool | None = None
    draft_model: str | None = None
    draft_tokens: int | None = None
    multi_node: MultiNode | None = None

    @property
    def takes_ray(self) -> bool:
        """Whether a replica over several nodes is started through Ray."""
        return self.multi_node is MultiNode.RAY


@dataclass(frozen=True, slots=True)
class Adapter:
    """A LoRA adapter that is served beside the model.

    Attributes:
        name: by which clients ask for it, as they ask for a model.
        source: URL (``hf://``, ``modelscope://`` or ``pvc://``).
        revision: of the source, if the user pinned it.
        rank: of its matrices; ``None``: not stated.
    """

    name: str
    source: str
    revision: str | None = None
    rank: int | None = None


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """How the server answers, where a request does not say; ``None`` is the model's own way.

    Attributes:
        thinking: whether answers of a hybrid model begin with reasoning.
        thinking_budget_tokens: after so many tokens reasoning is ended.
        tool_calling: whether tool calls are read out of answers; ``None``: where the engine can.
    """

    thinking: bool | None = None
    thinking_budget_tokens: int | None = None
    tool_calling: bool | None = None

    @property
    def given(self) -> tuple[tuple[str, bool | int], ...]:
        """What was said, as (option, value)."""
        said = (
            ("--thinking", self.thinking),
            ("--thinking-budget-tokens", self.thinking_budget_tokens),
            ("--tool-calling", self.tool_calling),
        )
        return tuple((option, value) for option, value in said if value is not None)


class Objective(StrEnum):
    """What decides between plans that meet the targets and are as precise.

    Attributes:
        COST: the least money.
        LATENCY: the least time for a request of the load.
        THROUGHPUT: the most output tokens per second.
    """

    COST = "cost"
    LATENCY = "latency"
    THROUGHPUT = "throughput"

    @property
    def needs_speed(self) -> bool:
        """Whether fits have to be predicted to be compared."""
        return self is not Objective.COST


@dataclass(frozen=True, slots=True)
class Targets:
    """What a plan has to reach under the load, by its own figures; ``None`` is not asked.

    Attributes:
        ttft_ms: mean time to first token, at most.
        tpot_ms: mean time per output token, at most.
        output_tokens_per_second: of all replicas, at least.
        requests_per_second: that arrive at all replicas and have to be kept up with; latencies are
            then those of requests that arrive at random, not of so many in flight.
    """

    ttft_ms: float | None = None
    tpot_ms: float | None = None
    output_tokens_per_second: float | None = None
    requests_per_second: float | None = None

    @property
    def are_given(self) -> bool:
        """Whether anything is asked."""
        return any(value is not None for _, value in self.as_options)

    @property
    def as_options(self) -> tuple[tuple[str, float | None], ...]:
        """All of them, as (option, value)."""
        return (
            ("--ttft-ms", self.ttft_ms),
            ("--tpot-ms", self.tpot_ms),
            ("--output-tokens-per-second", self.output_tokens_per_second),
            ("--requests-per-second", self.requests_per_second),
        )


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """One question to the planner.

    Attributes:
        model: catalog name of the variant (``Qwen3-32B``), resolved before planning.
        source: where the weights come from if the user said so (``hf://…``, ``pvc://…``);
            ``None``: the catalog's checkpoint of the chosen quantization.
        revision: of the source, if the user pinned it.
        adapters: LoRA adapters that are loaded when the server starts.
        adapters_at: folder in the container to which somebody else brings adapters from a hub, each
            into a folder of its own; ``None``: nobody does, the engine fetches them.
        loads_adapters: whether adapters are loaded while the server runs, by somebody beside it.
        weights_at: folder in the container to which somebody else brings weights from a hub; ends
            with ``/`` where each source has a folder of its own below it; ``None``: nobody does,
            the engine fetches them.
        served_name: the name clients use; ``None``: the model's catalog name.
        engine: which server; ``AUTO`` lets the planner choose.
        engine_version: as typed (``0.32.0``); ``None``: the newest the catalog knows.
        quantization: weight format; ``AUTO``: the most precise that fits.
        kv_cache_dtype: ``AUTO``: what the engine takes by default for that checkpoint.
        parallelism: group sizes that are fixed.
        replicas: copies of the whole model server.
        max_model_len: tokens of the longest sequence; ``None``: native, or the longest that fits.
        workload: the load that must be held.
        tuning: engine settings that are fixed.
        chat: how the server answers where a request does not say.
        targets: what has to be reached.
        objective: what decides between plans that do.
        replicas_are_open: whether more replicas may be taken where the targets need them.
        accelerators: catalog names that may be used; empty: any.
        max_gpus: upper bound on the GPUs of all replicas together.
        max_nodes_per_replica: upper bound on the nodes one replica spans; ``None``: any.
    """

    model: str
    source: str | None = None
    revision: str | None = None
    served_name: str | None = None
    engine: EngineName = EngineName.AUTO
    engine_version: str | None = None
    quantization: Quantization = Quantization.AUTO
    kv_cache_dtype: KvCacheDtype = KvCacheDtype.AUTO
    parallelism: ParallelismWish = ParallelismWish()
    replicas: int = 1
    max_model_len: int | None = None
    workload: Workload = Workload()
    tuning: EngineTuning = EngineTuning()
    chat: ChatSettings = ChatSettings()
    targets: Targets = Targets()
    objective: Objective = Objective.COST
    replicas_are_open: bool = False
    accelerators: tuple[str, ...] = ()
    max_gpus: int | None = None
    max_nodes_per_replica: int | None = None
    weights_at: str | None = None
    adapters: tuple[Adapter, ...] = ()
    adapters_at: str | None = None
    loads_adapters: bool = False
