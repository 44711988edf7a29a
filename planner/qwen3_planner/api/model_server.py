"""Which model is served, and by which engine: two parts of the specification."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from qwen3_planner.api.planned_flags import planned_flag_rules
from qwen3_planner.api.references import (  # noqa: TC001 - pydantic evaluates annotations
    EnvVar,
    TokenSecretRef,
)
from qwen3_planner.api.schema import PATH_SEGMENT, Flag, Matches, Rule, ShortText, Struct, whole
from qwen3_planner.request import EngineName, MultiNode


class Variant(StrEnum):
    """The models of the family that can be planned."""

    QWEN3_0_6B = "Qwen3-0.6B"
    QWEN3_1_7B = "Qwen3-1.7B"
    QWEN3_4B = "Qwen3-4B"
    QWEN3_8B = "Qwen3-8B"
    QWEN3_14B = "Qwen3-14B"
    QWEN3_32B = "Qwen3-32B"
    QWEN3_30B_A3B = "Qwen3-30B-A3B"
    QWEN3_235B_A22B = "Qwen3-235B-A22B"
    QWEN3_4B_INSTRUCT_2507 = "Qwen3-4B-Instruct-2507"
    QWEN3_4B_THINKING_2507 = "Qwen3-4B-Thinking-2507"
    QWEN3_30B_A3B_INSTRUCT_2507 = "Qwen3-30B-A3B-Instruct-2507"
    QWEN3_30B_A3B_THINKING_2507 = "Qwen3-30B-A3B-Thinking-2507"
    QWEN3_235B_A22B_INSTRUCT_2507 = "Qwen3-235B-A22B-Instruct-2507"
    QWEN3_235B_A22B_THINKING_2507 = "Qwen3-235B-A22B-Thinking-2507"
    QWEN3_CODER_30B_A3B_INSTRUCT = "Qwen3-Coder-30B-A3B-Instruct"
    QWEN3_CODER_480B_A35B_INSTRUCT = "Qwen3-Coder-480B-A35B-Instruct"
    QWEN3_VL_2B_INSTRUCT = "Qwen3-VL-2B-Instruct"
    QWEN3_VL_2B_THINKING = "Qwen3-VL-2B-Thinking"
    QWEN3_VL_4B_INSTRUCT = "Qwen3-VL-4B-Instruct"
    QWEN3_VL_4B_THINKING = "Qwen3-VL-4B-Thinking"
    QWEN3_VL_8B_INSTRUCT = "Qwen3-VL-8B-Instruct"
    QWEN3_VL_8B_THINKING = "Qwen3-VL-8B-Thinking"
    QWEN3_VL_32B_INSTRUCT = "Qwen3-VL-32B-Instruct"
    QWEN3_VL_32B_THINKING = "Qwen3-VL-32B-Thinking"
    QWEN3_VL_30B_A3B_INSTRUCT = "Qwen3-VL-30B-A3B-Instruct"
    QWEN3_VL_30B_A3B_THINKING = "Qwen3-VL-30B-A3B-Thinking"
    QWEN3_VL_235B_A22B_INSTRUCT = "Qwen3-VL-235B-A22B-Instruct"
    QWEN3_VL_235B_A22B_THINKING = "Qwen3-VL-235B-A22B-Thinking"
    QWEN3_NEXT_80B_A3B_INSTRUCT = "Qwen3-Next-80B-A3B-Instruct"
    QWEN3_NEXT_80B_A3B_THINKING = "Qwen3-Next-80B-A3B-Thinking"
    QWEN3_EMBEDDING_0_6B = "Qwen3-Embedding-0.6B"
    QWEN3_EMBEDDING_4B = "Qwen3-Embedding-4B"
    QWEN3_EMBEDDING_8B = "Qwen3-Embedding-8B"
    QWEN3_RERANKER_0_6B = "Qwen3-Reranker-0.6B"
    QWEN3_RERANKER_4B = "Qwen3-Reranker-4B"
    QWEN3_RERANKER_8B = "Qwen3-Reranker-8B"


_REPOSITORY = rf"[a-zA-Z0-9][-._a-zA-Z0-9]*/{PATH_SEGMENT}"
_IMAGE = (
    r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?(:[0-9]+)?(/[-._a-z0-9]+)*(:[-._a-zA-Z0-9]+)?"
    r"(@sha256:[0-9a-f]{64})?"
)

_SOURCE = Matches(
    rf"(hf|modelscope)://{_REPOSITORY}"
    rf"|pvc://[a-z0-9]([-.a-z0-9]*[a-z0-9])?(/{PATH_SEGMENT})*"
    rf"|oci://{_IMAGE}(#{PATH_SEGMENT}(/{PATH_SEGMENT})*)?",
    "must be hf://<organisation>/<model>, modelscope://<organisation>/<model>,"
    " pvc://<claim>/<path> or oci://<image>[#<folder>]",
)

_ON_VOLUME_CEL = (
    "has(self.source) && (self.source.startsWith('pvc://') || self.source.startsWith('oci://'))"
)


class ModelSpec(Struct):
    """Which model is served and where its weights come from."""

    variant: Variant
    """Architecture of the model. A fine-tune names the variant it was tuned from and gives its own
    source. Example: Qwen3-32B."""

    source: Annotated[str, Field(min_length=1, max_length=512), _SOURCE] | None = None
    """Where the weights are: hf://<organisation>/<model> on Hugging Face,
    modelscope://<organisation>/<model> on ModelScope, pvc://<claim>/<path>, a folder on a
    PersistentVolumeClaim of this namespace, or oci://<image>[#<folder>], an image that is mounted
    as a volume. Default: the known checkpoint of the variant in the planned quantization.
    Example: hf://Qwen/Qwen3-32B-FP8."""

    revision: Annotated[ShortText, Field(min_length=1)] | None = None
    """Branch, tag or commit of a source on a hub; a commit is what never moves. Default: the hub's
    default branch."""

    served_name: (
        Annotated[
            str,
            Field(min_length=1, max_length=128),
            Matches(
                r"[a-zA-Z0-9][-._/a-zA-Z0-9]*",
                "must be letters, digits, '-', '_', '.' and '/'",
            ),
        ]
        | None
    ) = None
    """The name under which clients ask for the model. Default: the variant. Example: qwen3."""

    token_secret_ref: TokenSecretRef | None = None
    """Token of the hub for gated or private repositories. Default: none."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"!({_ON_VOLUME_CEL} && has(self.revision))",
            message="revision belongs to a source on a hub: a pvc:// source has none, an oci://"
            " source has its tag or digest",
            holds=lambda m: not (_is_on_volume(m) and m.revision is not None),
            field="revision",
        ),
        Rule(
            cel=f"!({_ON_VOLUME_CEL} && has(self.tokenSecretRef))",
            message="tokenSecretRef is for hubs: a pvc:// source needs no token, an oci:// source"
            " is pulled with imagePullSecrets",
            holds=lambda m: not (_is_on_volume(m) and m.token_secret_ref is not None),
            field="tokenSecretRef",
        ),
    )


def _is_on_volume(model: ModelSpec) -> bool:
    return model.source is not None and model.source.startswith(("pvc://", "oci://"))


class EngineSpec(Struct):
    """Which model server runs, and its settings. What is left out is that engine's own default."""

    name: EngineName = EngineName.AUTO
    """Model server: vllm, sglang, llamacpp or auto. Default: auto, which takes llamacpp for gguf
    formats and where there is no NVIDIA or AMD GPU, else vllm."""

    version: (
        Annotated[
            str,
            Field(min_length=3, max_length=32),
            Matches(
                r"[0-9]+[.][0-9]+([.][0-9]+([.]post[0-9]+)?)?|b[0-9]+",
                "must be A.B, A.B.C or A.B.C.postN, such as 0.32.0, or bN of llama.cpp",
            ),
        ]
        | None
    ) = None
    """Version of the engine. Memory rules and options depend on it. Default: the newest that this
    release of the operator was tested with. Example: 0.32.0."""

    image: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    """Container image of the engine; needs version, which the rules follow from. Default: the
    engine's official image of that version. Example: registry.example.com/vllm-openai:v0.32.0."""

    gpu_memory_utilization: (
        Annotated[
            str,
            Field(min_length=1, max_length=8),
            Matches(
                r"0?[.][0-9]*[1-9][0-9]*|1([.]0*)?",
                'must be above 0 and at most 1, as a string such as "0.9"',
            ),
        ]
        | None
    ) = None
    """Share of each GPU's memory that the engine may take, above 0 and at most 1, as a string.
    Default: the engine version's own (0.92 in vLLM 0.32). Example: "0.9"."""

    max_num_seqs: Annotated[int, whole(1, 65_536)] | None = None
    """Requests that are computed at once on one data-parallel rank. Default: the engine's own."""

    max_num_batched_tokens: Annotated[int, whole(1, 4_194_304)] | None = None
    """Tokens of one scheduler step; more makes prefill faster and takes memory from the KV cache.
    Default: the engine's own."""

    kv_cache_memory_bytes: Annotated[int, whole(1, 1_125_899_906_842_624)] | None = None
    """Bytes of the KV cache on each GPU, taken whatever gpuMemoryUtilization says. Default: what is
    left of the engine's share. Example: 21474836480."""

    cpu_offload_gib: (
        Annotated[
            str,
            Field(min_length=1, max_length=16),
            Matches(
                r"[0-9]*[1-9][0-9]*([.][0-9]+)?|[0-9]*[.][0-9]*[1-9][0-9]*",
                'must be a number above 0, as a string such as "10"',
            ),
        ]
        | None
    ) = None
    """Weights of each GPU that are kept in host memory, in GiB, as a string; every token waits for
    them. Default: none. Example: "10"."""

    enforce_eager: Flag | None = None
    """Whether CUDA graphs are switched off: less memory, slower. Default: the engine's own."""

    draft_model: Variant | None = None
    """Variant that drafts tokens which the model then checks; the engine fetches its weights.
    Default: none drafts. Example: Qwen3-0.6B."""

    draft_tokens: Annotated[int, whole(1, 64)] | None = None
    """Tokens that are drafted per step; needs draftModel. Default: 3."""

    multi_node: MultiNode | None = None
    """How the ranks of a replica over several nodes find each other: native (the engine's own way)
    or ray (vLLM only; the image must have Ray). Default: native."""

    extra_args: Annotated[
        tuple[Annotated[str, Field(max_length=1024)], ...], Field(max_length=64)
    ] = ()
    """Further arguments of the engine, passed as they are after the planned ones. Options that the
    plan sets are refused here: use their fields. Example: ["--reasoning-parser=qwen3"]."""

    env: Annotated[
        tuple[EnvVar, ...],
        Field(
            max_length=64,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
        ),
    ] = ()
    """Environment of the engine's container, in addition to what the operator sets."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.image) || has(self.version)",
            message="image needs version: the memory rules and options depend on it",
            holds=lambda e: e.image is None or e.version is not None,
            field="version",
        ),
        Rule(
            cel="!has(self.maxNumSeqs) || !has(self.maxNumBatchedTokens)"
            " || self.maxNumBatchedTokens >= self.maxNumSeqs",
            message="maxNumBatchedTokens must be at least maxNumSeqs",
            holds=lambda e: (
                e.max_num_seqs is None
                or e.max_num_batched_tokens is None
                or e.max_num_batched_tokens >= e.max_num_seqs
            ),
            field="maxNumBatchedTokens",
        ),
        Rule(
            cel="!has(self.draftTokens) || has(self.draftModel)",
            message="draftTokens needs draftModel",
            holds=lambda e: e.draft_tokens is None or e.draft_model is not None,
            field="draftTokens",
        ),
        Rule(
            cel="!has(self.multiNode) || self.multiNode != 'ray' || self.name in ['auto', 'vllm']",
            message="multiNode: ray is vLLM's; the other engines are native",
            holds=lambda e: (
                e.multi_node is not MultiNode.RAY or e.name in (EngineName.AUTO, EngineName.VLLM)
            ),
            field="multiNode",
        ),
        *planned_flag_rules(),
    )
