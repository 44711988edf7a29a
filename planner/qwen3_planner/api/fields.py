"""The planner's names for what is asked, as fields of the resource."""

from __future__ import annotations

from typing import Final

from qwen3_planner.errors import SpecError

FIELDS: Final = {
    "MODEL": "spec.model.variant",
    "source": "spec.model.source",
    "--revision": "spec.model.revision",
    "--served-name": "spec.model.servedName",
    "--engine": "spec.engine.name",
    "--engine-version": "spec.engine.version",
    "--gpu-memory-utilization": "spec.engine.gpuMemoryUtilization",
    "--max-num-seqs": "spec.engine.maxNumSeqs",
    "--max-num-batched-tokens": "spec.engine.maxNumBatchedTokens",
    "--kv-cache-memory-bytes": "spec.engine.kvCacheMemoryBytes",
    "--cpu-offload-gb": "spec.engine.cpuOffloadGib",
    "--enforce-eager": "spec.engine.enforceEager",
    "--lora": "spec.lora.adapters",
    "--max-loras": "spec.lora.maxLoras",
    "--max-lora-rank": "spec.lora.maxLoraRank",
    "--fully-sharded-loras": "spec.lora.fullySharded",
    "--draft-model": "spec.engine.draftModel",
    "--draft-tokens": "spec.engine.draftTokens",
    "--multi-node": "spec.engine.multiNode",
    "--quantization": "spec.quantization",
    "--kv-cache-dtype": "spec.kvCacheDtype",
    "--tensor": "spec.parallelism.tensor",
    "--pipeline": "spec.parallelism.pipeline",
    "--data": "spec.parallelism.data",
    "--expert": "spec.parallelism.expert",
    "--replicas": "spec.replicas",
    "--max-model-len": "spec.maxModelLen",
    "--concurrency": "spec.workload.concurrency",
    "--input-tokens": "spec.workload.inputTokens",
    "--output-tokens": "spec.workload.outputTokens",
    "--ttft-ms": "spec.workload.ttftMs",
    "--tpot-ms": "spec.workload.tpotMs",
    "--output-tokens-per-second": "spec.workload.outputTokensPerSecond",
    "--requests-per-second": "spec.workload.requestsPerSecond",
    "--objective": "spec.objective",
    "--thinking": "spec.thinking.default",
    "--thinking-budget-tokens": "spec.thinking.budgetTokens",
    "--tool-calling": "spec.toolCalling",
    "--accelerators": "spec.accelerators",
    "--max-gpus": "spec.maxGpus",
}
"""Field of the resource by what the planner calls it."""


def as_field(error: SpecError) -> SpecError:
    """Name what is wrong as whoever wrote the resource knows it.

    >>> str(as_field(SpecError("--tensor", 3, "must divide the heads")))
    'spec.parallelism.tensor: 3: must divide the heads'
    """
    field = FIELDS.get(error.field, error.field)
    return SpecError(field, error.value, error.reason, error.choices)
