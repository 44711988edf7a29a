"""Options of the engines that the plan sets, each with the field it is computed from.

``spec.engine.extraArgs`` may not set them. Sources: vLLM 0.32.0 and SGLang 0.5.23 argument parsers
(facts: run), ggml-org/llama.cpp tools/server/README.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.api.schema import Rule
from qwen3_planner.request import EngineName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.api.model_server import EngineSpec

_VLLM: Final = {
    "--model": "spec.model.source",
    "--revision": "spec.model.revision",
    "--served-model-name": "spec.model.servedName",
    "--quantization": "spec.quantization",
    "-q": "spec.quantization",
    "--kv-cache-dtype": "spec.kvCacheDtype",
    "--tensor-parallel-size": "spec.parallelism.tensor",
    "-tp": "spec.parallelism.tensor",
    "--pipeline-parallel-size": "spec.parallelism.pipeline",
    "-pp": "spec.parallelism.pipeline",
    "--data-parallel-size": "spec.parallelism.data",
    "-dp": "spec.parallelism.data",
    "--enable-expert-parallel": "spec.parallelism.expert",
    "-ep": "spec.parallelism.expert",
    "--max-model-len": "spec.maxModelLen",
    "--gpu-memory-utilization": "spec.engine.gpuMemoryUtilization",
    "--max-num-seqs": "spec.engine.maxNumSeqs",
    "--max-num-batched-tokens": "spec.engine.maxNumBatchedTokens",
    "--api-key": "spec.apiKeySecretRef",
    "--host": "spec.service",
    "--port": "spec.service",
}

_SGLANG: Final = {
    "--model-path": "spec.model.source",
    "--model": "spec.model.source",
    "--revision": "spec.model.revision",
    "--served-model-name": "spec.model.servedName",
    "--quantization": "spec.quantization",
    "--kv-cache-dtype": "spec.kvCacheDtype",
    "--tensor-parallel-size": "spec.parallelism.tensor",
    "--tp-size": "spec.parallelism.tensor",
    "--tp": "spec.parallelism.tensor",
    "--pipeline-parallel-size": "spec.parallelism.pipeline",
    "--pp-size": "spec.parallelism.pipeline",
    "--attn-dp-size": "spec.parallelism.data",
    "--data-parallel-size": "spec.parallelism.data",
    "--dp-size": "spec.parallelism.data",
    "--dp": "spec.parallelism.data",
    "--expert-parallel-size": "spec.parallelism.expert",
    "--ep-size": "spec.parallelism.expert",
    "--ep": "spec.parallelism.expert",
    "--context-length": "spec.maxModelLen",
    "--mem-fraction-static": "spec.engine.gpuMemoryUtilization",
    "--max-running-requests": "spec.engine.maxNumSeqs",
    "--chunked-prefill-size": "spec.engine.maxNumBatchedTokens",
    "--api-key": "spec.apiKeySecretRef",
    "--host": "spec.service",
    "--port": "spec.service",
}

_LLAMACPP: Final = {
    "--model": "spec.model.source",
    "-m": "spec.model.source",
    "--hf-repo": "spec.model.source",
    "-hf": "spec.model.source",
    "--alias": "spec.model.servedName",
    "-a": "spec.model.servedName",
    "--cache-type-k": "spec.kvCacheDtype",
    "-ctk": "spec.kvCacheDtype",
    "--cache-type-v": "spec.kvCacheDtype",
    "-ctv": "spec.kvCacheDtype",
    "--ctx-size": "spec.maxModelLen",
    "-c": "spec.maxModelLen",
    "--parallel": "spec.workload.concurrency",
    "-np": "spec.workload.concurrency",
    "--gpu-layers": "spec.parallelism",
    "--n-gpu-layers": "spec.parallelism",
    "-ngl": "spec.parallelism",
    "--api-key": "spec.apiKeySecretRef",
    "--host": "spec.service",
    "--port": "spec.service",
}

LORA_FLAGS: Final = (
    "--enable-lora",
    "--lora-modules",
    "--max-loras",
    "--max-lora-rank",
    "--max-cpu-loras",
    "--fully-sharded-loras",
    "--lora-paths",
    "--max-loras-per-batch",
    "--lora-target-modules",
    "--lora",
    "--lora-init-without-apply",
)
"""Options of all engines that ``spec.lora`` sets where it is given; without it they are free."""

PLANNED_FLAGS: Final = {
    EngineName.VLLM: _VLLM,
    EngineName.SGLANG: _SGLANG,
    EngineName.LLAMACPP: _LLAMACPP,
}
"""By engine: option and field. vLLM and SGLang also take any beginning of a long option."""

_TAKES_BEGINNINGS: Final = (EngineName.VLLM, EngineName.SGLANG)


def planned_flag_rules() -> Iterator[Rule]:
    """Yield a rule for each engine and field: ``extraArgs`` leaves to the plan what it computes.

    An engine left to the planner is judged as vLLM, which it mostly is.
    """
    for engine, flags in PLANNED_FLAGS.items():
        for field in dict.fromkeys(flags.values()):
            yield _left_to_the_plan(engine, field)


def _left_to_the_plan(engine: EngineName, field: str) -> Rule:
    flags = [flag for flag, planned_by in PLANNED_FLAGS[engine].items() if planned_by == field]
    names = [engine.value, EngineName.AUTO.value] if engine is EngineName.VLLM else [engine.value]
    given = "a.split('=')[0].replace('_', '-')"
    same = f"f == {given}"
    if engine in _TAKES_BEGINNINGS:
        same += f" || (a.size() > 2 && a.startsWith('--') && f.startsWith({given}))"
    return Rule(
        cel=f"!(self.name in {names}) || !has(self.extraArgs) || self.extraArgs.all(a, "
        f"!({flags}.exists(f, {same})))",
        message=f"extraArgs must not set {' or '.join(flags)}: use {field}",
        holds=lambda spec: not _is_set(spec, names, flags, engine),
        field="extraArgs",
    )


def _is_set(
    spec: EngineSpec, names: Sequence[str], flags: Sequence[str], engine: EngineName
) -> bool:
    if spec.name.value not in names:
        return False
    begins = engine in _TAKES_BEGINNINGS
    return any(_sets(argument, flags, begins=begins) for argument in spec.extra_args)


def _sets(argument: str, flags: Sequence[str], *, begins: bool) -> bool:
    """Whether an argument is one of these options; ``_`` is taken for ``-``."""
    given = argument.partition("=")[0].replace("_", "-")
    shortened = begins and len(given) > len("--") and given.startswith("--")
    return given in flags or (shortened and any(flag.startswith(given) for flag in flags))
