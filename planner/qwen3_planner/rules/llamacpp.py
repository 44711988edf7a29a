"""What llama.cpp asks, in the order it is judged here, each rule with its builds and source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.llamacpp.semantics import (
    ARCHITECTURES,
    MOST_SLOTS,
    RECOMMENDED_BUILD,
    architecture_of,
)
from qwen3_planner.request import KvCacheDtype
from qwen3_planner.rules import serving
from qwen3_planner.rules.layouts import ONE_SLICE
from qwen3_planner.rules.rule import Rule

if TYPE_CHECKING:
    from qwen3_planner.rules.facts import LayoutFacts, PoolFacts

CACHE_TYPES: Final = (
    KvCacheDtype.FP16,
    KvCacheDtype.BF16,
    KvCacheDtype.Q8_0,
    KvCacheDtype.Q5_1,
    KvCacheDtype.Q5_0,
    KvCacheDtype.Q4_1,
    KvCacheDtype.Q4_0,
    KvCacheDtype.IQ4_NL,
)
"""Values of ``-ctk`` and ``-ctv``."""

FOREIGN_SETTINGS: Final = (
    ("kv_cache_memory_bytes", "--kv-cache-memory-bytes"),
    ("cpu_offload_gib", "--cpu-offload-gib"),
    ("enforce_eager", "--enforce-eager"),
    ("max_loras", "--max-loras"),
    ("max_lora_rank", "--max-lora-rank"),
    ("fully_sharded_loras", "--fully-sharded-loras"),
    ("draft_model", "--draft-model"),
    ("draft_tokens", "--draft-tokens"),
    ("multi_node", "--multi-node"),
)
"""Settings of other engines that no plan for this one holds."""


def weights_are_gguf(facts: PoolFacts) -> str | None:
    """It reads GGUF files only."""
    if facts.fmt.quantization.is_gguf:
        return None
    return (
        f"llama.cpp reads GGUF files; {facts.fmt.quantization.value} is none. A gguf:* quantization"
        " or another engine would do."
    )


def build_knows_the_architecture(facts: PoolFacts) -> str | None:
    """The build loads this architecture."""
    name = architecture_of(facts.model)
    first, _ = ARCHITECTURES[name]
    if facts.version >= first:
        return None
    return (
        f"llama.cpp {facts.version} does not know the architecture {name} of {facts.model.name}:"
        f" {first} is the first build that loads it."
    )


def cache_type_exists(facts: PoolFacts) -> str | None:
    """The cache is held in a type that ggml has."""
    if facts.kv_cache_dtype in CACHE_TYPES:
        return None
    known = ", ".join(each.value for each in CACHE_TYPES)
    return (
        f"llama.cpp has no {facts.kv_cache_dtype.value} KV cache. Its types are {known}; q8_0 is as"
        " small as FP8."
    )


def slots_are_within_the_limit(facts: PoolFacts) -> str | None:
    """One server works on a bounded number of sequences."""
    slots = facts.batch.seqs
    if slots <= MOST_SLOTS:
        return None
    return (
        f"{slots} slots are {slots - MOST_SLOTS} more than the {MOST_SLOTS} that one llama.cpp"
        " server has. More replicas or a smaller max-num-seqs would do."
    )


def settings_are_its_own(facts: PoolFacts) -> str | None:
    """No setting is asked for that only other engines have."""
    asked = [option for name, option in FOREIGN_SETTINGS if getattr(facts.tuning, name) is not None]
    if not asked:
        return None
    return (
        f"No plan for llama.cpp holds {', '.join(asked)}. Without, or on another engine, it would"
        " do."
    )


def layers_are_not_split(facts: LayoutFacts) -> str | None:
    """Layers go to GPUs whole."""
    layout = facts.layout
    sizes = (("tensor", layout.tensor), ("data", layout.data), ("expert", layout.expert))
    wrong = [f"{name}={size}" for name, size in sizes if size > 1]
    if not wrong:
        return None
    return (
        f"{', '.join(wrong)}: llama.cpp is planned with whole layers on each GPU (--split-mode"
        " layer). A pipeline size, or replicas, would do."
    )


def replica_stays_on_a_node(facts: LayoutFacts) -> str | None:
    """One server reaches the GPUs of its own node."""
    nodes = facts.layout.nodes_per_replica
    if nodes == 1:
        return None
    return (
        f"A replica over {nodes} nodes is not planned for llama.cpp: one server computes on the"
        " GPUs of its own node, and keeps the rest of the layers in host memory."
    )


def every_gpu_has_a_layer(facts: LayoutFacts) -> str | None:
    """No GPU is left without a layer; the output head counts as one."""
    gpus, layers = facts.layout.pipeline, facts.model.layers + 1 - facts.layout.host_layers
    if gpus <= layers:
        return None
    return f"pipeline={gpus} is {gpus - layers} more than the {layers} layers to share out."


def build_is_recommended(facts: LayoutFacts) -> str | None:
    """Qwen recommends a newer build."""
    version = facts.pool.version
    if version >= RECOMMENDED_BUILD:
        return None
    return f"llama.cpp {version} is older than {RECOMMENDED_BUILD}, from which Qwen recommends it."


LLAMACPP_POOL_CHAIN: Final[tuple[Rule[PoolFacts], ...]] = (
    Rule(
        "GgufOnly",
        weights_are_gguf,
        source="ggml-org/llama.cpp@00dc805 tools/server/README.md",
        said="gguf_init_from_file: invalid magic characters",
    ),
    Rule(
        "ModelNeedsNewerEngine",
        build_knows_the_architecture,
        source="; ".join(dict.fromkeys(source for _, source in ARCHITECTURES.values())),
        said="unknown model architecture: 'qwen3'",
    ),
    Rule(
        "ContextTooLong",
        serving.context_is_within_yarn,
        source="QwenLM/Qwen3@7a2f61f docs/source/run_locally/llama.cpp.md",
        said="starts, and answers badly beyond what Qwen validated",
    ),
    Rule(
        "RequestExceedsContext",
        serving.request_is_within_context,
        source="ggml-org/llama.cpp b11549 tools/server/server-context.cpp",
        said="the request exceeds the available context size",
    ),
    Rule(
        "KvCacheDtypeUnsupported",
        cache_type_exists,
        source="ggml-org/llama.cpp b11549 common/arg.cpp kv_cache_types",
        said="Unsupported cache type: fp8",
    ),
    Rule(
        "TooManySlots",
        slots_are_within_the_limit,
        source="ggml-org/llama.cpp b11549 src/llama-context.cpp, src/llama-cparams.h",
        said="n_seq_max must be <= 256",
    ),
    Rule(
        "SettingUnsupported",
        settings_are_its_own,
        source="ggml-org/llama.cpp b11549 common/arg.cpp",
        said="error: invalid argument",
    ),
)
"""What must hold for a weight format on a pool, whatever the layout."""

LLAMACPP_CHAIN: Final[tuple[Rule[LayoutFacts], ...]] = (
    ONE_SLICE,
    Rule(
        "WholeLayersOnly",
        layers_are_not_split,
        source="ggml-org/llama.cpp b11549 common/arg.cpp --split-mode; a decision of this planner",
        said="nothing: it has no such option",
    ),
    Rule(
        "OneNodeOnly",
        replica_stays_on_a_node,
        source="ggml-org/llama.cpp b11549 ggml/src/ggml-rpc; a decision of this planner",
        said="nothing: it has no such option",
    ),
    Rule(
        "PipelineExceedsLayers",
        every_gpu_has_a_layer,
        source="ggml-org/llama.cpp b11549 src/llama-model.cpp load_tensors",
        said="starts, and leaves the GPU idle",
    ),
)
"""What must hold for a layout."""

LLAMACPP_CAUTIONS: Final[tuple[Rule[LayoutFacts], ...]] = (
    Rule(
        "BuildNotRecommended",
        build_is_recommended,
        source="QwenLM/Qwen3@7a2f61f README.md",
        said="starts",
    ),
)
"""What should be known of a layout that is legal."""
