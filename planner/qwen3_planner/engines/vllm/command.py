"""``vllm serve``: the argument vector, environment, and image of a plan.

Only flags that the parser of the version has (:mod:`qwen3_planner.engines.vllm.flags`). What is
left to the engine's own default is left out, so that a plan never fixes what the user did not.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.engines.sources import (
    LEADER_ADDRESS,
    is_on_hub,
    model_argument,
    source_environment,
)
from qwen3_planner.engines.vllm.chat import chat_arguments
from qwen3_planner.engines.vllm.flags import takes
from qwen3_planner.engines.vllm.pooling import config_arguments, runner_arguments
from qwen3_planner.request import KvCacheDtype

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.engines.vllm.semantics import VllmSemantics
    from qwen3_planner.plan import Layout
    from qwen3_planner.request import ChatSettings, EngineTuning

PORT = 8000
"""Port of the API server. Source: vLLM 0.32.0 ``entrypoints/launchers/cli_args.py``."""

KV_CACHE_NAMES = {KvCacheDtype.FP8: "fp8", KvCacheDtype.FP8_E5M2: "fp8_e5m2"}
"""What ``--kv-cache-dtype`` calls a type that is not the engine's own choice."""

HEALTH_PATH = "/health"
"""200 while the engine lives, 503 after. Source: vLLM 0.32.0
``entrypoints/serve/instrumentator/health.py``."""


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the command line is made of.

    Attributes:
        model: the architecture.
        source: URL of the weights.
        revision: of a hub source; None: its default.
        served_name: name that clients use.
        layout: of one replica.
        max_model_len: tokens.
        kv_cache_dtype: resolved; bf16 is the engine's own choice and stays unsaid.
        has_cache_scales: whether the files would turn the cache to fp8: then bf16 is said.
        tuning: what the user fixed.
        adapters: (name, place) of those that are loaded when the server starts.
        chat: how the server answers where a request does not say.
        is_online_fp8: whether fp8 weights are made while loading.
        needs_half: whether the GPU lacks bf16 units.
        avoids_deep_gemm: whether DeepGEMM fails on these weights on this GPU.
        semantics: of the version.
        draft_source: URL of the weights of the model that drafts tokens; None: no speculation.
        draft_tokens: drafted per step.
    """

    model: ModelArchitecture
    source: str
    revision: str | None
    served_name: str
    layout: Layout
    max_model_len: int
    kv_cache_dtype: KvCacheDtype
    has_cache_scales: bool
    tuning: EngineTuning
    chat: ChatSettings
    is_online_fp8: bool
    needs_half: bool
    avoids_deep_gemm: bool
    semantics: VllmSemantics
    draft_source: str | None = None
    draft_tokens: int = 0
    adapters: tuple[tuple[str, str], ...] = ()


def command(options: ServeOptions) -> tuple[str, ...]:
    """Return the argument vector of the leader of one replica; the first word is the program."""
    return (
        "vllm",
        "serve",
        model_argument(options.source),
        *_revision(options),
        "--served-model-name",
        options.served_name,
        "--port",
        str(PORT),
        "--max-model-len",
        str(options.max_model_len),
        *_parallelism(options.layout),
        *_over_nodes(options.layout, takes_ray=options.tuning.takes_ray),
        *_formats(options),
        *_tuning(options.tuning, options.semantics.version),
        *_adapters(options),
        *_speculation(options),
        *runner_arguments(options.model, options.semantics.version),
        *config_arguments(options.model, options.max_model_len, options.semantics.yarn_form),
        *chat_arguments(options.model, options.chat, options.semantics.version),
    )


def environment(options: ServeOptions) -> tuple[tuple[str, str], ...]:
    """Return the environment the engine needs, sorted by name."""
    variables = [*source_environment(options.source, "vllm")]
    if options.avoids_deep_gemm:
        variables.append(("VLLM_USE_DEEP_GEMM", "0"))
    return tuple(sorted(variables))


def _revision(options: ServeOptions) -> tuple[str, ...]:
    if options.revision is None or not is_on_hub(options.source):
        return ()
    return ("--revision", options.revision)


def _parallelism(layout: Layout) -> tuple[str, ...]:
    words = ["--tensor-parallel-size", str(layout.tensor)]
    if layout.pipeline > 1:
        words += ["--pipeline-parallel-size", str(layout.pipeline)]
    if layout.data > 1:
        words += ["--data-parallel-size", str(layout.data)]
    if layout.expert > 1:
        words.append("--enable-expert-parallel")
    return tuple(words)


def _over_nodes(layout: Layout, *, takes_ray: bool) -> tuple[str, ...]:
    """Say how the ranks of several nodes find each other; one node says nothing.

    Through Ray the leader alone is started, in the cluster that the other pods have joined; its
    data-parallel ranks are spread by Ray too, so many to each node.
    """
    nodes = layout.nodes_per_replica
    if nodes == 1:
        return ()
    if not takes_ray:
        rank = ("--nnodes", str(nodes), "--node-rank", "0", "--master-addr", LEADER_ADDRESS)
        return (*rank, "--distributed-executor-backend", "mp")
    words = ("--distributed-executor-backend", "ray")
    if layout.data == 1:
        return words
    local = str(max(1, layout.data // nodes))
    return (*words, "--data-parallel-backend", "ray", "--data-parallel-size-local", local)


def _formats(options: ServeOptions) -> tuple[str, ...]:
    words = []
    if options.is_online_fp8:
        words += ["--quantization", "fp8"]
    if options.needs_half:
        words += ["--dtype", "half"]
    dtype = KV_CACHE_NAMES.get(options.kv_cache_dtype)
    if options.has_cache_scales and options.kv_cache_dtype is KvCacheDtype.BF16:
        dtype = "bfloat16"
    if dtype is not None:
        words += ["--kv-cache-dtype", dtype]
    return tuple(words)


def _tuning(tuning: EngineTuning, version: Version) -> tuple[str, ...]:
    settings: tuple[tuple[str, float | None], ...] = (
        ("--gpu-memory-utilization", tuning.gpu_memory_utilization),
        ("--kv-cache-memory-bytes", tuning.kv_cache_memory_bytes),
        ("--cpu-offload-gb", tuning.cpu_offload_gib),
        ("--max-num-seqs", tuning.max_num_seqs),
        ("--max-num-batched-tokens", tuning.max_num_batched_tokens),
    )
    words = [
        word
        for flag, value in settings
        if value is not None and takes(flag, version)
        for word in (flag, f"{value:g}" if isinstance(value, float) else str(value))
    ]
    return (*words, "--enforce-eager") if tuning.enforce_eager else tuple(words)


def _adapters(options: ServeOptions) -> tuple[str, ...]:
    """Say slots and adapters; all that are loaded stay in host memory, even where slots are few."""
    tuning, count = options.tuning, len(options.adapters)
    if not tuning.max_loras:
        return ()
    words = ["--enable-lora", "--max-loras", str(tuning.max_loras)]
    if tuning.max_lora_rank is not None:
        words += ["--max-lora-rank", str(tuning.max_lora_rank)]
    if count > tuning.max_loras:
        words += ["--max-cpu-loras", str(count)]
    if tuning.fully_sharded_loras:
        words.append("--fully-sharded-loras")
    if options.adapters:
        words += ["--lora-modules", *(f"{name}={place}" for name, place in options.adapters)]
    return tuple(words)


def _speculation(options: ServeOptions) -> tuple[str, ...]:
    if options.draft_source is None:
        return ()
    settings = {
        "model": model_argument(options.draft_source),
        "num_speculative_tokens": options.draft_tokens,
    }
    return ("--speculative-config", json.dumps(settings, separators=(",", ":")))
