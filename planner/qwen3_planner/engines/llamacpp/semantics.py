"""What llama-server does with memory and flags, by build: data, each row with its source.

A row holds from its ``since`` until the next row's; the first row also holds for anything older.
Where only two releases that vendor llama.cpp were read, ``since`` is the later of them: leaving a
newer flag out for a few builds is harmless, naming one that is not there yet is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.versions import Ruling, Version, build, ruling_at

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture

LOGICAL_BATCH: Final = 2048
"""Default of ``-b``. Source: ggml-org/llama.cpp b11549 common/common.h."""

PHYSICAL_BATCH: Final = 512
"""Default of ``-ub``: tokens that one pass computes. Source: as above."""

CONTEXT_MULTIPLE: Final = 256
"""Tokens that a slot's context is rounded up to. Source: ggml-org/llama.cpp b11549
src/llama-context.cpp; older builds round to 256 with flash attention and to 32 without."""

PROMPT_CACHE_MIB: Final = 8192
"""Default of ``--cache-ram``. Source: ggml-org/llama.cpp b11549 common/common.h."""

MOST_SLOTS: Final = 256
"""Sequences that one context holds at most. Source: ggml-org/llama.cpp b11549
src/llama-cparams.h LLAMA_MAX_SEQ."""

OFFLOAD_MIN_BATCH: Final = 32
"""Tokens of a pass from which the GPU computes layers whose weights stay on the host. Source:
ggml-org/llama.cpp b11549 ggml/src/ggml-cuda/ggml-cuda.cu."""

PIPELINE_COPIES: Final = 4
"""Copies of a pass's inputs that several GPUs work on at a time. Source: ggml-org/llama.cpp b11549
ggml/src/ggml-backend.cpp GGML_SCHED_MAX_COPIES."""


class FlashFlag(StrEnum):
    """How flash attention is asked for; the word is what follows ``-fa``."""

    SWITCH = ""
    VALUE = "on"


FLASH_FLAG: Final = (
    Ruling(
        FlashFlag.SWITCH,
        Version(0, 0),
        "PyPI llama-cpp-python 0.3.16 (2025-08-15) vendor/llama.cpp common/arg.cpp",
        "A",
    ),
    Ruling(
        FlashFlag.VALUE,
        build(6327),
        "github.com/ggml-org/llama.cpp/pull/15434; b6327 has it:"
        " github.com/mybigday/llama.rn/pull/199",
        "B",
    ),
)
"""``-fa`` alone (off by default), then ``-fa on|off|auto`` (auto by default)."""

HAS_FIT: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI xllamacpp 0.2.7 (2025-12-20) common/arg.cpp",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=build(7500),
        source=(
            "github.com/ggml-org/llama.cpp/pull/16653; PyPI xllamacpp 0.2.8 (2025-12-27) has it,"
            " its build number is inferred from the date"
        ),
        confidence="C",
    ),
)
"""Whether ``--fit`` exists, on by default: it changes what the user left open."""

HAS_PROMPT_CACHE: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI xllamacpp 0.2.2 (2025-09-29) common/arg.cpp",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=build(6900),
        source=(
            "github.com/ggml-org/llama.cpp/pull/16391; PyPI xllamacpp 0.2.4 is b6900 and has it:"
            " github.com/xorbitsai/xllamacpp/pull/88"
        ),
        confidence="C",
    ),
)
"""Whether ``--cache-ram`` exists: prompts kept in host memory, 8192 MiB by default."""

HAS_UNIFIED_FLAG: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI llama-cpp-python 0.3.9 (2025-05-08) vendor/llama.cpp common/arg.cpp",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=build(6301),
        source=(
            "github.com/ggml-org/llama.cpp/pull/14363; PyPI llama-cpp-python 0.3.16 (2025-08-15)"
            " has it, b6301 is of 2025-08-27: github.com/luncliff/vcpkg-registry/pull/433"
        ),
        confidence="C",
    ),
)
"""Whether ``-kvu`` exists: all slots share one KV cache instead of an equal part each."""

HAS_CPU_EXPERTS: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI llama-cpp-python 0.3.9 (2025-05-08) vendor/llama.cpp common/arg.cpp",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=build(6089),
        source=(
            "github.com/ggml-org/llama.cpp/pull/15077; b6089:"
            " github.com/oobabooga/textgen/issues/7178"
        ),
        confidence="B",
    ),
)
"""Whether ``--n-cpu-moe`` exists: experts of the first layers stay in host memory."""

LIMITS_LOGITS: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI xllamacpp 2026.5.9294 common/common.h",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=build(9538),
        source=("github.com/ggml-org/llama.cpp/pull/23861; PyPI xllamacpp 2026.6.9538 has it"),
        confidence="B",
    ),
)
"""Whether the server reserves logits for one token per slot only, not for every token of a
pass: 297 MiB less at the default batch and this family's vocabulary."""

