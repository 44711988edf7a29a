"""A question and its plan as a ``Qwen3Deployment`` for ``kubectl apply``.

The resource is the question, its ``status.plan`` the answer. So the manifest asks what the user
asked, and pins of the answer only the accelerator it was found for: fed to ``qwen3 plan -f`` with
the same hardware it gives the same plan, and in a cluster the operator may still heal, move to
another layout after a failure, or take a newer engine, as ``replan`` allows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.engines.adapters import AT_RUN_TIME
from qwen3_planner.errors import SpecError
from qwen3_planner.request import (
    EngineName,
    EngineTuning,
    KvCacheDtype,
    Objective,
    ParallelismWish,
    Quantization,
    Targets,
    Workload,
)

if TYPE_CHECKING:
    from qwen3_planner.plan import Plan
    from qwen3_planner.request import ChatSettings, PlanRequest

API_VERSION = "serving.qwen3.dev/v1alpha1"
KIND = "Qwen3Deployment"
_SOURCES = ("hf://", "modelscope://", "pvc://", "oci://")
_MAX_NAME = 52
_ADAPTERS_FROM = ("hf://", "modelscope://", "pvc://")


def to_manifest(request: PlanRequest, plan: Plan) -> dict[str, Any]:
    """Say what was asked as a resource that is planned alike.

    Raises:
        SpecError: the question holds what a resource cannot say.
    """
    _refuse_what_a_resource_cannot_say(request, plan)
    spec: dict[str, Any] = {
        "model": _model(request),
        "engine": _engine(request),
        "quantization": _unless(request.quantization.value, Quantization.AUTO.value),
        "kvCacheDtype": _unless(request.kv_cache_dtype.value, KvCacheDtype.AUTO.value),
        "parallelism": _parallelism(request.parallelism),
        "maxModelLen": request.max_model_len,
        "workload": _workload(request.workload, request.targets),
        "objective": _unless(request.objective.value, Objective.COST.value),
        "thinking": _thinking(request.chat),
        "toolCalling": request.chat.tool_calling,
        "lora": _lora(request),
        "replicas": plan.replicas if request.replicas_are_open else request.replicas,
        "accelerators": [plan.placement.accelerator],
        "maxGpus": request.max_gpus,
    }
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": resource_name(request.served_name or request.model)},
        "spec": _without_absent(spec),
    }


def resource_name(text: str) -> str:
    """Make a name that a Service may have of whatever names a model.

    >>> resource_name("Qwen3-0.6B"), resource_name("team/chat")
    ('qwen3-0-6b', 'team-chat')
    """
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in text.lower())
    name = "-".join(part for part in letters.split("-") if part)[:_MAX_NAME].strip("-")
    return name if name[:1].isalpha() else f"model-{name}"[:_MAX_NAME].strip("-")


def _refuse_what_a_resource_cannot_say(request: PlanRequest, plan: Plan) -> None:
    if not plan.source.startswith(_SOURCES):
        reason = (
            "a resource takes its weights from a hub, a claim or an image, not from a local folder"
        )
        raise SpecError("-o manifest", plan.source, reason)
    for adapter in request.adapters:
        if not adapter.source.startswith(_ADAPTERS_FROM):
            reason = "a resource takes adapters from a hub or a claim, not from a local folder"
            raise SpecError("-o manifest", adapter.source, reason)
    if request.loads_adapters:
        reason = "is not repeated in a manifest: add it to what comes, with spec.apiKeySecretRef"
        raise SpecError(AT_RUN_TIME, "true", reason)
    if request.weights_at is not None:
        reason = "is not repeated in a manifest: leave it out here and add it to what comes"
        raise SpecError("spec.cache", "(given)", reason)
    if request.max_nodes_per_replica is not None:
        reason = "has no field of the resource; the cluster's nodes bound it"
        raise SpecError("--max-nodes-per-replica", request.max_nodes_per_replica, reason)


def _model(request: PlanRequest) -> dict[str, Any]:
    return _without_absent(
        {
            "variant": request.model,
            "source": request.source,
            "revision": request.revision,
            "servedName": request.served_name,
        }
    )


def _engine(request: PlanRequest) -> dict[str, Any]:
    tuning: EngineTuning = request.tuning
    share, offload = tuning.gpu_memory_utilization, tuning.cpu_offload_gib
    return _without_absent(
        {
            "name": _unless(request.engine.value, EngineName.AUTO.value),
            "version": request.engine_version,
            "gpuMemoryUtilization": None if share is None else _decimal(share),
            "maxNumSeqs": tuning.max_num_seqs,
            "maxNumBatchedTokens": tuning.max_num_batched_tokens,
            "kvCacheMemoryBytes": tuning.kv_cache_memory_bytes,
            "cpuOffloadGib": None if offload is None else _decimal(offload),
            "enforceEager": tuning.enforce_eager,
            "draftModel": tuning.draft_model,
            "draftTokens": tuning.draft_tokens,
            "multiNode": tuning.multi_node and tuning.multi_node.value,
        }
    )


def _lora(request: PlanRequest) -> dict[str, Any]:
    tuning = request.tuning
    adapters = [
        _without_absent(
            {
                "name": adapter.name,
                "source": adapter.source,
                "revision": adapter.revision,
                "rank": adapter.rank,
            }
        )
        for adapter in request.adapters
    ]
    return _without_absent(
        {
            "adapters": adapters or None,
            "maxLoras": tuning.max_loras,
            "maxLoraRank": tuning.max_lora_rank,
            "fullySharded": tuning.fully_sharded_loras,
        }
    )


def _decimal(share: float) -> str:
    """Write a share as the resource wants it: a string without an exponent.

    >>> _decimal(0.9), _decimal(1.0)
    ('0.9', '1')
    """
    return f"{share:.6f}".rstrip("0").rstrip(".")


def _parallelism(wish: ParallelismWish) -> dict[str, Any]:
    return _without_absent(
        {
            "tensor": wish.tensor,
            "pipeline": wish.pipeline,
            "data": wish.data,
            "expert": wish.expert,
        }
    )


def _thinking(chat: ChatSettings) -> dict[str, Any]:
    return _without_absent({"default": chat.thinking, "budgetTokens": chat.thinking_budget_tokens})


def _workload(workload: Workload, targets: Targets) -> dict[str, Any]:
    return _without_absent(
        {
            "concurrency": None if workload.concurrency == 1 else workload.concurrency,
            "inputTokens": workload.input_tokens,
            "outputTokens": workload.output_tokens,
            "ttftMs": _whole("--ttft-ms", targets.ttft_ms),
            "tpotMs": _whole("--tpot-ms", targets.tpot_ms),
            "outputTokensPerSecond": _whole(
                "--output-tokens-per-second", targets.output_tokens_per_second
            ),
            "requestsPerSecond": None
            if targets.requests_per_second is None
            else _decimal(targets.requests_per_second),
        }
    )


def _whole(option: str, wanted: float | None) -> int | None:
    if wanted is not None and wanted != int(wanted):
        raise SpecError(option, f"{wanted:g}", "is a whole number in a resource")
    return None if wanted is None else int(wanted)


def _unless(value: str, default: str) -> str | None:
    return None if value == default else value


def _without_absent(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value is not None and value != {}}
