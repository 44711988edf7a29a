"""What is asked of the planner: one frozen value, whoever asks (CLI, resource, sweep).

A field that is ``None`` (or empty) is left to the planner; anything else is binding: the plan
holds it, or says why it cannot.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Quantization(StrEnum):
    """Weight formats that this planner computes. ``AUTO`` is a wish, never in a plan."""

    AUTO = "auto"
    BF16 = "bf16"
    FP8 = "fp8"
    AWQ_INT4 = "awq-int4"
    GPTQ_INT4 = "gptq-int4"


class KvCacheDtype(StrEnum):
    """Element types of the KV cache. ``AUTO`` is the engine's own choice."""

    AUTO = "auto"
    BF16 = "bf16"
    FP8 = "fp8"


class EngineName(StrEnum):
    """Model servers. ``AUTO`` is a wish, never in a plan."""

    AUTO = "auto"
    VLLM = "vllm"


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
    """

    gpu_memory_utilization: float | None = None
    max_num_seqs: int | None = None
    max_num_batched_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """One question to the planner.

    Attributes:
        model: catalog name of the variant (``Qwen3-32B``), resolved before planning.
        source: where the weights come from if the user said so (``hf://…``, ``pvc://…``);
            ``None``: the catalog's checkpoint of the chosen quantization.
        revision: of the source, if the user pinned it.
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
    accelerators: tuple[str, ...] = ()
    max_gpus: int | None = None
    max_nodes_per_replica: int | None = None
