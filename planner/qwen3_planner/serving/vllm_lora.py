"""LoRA under vLLM: what has slots in which release, what the host keeps, and what to know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.adapters import ASSUMED_RANK
from qwen3_planner.engines.versions import Version
from qwen3_planner.sizing.lora import NO_SLOTS, Slots, adapter_bytes

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.question import Question

DEFAULT_LORA_RANK: Final = ASSUMED_RANK
"""``--max-lora-rank`` by default. Source: PyPI vllm 0.8.5 to 0.33.0 vllm/config/lora.py."""

EXPERT_SLOTS_SINCE: Final = Version(0, 11, 1)
"""First release in which routed experts have slots. Source: PyPI vllm 0.11.0 and 0.11.1
vllm/lora/utils.py get_supported_lora_modules, vllm/lora/layers/fused_moe.py."""

JOINED_EXPERTS_SINCE: Final = Version(0, 12)
"""First release in which gate and up of experts that come joined (Qwen3-VL) share an input matrix.
Source: PyPI vllm 0.11.1 and 0.12.0 vllm/model_executor/models/qwen3_vl_moe.py is_3d_moe_weight."""

VOCABULARY_SLOTS_SINCE: Final = Version(0, 15)
"""First release that may have slots for input embedding and head. Source: PyPI vllm 0.14.1 (none)
and 0.16.0 vllm/model_executor/models/{qwen3,qwen3_moe}.py embedding_modules; 0.15 was not read and
is taken for the larger. Qwen3-Next has none (qwen3_next.py, 0.10.2 to 0.33.0)."""

TIED_HEADS_ARE_HEADS_SINCE: Final = Version(0, 28)
"""First release in which a tied head is a head that borrows the embedding's matrix, and not the
embedding itself. Source: PyPI vllm 0.27.1 and 0.28.0 vllm/model_executor/models/qwen3.py."""

WITH_AND_WITHOUT: Final = 2
"""Each graph is captured with adapters and without: cudagraph_specialize_lora, on by default.
Source: PyPI vllm 0.11.1 to 0.33.0 vllm/config/compilation.py."""


def slots_at(model: ModelArchitecture, version: Version, count: int, rank: int | None) -> Slots:
    """Return what a release makes room for; 0 adapters: nothing."""
    if not count:
        return NO_SLOTS
    return Slots(
        count=count,
        rank=rank or DEFAULT_LORA_RANK,
        has_experts=model.is_moe and version >= EXPERT_SLOTS_SINCE,
        joins_experts=model.vision is not None and version >= JOINED_EXPERTS_SINCE,
        has_router=model.is_moe,
        wraps_tied_head=version < TIED_HEADS_ARE_HEADS_SINCE,
        has_vocabulary=not model.is_hybrid and version >= VOCABULARY_SLOTS_SINCE,
    )


def kept_bytes(question: Question, slots: Slots) -> int:
    """Return what one worker keeps in host memory: every adapter whole, and as many as slots.

    Of those that come and go it keeps no more than slots: a change of them changes no pod.
    """
    if not slots.count:
        return 0
    request = question.request
    most = max(slots.count, 0 if request.loads_adapters else len(request.adapters))
    return most * adapter_bytes(question.model, slots.rank, has_experts=slots.has_experts)
