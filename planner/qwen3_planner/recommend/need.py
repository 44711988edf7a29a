"""What a model is wanted for: which variants can do it at all, and which scores tell how well."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture

THINKING = "thinking"
NON_THINKING = "non-thinking"
READING = "reading"
"""Of models that yield vectors or scores."""


class Need(StrEnum):
    """What a model is wanted for."""

    CHAT = "chat"
    REASONING = "reasoning"
    CODING = "coding"
    TOOLS = "tools"
    MULTILINGUAL = "multilingual"
    LONG_CONTEXT = "long-context"
    EDGE = "edge"
    VISION = "vision"
    EMBEDDINGS = "embeddings"
    RERANKING = "reranking"


@dataclass(frozen=True, slots=True)
class Profile:
    """How a need is judged.

    Attributes:
        benchmarks: that order the variants, the one that decides first. Only scores of one
            benchmark are compared.
        thinks: whether answers may be thought about unless the user says otherwise.
        context: tokens that are wanted unless the user says otherwise; None: the native ones.
        tpot_ms: limit on the time per token unless the user says otherwise; None: none.
    """

    benchmarks: tuple[str, ...]
    thinks: bool = False
    context: int | None = None
    tpot_ms: float | None = None


READING_SPEED_MS = 200.0
"""Per token: who reads 238 words a minute (Brysbaert 2019, doi 10.1016/j.jml.2019.104047) reads a
token in about 190 ms, at 0.75 words a token (assumed)."""

LONG = 131_072
"""The longest context that published RULER scores of the whole family reach."""

GENERAL = "LiveBench 2024-11-25"

PROFILES: dict[Need, Profile] = {
    Need.CHAT: Profile((GENERAL,)),
    Need.REASONING: Profile(("AIME25", GENERAL), thinks=True),
    Need.CODING: Profile(("LiveCodeBench v6", "LiveCodeBench v5", "Aider-Polyglot"), thinks=True),
    Need.TOOLS: Profile(("BFCL v3",)),
    Need.MULTILINGUAL: Profile(("INCLUDE",)),
    Need.LONG_CONTEXT: Profile(("RULER 128K",), context=LONG),
    Need.EDGE: Profile((GENERAL,), tpot_ms=READING_SPEED_MS),
    Need.VISION: Profile(("MMMU",)),
    Need.EMBEDDINGS: Profile(("MTEB multilingual, mean over tasks",)),
    Need.RERANKING: Profile(("MTEB-R",)),
}


def unfit_for(model: ModelArchitecture, need: Need) -> str | None:
    """Say why a variant cannot do what is needed at all; None where it can.

    >>> from qwen3_planner.catalog.loading import load_catalog
    >>> unfit_for(load_catalog().model("Qwen3-8B"), Need.VISION)
    'reads no images'
    """
    is_reranker = model.is_pooling and "reranker" in model.name.lower()
    if need is Need.EMBEDDINGS:
        return None if model.is_pooling and not is_reranker else "yields no embeddings"
    if need is Need.RERANKING:
        return None if is_reranker else "scores no documents"
    if model.is_pooling:
        return "yields vectors or scores, no text"
    if need is Need.VISION:
        return None if model.vision is not None else "reads no images"
    if model.vision is not None:
        return "is made for images (--need vision)"
    return None


def mode_of(model: ModelArchitecture, *, thinks: bool) -> str | None:
    """Return how a variant would answer; None where it always thinks and must not."""
    if model.is_pooling:
        return READING
    if model.thinking == "never":
        return NON_THINKING
    if model.thinking == "always":
        return THINKING if thinks else None
    return THINKING if thinks else NON_THINKING
