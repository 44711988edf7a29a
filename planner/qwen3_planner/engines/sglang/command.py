"""``python3 -m sglang.launch_server``: the argument vector and environment of a plan.

Only flags that the parser of the version asked for accepts. What is left to the engine's own
default is left out; address and metrics are always said, since SGLang listens on the loopback
address only and keeps its metrics to itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.adapters import ASSUMED_RANK
from qwen3_planner.engines.pooling import is_reranker
from qwen3_planner.engines.sglang.chat import chat_arguments
from qwen3_planner.engines.sglang.kernels import DEEP_GEMM_SWITCH
from qwen3_planner.engines.sglang.semantics import DataForm, ExpertForm
from qwen3_planner.engines.sglang.yarn import yarn_arguments
from qwen3_planner.engines.sources import (
    LEADER_ADDRESS,
    is_on_hub,
    model_argument,
    source_environment,
)
from qwen3_planner.engines.versions import Version, ruling_at
from qwen3_planner.request import KvCacheDtype

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.engines.sglang.semantics import SglangSemantics
    from qwen3_planner.plan import Layout
    from qwen3_planner.request import ChatSettings, EngineTuning

PROGRAM: Final = ("python3", "-m", "sglang.launch_server")
"""Words at the head of every command."""

PORT: Final = 30000
"""Port of the HTTP server. Source: PyPI sglang 0.5.23 ``arg_groups/fields/serving.py``."""

RENDEZVOUS_PORT: Final = 20000
"""Port on which the nodes of a replica meet.

Source: kubernetes-sigs/lws@060ab4d docs/examples/sglang/lws.yaml.
"""

HEALTH_PATH: Final = "/health"
"""503 until a model is served, then 200. Source: PyPI sglang 0.5.23
``entrypoints/http_server.py``; alike since 0.4.6.post1."""

PREFILL_GRAPHS_OFF: Final = ((Version(0, 5, 10), Version(0, 5, 14)),)
"""Versions [since, until) in which ``--disable-cuda-graph`` leaves prefill graphs on. Source: PyPI
sglang 0.5.10 to 0.5.13 ``server_args.py``."""

RERANKERS_SINCE: Final = Version(0, 5, 8)
"""First version that scores with Qwen3-Reranker. Source: PyPI sglang 0.5.8
``entrypoints/openai/serving_rerank.py``; github.com/sgl-project/sglang/pull/16403."""

RERANKER_TEMPLATE: Final = "/sgl-workspace/sglang/examples/chat_template/qwen3_reranker.jinja"
"""Where the images keep the template that makes a reranker of the chat endpoint."""

LORA_MODULES: Final = (
    "q_proj",
    "k_proj",
    "v_proj",
    "o_proj",
    "gate_proj",
    "up_proj",
    "down_proj",
)
"""Layers with slots: all of a decoder layer, so that any adapter of them finds room."""

KV_CACHE_NAMES: Final = {
    KvCacheDtype.FP8: "fp8_e4m3",
    KvCacheDtype.FP8_E5M2: "fp8_e5m2",
}
"""Values of ``--kv-cache-dtype``; the model's own type is left unsaid."""


@dataclass(frozen=True, slots=True)
class LaunchOptions:
    """What the command line is made of.

    Attributes:
        model: the architecture.
        source: URL of the weights.
        revision: of a hub source; None: its default.
        served_name: name that clients use.
        layout: of one replica.
        max_model_len: tokens.
        kv_cache_dtype: resolved.
        kv_tokens: pool that the user fixed, in tokens; None: what fits.
        tuning: what the user fixed.
        adapters: (name, place) of those that are loaded when the server starts.
        chat: how the server answers where a request does not say.
        is_online_fp8: whether fp8 weights are made while loading.
        wants_half: whether 16-bit weights are to be served as float16.
        avoids_deep_gemm: whether DeepGEMM fails on these weights on this GPU.
        semantics: of the version.
    """

    model: ModelArchitecture
    source: str
    revision: str | None
    served_name: str
    layout: Layout
    max_model_len: int
    kv_cache_dtype: KvCacheDtype
    kv_tokens: int | None
    tuning: EngineTuning
    chat: ChatSettings
    is_online_fp8: bool
    wants_half: bool
    avoids_deep_gemm: bool
    semantics: SglangSemantics
    adapters: tuple[tuple[str, str], ...] = ()