NEAREST_ENCODER: Final = (
    Ruling(
        value=False,
        since=Version(0, 0),
        source="PyPI xllamacpp 0.2.8 (2025-12-27) common/download.cpp: the hub names the file",
        confidence="A",
    ),
    Ruling(
        value=True,
        since=build(8672),
        source="PyPI xllamacpp 2026.4.8672 common/download.cpp find_best_mmproj",
        confidence="A",
    ),
)
"""Whether ``--hf-repo`` takes the image encoder whose bits are nearest those of the model."""

ARCHITECTURES: Final = {
    "qwen3": (build(5092), "QwenLM/Qwen3@7a2f61f docs/source/run_locally/llama.cpp.md"),
    "qwen3moe": (build(5092), "QwenLM/Qwen3@7a2f61f docs/source/run_locally/llama.cpp.md"),
    "qwen3vl": (
        build(6887),
        "github.com/ggml-org/llama.cpp/pull/16780; b6887: github.com/Vali-98/ChatterUI/issues/487",
    ),
    "qwen3vlmoe": (
        build(6887),
        "github.com/ggml-org/llama.cpp/pull/16780; b6887: github.com/Vali-98/ChatterUI/issues/487",
    ),
    "qwen3next": (build(7186), "github.com/ollama/ollama/issues/12349"),
}
"""First build that loads each architecture, with its source."""

RECOMMENDED_BUILD: Final = build(5401)
"""From here on Qwen's own page recommends. Source: QwenLM/Qwen3@7a2f61f README.md."""


def architecture_of(model: ModelArchitecture) -> str:
    """Return the name that the model's GGUF file carries as ``general.architecture``."""
    if model.is_hybrid:
        return "qwen3next"
    suffix = "moe" if model.is_moe else ""
    return f"qwen3vl{suffix}" if model.vision is not None else f"qwen3{suffix}"


@dataclass(frozen=True, slots=True)
class LlamaCppSemantics:
    """What holds for one build.

    Attributes:
        flash_flag: how flash attention is asked for.
        has_fit: whether ``--fit`` exists.
        has_prompt_cache: whether ``--cache-ram`` exists.
        has_unified_flag: whether ``-kvu`` exists.
        has_cpu_experts: whether ``--n-cpu-moe`` exists.
        limits_logits: whether logits are reserved for one token per slot only.
        nearest_encoder: whether the image encoder nearest in bits is taken.
    """

    flash_flag: FlashFlag
    has_fit: bool
    has_prompt_cache: bool
    has_unified_flag: bool
    has_cpu_experts: bool
    limits_logits: bool
    nearest_encoder: bool


@lru_cache(maxsize=64)
def semantics_at(version: Version) -> LlamaCppSemantics:
    """Gather what holds for a build."""
    return LlamaCppSemantics(
        flash_flag=ruling_at(FLASH_FLAG, version).value,
        has_fit=ruling_at(HAS_FIT, version).value,
        has_prompt_cache=ruling_at(HAS_PROMPT_CACHE, version).value,
        has_unified_flag=ruling_at(HAS_UNIFIED_FLAG, version).value,
        has_cpu_experts=ruling_at(HAS_CPU_EXPERTS, version).value,
        limits_logits=ruling_at(LIMITS_LOGITS, version).value,
        nearest_encoder=ruling_at(NEAREST_ENCODER, version).value,
    )
