"""``llama-server``: the argument vector of a plan.

Whatever decides the memory is said, even where it is the default of today: the defaults of this
engine move with its builds. Only flags that the build has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.llamacpp.chat import chat_arguments
from qwen3_planner.engines.llamacpp.semantics import (
    LOGICAL_BATCH,
    PHYSICAL_BATCH,
    FlashFlag,
)
from qwen3_planner.engines.pooling import is_reranker
from qwen3_planner.engines.sources import is_on_hub, model_argument, source_environment
from qwen3_planner.engines.vllm.yarn import original_positions, yarn_factor
from qwen3_planner.request import KvCacheDtype

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.engines.llamacpp.semantics import LlamaCppSemantics
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.plan import Layout
    from qwen3_planner.request import ChatSettings

PORT: Final = 8080
"""Port of the HTTP server, always said: its default moved from 8080 to 9931. Source:
ggml-org/llama.cpp@00dc805 tools/server/README.md."""

HEALTH_PATH: Final = "/health"
"""503 while a model is loading, then 200. Source: ggml-org/llama.cpp@00dc805
tools/server/README.md."""

PROGRAM: Final = ("llama-server",)
"""Words at the head of every command; the server images start it as their entry point."""

KV_CACHE_NAMES: Final = {KvCacheDtype.FP16: "f16", KvCacheDtype.BF16: "bf16"}
"""Values of ``-ctk`` and ``-ctv`` that differ from ours."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """What the command line is made of.

    Attributes:
        model: the architecture.
        source: URL of the weights.
        file_type: of the GGUF file (``Q4_K_M``).
        served_name: name that clients use.
        layout: of one replica.
        on_gpu: whether layers are computed by a GPU at all.
        slots: requests that are worked on at a time.
        context: tokens of the whole cache.
        slot_context: tokens of the longest sequence.
        unified: whether the slots share the cache.
        kv_cache_dtype: resolved.
        physical_batch: tokens that one pass computes.
        prompt_cache_mib: host memory for prompts.
        adapters: (name, file) of LoRA adapters.
        chat: how the server answers where a request does not say.
        version: of the engine.
        semantics: of the build.
    """

    model: ModelArchitecture
    source: str
    file_type: str
    served_name: str
    layout: Layout
    on_gpu: bool
    slots: int
    context: int
    slot_context: int
    unified: bool
    kv_cache_dtype: KvCacheDtype
    physical_batch: int
    prompt_cache_mib: int
    chat: ChatSettings
    version: Version
    semantics: LlamaCppSemantics
    adapters: tuple[tuple[str, str], ...] = ()


def command(options: ServerOptions) -> tuple[str, ...]:
    """Return the argument vector of one replica; the first word is the program."""
    return (
        *PROGRAM,
        *_model(options),
        "--alias",
        options.served_name,
        "--host",
        "0.0.0.0",  # noqa: S104 - inside a pod, behind a Service
        "--port",
        str(PORT),
        "--ctx-size",
        str(options.context),
        "--parallel",
        str(options.slots),
        *(("--kv-unified",) if options.unified else ()),
        *_offload(options),
        *_cache(options),
        *_batches(options),
        *_yarn(options),
        *_runner(options.model),
        *chat_arguments(options.model, options.chat, options.version),
        *_adapters(options),
        "--metrics",
    )


def _runner(model: ModelArchitecture) -> tuple[str, ...]:
    """Say what the model is for; a vector is that of the last token, and prompts may be cut for it.

    Source: https://huggingface.co/Qwen/Qwen3-Embedding-0.6B-GGUF (read 2026-11-23);
    ggml-org/llama.cpp @00dc8057 tools/server/README.md.
    """
    if not model.is_pooling:
        return ("--jinja",)
    return ("--reranking",) if is_reranker(model) else ("--embeddings", "--pooling", "last")


def environment(options: ServerOptions) -> tuple[tuple[str, str], ...]:
    """Return the environment the engine needs."""
    return source_environment(options.source, "llamacpp")


def _model(options: ServerOptions) -> tuple[str, ...]:
    """Name the file, or the repository and the file type in it; images need a file of their own.

    A repository's image encoder is found without being named.
    """
    if is_on_hub(options.source):
        return ("--hf-repo", f"{model_argument(options.source)}:{options.file_type}")
    path = model_argument(options.source)
    folder = path
    if path.endswith(".gguf"):
        folder = path.rpartition("/")[0]
    else:
        path = f"{folder}/{options.model.name}-{options.file_type}.gguf"
    if options.model.vision is None:
        return ("--model", path)
    return ("--model", path, "--mmproj", f"{folder}/mmproj-{options.model.name}-F16.gguf")


def _adapters(options: ServerOptions) -> Iterator[str]:
    """Load adapters without applying them: a request names those it wants, by their order.

    Source: ggml-org/llama.cpp b11549 common/arg.cpp, tools/server/README.md ("lora").
    """
    if options.adapters:
        yield "--lora-init-without-apply"
    for _, file in options.adapters:  # older builds take no list, newer ones both
        yield from ("--lora", file)


def _offload(options: ServerOptions) -> Iterator[str]:
    layout = options.layout
    if options.semantics.has_fit:
        yield from ("--fit", "off")
    if not options.on_gpu:
        yield from ("--n-gpu-layers", "0")
        return
    yield from ("--n-gpu-layers", str(options.model.layers + 1 - layout.host_layers))
    if layout.host_expert_layers:
        yield from ("--n-cpu-moe", str(layout.host_expert_layers))
    if layout.pipeline > 1:
        yield from ("--split-mode", "layer")
        yield from ("--tensor-split", ",".join(["1"] * layout.pipeline))


def _cache(options: ServerOptions) -> Iterator[str]:
    kind = KV_CACHE_NAMES.get(options.kv_cache_dtype, options.kv_cache_dtype.value)
    yield from ("--cache-type-k", kind, "--cache-type-v", kind)
    yield "--flash-attn"
    if options.semantics.flash_flag is FlashFlag.VALUE:
        yield options.semantics.flash_flag.value
    if options.semantics.has_prompt_cache:
        yield from ("--cache-ram", str(options.prompt_cache_mib))


def _batches(options: ServerOptions) -> tuple[str, ...]:
    """Say the batch where it is not the default; the logical one is never smaller."""
    if options.physical_batch == PHYSICAL_BATCH:
        return ()
    logical = max(LOGICAL_BATCH, options.physical_batch)
    return ("--batch-size", str(logical), "--ubatch-size", str(options.physical_batch))


def _yarn(options: ServerOptions) -> tuple[str, ...]:
    """Stretch the context, as Qwen's page does.

    Source: QwenLM/Qwen3@7a2f61f docs/source/run_locally/llama.cpp.md.
    """
    factor = yarn_factor(options.model, options.slot_context)
    if factor is None:
        return ()
    original = str(original_positions(options.model))
    return (
        *("--rope-scaling", "yarn"),
        *("--rope-scale", f"{factor:g}"),
        *("--yarn-orig-ctx", original),
    )
