"""LoRA adapters that are served beside the model: one part of the specification."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from qwen3_planner.api.references import (  # noqa: TC001 - pydantic evaluates annotations
    TokenSecretRef,
)
from qwen3_planner.api.schema import PATH_SEGMENT, Flag, Matches, Rule, ShortText, Struct, whole

MOST_ADAPTERS = 32
"""Each that is fetched by the pods is an init container of its own."""

MOST_SLOTS = 1024

LARGEST_RANK = 512
"""Of any slot of any engine (:data:`qwen3_planner.engines.adapters.LORA_RANKS`)."""


class AdapterSpec(Struct):
    """A LoRA adapter of the model."""

    name: Annotated[
        str,
        Field(min_length=1, max_length=63),
        Matches(
            r"[a-zA-Z0-9][-._a-zA-Z0-9]*",
            "must be letters, digits, '-', '_' and '.', a letter or digit first",
        ),
    ]
    """The name under which clients ask for it, as they ask for a model. Example: support."""

    source: Annotated[
        str,
        Field(min_length=1, max_length=512),
        Matches(
            rf"(hf|modelscope)://[a-zA-Z0-9][-._a-zA-Z0-9]*/{PATH_SEGMENT}"
            rf"|pvc://[a-z0-9]([-.a-z0-9]*[a-z0-9])?(/{PATH_SEGMENT})*",
            "must be hf://<organisation>/<adapter>, modelscope://<organisation>/<adapter> or"
            " pvc://<claim>/<path>",
        ),
    ]
    """Where it is: on Hugging Face, on ModelScope, or a folder on a PersistentVolumeClaim of this
    namespace. llamacpp takes GGUF files: pvc://<claim>/<path>/<file>.gguf, or a repository with
    one. Example: hf://team-a/support-lora."""

    revision: Annotated[ShortText, Field(min_length=1)] | None = None
    """Branch, tag or commit of a source on a hub. Default: the hub's default branch."""

    rank: Annotated[int, whole(1, LARGEST_RANK)] | None = None
    """Rank of its matrices, r of adapter_config.json. Memory follows from it, and an adapter of a
    larger rank than the slots does not start. Default: not stated, taken to be 16."""

    token_secret_ref: TokenSecretRef | None = None
    """Token of the hub, where it is private. Default: that of spec.model, on the same hub."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!(self.source.startsWith('pvc://')"
            " && (has(self.revision) || has(self.tokenSecretRef)))",
            message="revision and tokenSecretRef are for hubs: a pvc:// source has neither",
            holds=lambda a: (
                not a.source.startswith("pvc://")
                or (a.revision is None and a.token_secret_ref is None)
            ),
            field="source",
        ),
    )


class LoraSpec(Struct):
    """LoRA adapters that are served beside the model. Clients name one where they name a model."""

    adapters: Annotated[
        tuple[AdapterSpec, ...],
        Field(
            max_length=MOST_ADAPTERS,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
        ),
    ] = ()
    """The adapters. They are loaded when a pod starts; a change rolls the pods, unless
    runtimeLoading is on."""

    max_loras: Annotated[int, whole(1, MOST_SLOTS)] | None = None
    """Adapters that are on the GPU at once; more take turns. llamacpp holds all. Default: as many
    as adapters lists."""

    max_lora_rank: Annotated[int, whole(1, LARGEST_RANK)] | None = None
    """Largest rank that a slot holds; vLLM has slots of rank 1, 8, 16, 32, 64, 128, 256, 320 and
    512. Default: the smallest that holds the adapters listed."""

    fully_sharded: Flag | None = None
    """Whether tensor ranks share both matrices of a pair: less memory on each, more
    communication. vLLM alone can. Default: the engine's own, false."""

    runtime_loading: Flag = False
    """Whether adapters are loaded and unloaded while the server runs, so that a change of adapters
    rolls no pods. A sidecar does it, over localhost; through the Service nobody can. Needs
    maxLoras, maxLoraRank and spec.apiKeySecretRef; vLLM alone can. Default: false."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="(has(self.adapters) && self.adapters.size() > 0) || has(self.maxLoras)",
            message="lora needs adapters, or maxLoras for those that come later",
            holds=lambda s: bool(s.adapters) or s.max_loras is not None,
            field="adapters",
        ),
        Rule(
            cel="!has(self.maxLoraRank) || !has(self.adapters)"
            " || self.adapters.all(a, !has(a.rank) || a.rank <= self.maxLoraRank)",
            message="maxLoraRank must be at least the rank of every adapter",
            holds=lambda s: (
                s.max_lora_rank is None or all((a.rank or 1) <= s.max_lora_rank for a in s.adapters)
            ),
            field="maxLoraRank",
        ),
        Rule(
            cel="!self.runtimeLoading || (has(self.maxLoras) && has(self.maxLoraRank))",
            message="runtimeLoading needs maxLoras and maxLoraRank: room for what is loaded later",
            holds=lambda s: not s.runtime_loading or None not in (s.max_loras, s.max_lora_rank),
            field="runtimeLoading",
        ),
        Rule(
            cel="!self.runtimeLoading || !has(self.adapters) || self.adapters.all(a,"
            " !a.source.startsWith('pvc://') && !has(a.tokenSecretRef))",
            message="runtimeLoading takes adapters from hubs, with the token of spec.model: a claim"
            " or a token of its own would have to be mounted anew",
            holds=lambda s: (
                not s.runtime_loading
                or all(
                    not a.source.startswith("pvc://") and a.token_secret_ref is None
                    for a in s.adapters
                )
            ),
            field="runtimeLoading",
        ),
    )
