"""Resources whose fields have a wrong shape: the schema refuses them."""

from __future__ import annotations

from support.resources import ADAPTER, Bad

BAD_SHAPES: tuple[Bad, ...] = (
    Bad(
        "a rank is within what any slot holds",
        f"lora: {{adapters: [{{{ADAPTER}, rank: 513}}]}}",
        "spec.lora.adapters[0].rank",
        "must be at most 512",
        "should be less than or equal to 512",
    ),
    Bad(
        "an unknown variant is refused with the choices",
        "model: {variant: Qwen3-33B}",
        "spec.model.variant",
        "is not one of the choices (allowed: Qwen3-32B, ",
        'Unsupported value: "Qwen3-33B": supported values: "Qwen3-0.6B", ',
    ),
    Bad(
        "an unknown quantization is refused with the choices",
        "quantization: int4",
        "spec.quantization",
        "is not one of the choices (allowed: ",
        'supported values: "auto", "bf16", "fp16", "fp8", "fp8-static", "int8", "awq-int4"',
    ),
    Bad(
        "an engine that is not served is refused",
        "engine: {name: tgi}",
        "spec.engine.name",
        "is not one of the choices",
        'supported values: "auto", "vllm", "sglang", "llamacpp"',
    ),
    Bad(
        "a misspelt field is refused, the nearest named first",
        "model: {varient: Qwen3-32B}",
        "spec.model.varient",
        "is not a field of this resource (allowed: variant, ",
        'unknown field "spec.model.varient"',
    ),
    Bad(
        "GPUs cannot be set beside the plan",
        "resources: {limits: {nvidia.com/gpu: 2}}",
        "spec.resources.limits.nvidia.com/gpu",
        "is not a field of this resource",
        'unknown field "spec.resources.limits.nvidia.com/gpu"',
    ),
    Bad(
        "a misspelt field deep inside affinity is refused",
        "affinity: {nodeAffinity: {required: []}}",
        "spec.affinity.nodeAffinity.required",
        "is not a field of this resource (allowed: requiredDuring",
        'unknown field "spec.affinity.nodeAffinity.required"',
    ),
    Bad(
        "the model is required",
        "model: {}",
        "spec.model.variant",
        "is required",
        "Required value",
    ),
    Bad(
        "replicas are never negative",
        "replicas: -1",
        "spec.replicas",
        "must be at least 0",
        "should be greater than or equal to 0",
    ),
    Bad(
        "a number in quotes is no number",
        "replicas: '2'",
        "spec.replicas",
        "must be a whole number",
        "must be of type integer",
    ),
    Bad(
        "a fraction is no count",
        "maxModelLen: 1.5",
        "spec.maxModelLen",
        "must be a whole number",
        "must be of type integer",
    ),
    Bad(
        "utilization as a number is refused: its text form is exact",
        "engine: {gpuMemoryUtilization: 0.9}",
        "spec.engine.gpuMemoryUtilization",
        "must be text; put it in quotes",
        "must be of type string",
    ),
    Bad(
        "yes is not true",
        "suspend: 'yes'",
        "spec.suspend",
        "must be true or false",
        "must be of type boolean",
    ),
    Bad(
        "a single accelerator still needs a list",
        "accelerators: H100-SXM-80GB",
        "spec.accelerators",
        "must be a list",
        "must be of type array",
    ),
    Bad(
        "more extra arguments than anyone needs are refused",
        f"engine: {{extraArgs: [{', '.join(['-v'] * 65)}]}}",
        "spec.engine.extraArgs",
        "must have at most 64 entries",
        "must have at most 64 items",
    ),
    Bad(
        "scaling has an upper end",
        "scaling: {minReplicas: 1}",
        "spec.scaling.maxReplicas",
        "is required",
        "Required value",
    ),
    Bad(
        "a day has three letters",
        "scaling: {maxReplicas: 2, schedules: [{start: '08:00', end: '18:00', minReplicas: 2,"
        " days: [Monday]}]}",
        "spec.scaling.schedules[0].days[0]",
        "is not one of the choices (allowed: Mon, ",
        'supported values: "Mon", "Tue"',
    ),
    Bad(
        "a misspelt target is refused, the nearest named first",
        "scaling: {maxReplicas: 2, targets: {kvCacheUsage: 80}}",
        "spec.scaling.targets.kvCacheUsage",
        "is not a field of this resource (allowed: kvCacheUsagePercent, ",
        'unknown field "spec.scaling.targets.kvCacheUsage"',
    ),
)