def command(options: LaunchOptions) -> tuple[str, ...]:
    """Return the argument vector of the leader of one replica; the first word is the program."""
    return (
        *PROGRAM,
        "--model-path",
        model_argument(options.source),
        *_revision(options),
        "--served-model-name",
        options.served_name,
        "--host",
        "0.0.0.0",  # noqa: S104 - in a container; a Service is in front
        "--port",
        str(PORT),
        "--enable-metrics",
        *_runner(options),
        "--context-length",
        str(options.max_model_len),
        *_parallelism(options),
        *_formats(options),
        *_tuning(options),
        *_adapters(options),
        *yarn_arguments(options.model, options.max_model_len),
        *chat_arguments(options.model, options.chat, options.semantics.version),
    )


def environment(options: LaunchOptions) -> tuple[tuple[str, str], ...]:
    """Return the environment the engine needs, sorted by name."""
    variables = [*source_environment(options.source, "sglang")]
    if options.avoids_deep_gemm:
        switch = ruling_at(DEEP_GEMM_SWITCH, options.semantics.version).value
        variables.append((switch, "0"))
    return tuple(sorted(variables))


def _runner(options: LaunchOptions) -> tuple[str, ...]:
    """Say what the model is for; rerankers score by the next token, so they are no embeddings."""
    if is_reranker(options.model):
        return ("--chat-template", RERANKER_TEMPLATE, "--disable-radix-cache")
    return ("--is-embedding",) if options.model.is_pooling else ()


def _revision(options: LaunchOptions) -> tuple[str, ...]:
    if options.revision is None or not is_on_hub(options.source):
        return ()
    return ("--revision", options.revision)


def _parallelism(options: LaunchOptions) -> Iterator[str]:
    """Yield the sizes; SGLang's tensor size counts the attention's data-parallel ranks too."""
    layout, semantics = options.layout, options.semantics
    yield from ("--tp-size", str(layout.tensor * layout.data))
    if layout.pipeline > 1:
        yield from ("--pp-size", str(layout.pipeline))
    if layout.data > 1 and semantics.data_form is DataForm.TWO_FLAGS:
        yield from ("--enable-dp-attention", "--dp-size", str(layout.data))
    elif layout.data > 1:
        yield from ("--attn-dp-size", str(layout.data))
    if layout.expert > 1 and semantics.expert_form is ExpertForm.ALL_RANKS:
        yield "--enable-ep-moe"
    elif layout.expert > 1:
        yield from ("--ep-size", str(layout.expert))
    if layout.nodes_per_replica > 1:
        yield from ("--nnodes", str(layout.nodes_per_replica), "--node-rank", "0")
        yield from ("--dist-init-addr", f"{LEADER_ADDRESS}:{RENDEZVOUS_PORT}")


def _formats(options: LaunchOptions) -> Iterator[str]:
    if options.is_online_fp8:
        yield from ("--quantization", "fp8")
    if options.wants_half:
        yield from ("--dtype", "half")
    name = KV_CACHE_NAMES.get(options.kv_cache_dtype)
    if name is not None:
        yield from ("--kv-cache-dtype", name)


def _adapters(options: LaunchOptions) -> Iterator[str]:
    """Say slots and adapters; the plain model takes a slot, too (PyPI sglang 0.5.1 to 0.5.23)."""
    tuning = options.tuning
    if not tuning.max_loras:
        return
    yield from ("--enable-lora", "--max-loras-per-batch", str(tuning.max_loras + 1))
    yield from ("--max-lora-rank", str(tuning.max_lora_rank or ASSUMED_RANK))
    yield from ("--lora-target-modules", *LORA_MODULES)
    if options.adapters:
        yield from ("--lora-paths", *(f"{name}={place}" for name, place in options.adapters))


def _tuning(options: LaunchOptions) -> Iterator[str]:
    tuning = options.tuning
    settings: tuple[tuple[str, float | None], ...] = (
        ("--mem-fraction-static", tuning.gpu_memory_utilization),
        ("--max-running-requests", tuning.max_num_seqs),
        ("--chunked-prefill-size", tuning.max_num_batched_tokens),
        ("--max-total-tokens", options.kv_tokens),
    )
    for flag, value in settings:
        if value is not None:
            yield from (flag, str(value))
    if tuning.cpu_offload_gib:
        yield from ("--cpu-offload-gb", str(int(tuning.cpu_offload_gib)))
    if tuning.enforce_eager:
        yield "--disable-cuda-graph"
        version = options.semantics.version
        if any(since <= version < until for since, until in PREFILL_GRAPHS_OFF):
            yield "--disable-piecewise-cuda-graph"
