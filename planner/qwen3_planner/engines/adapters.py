"""LoRA adapters: what an engine takes of them, by version, and where a container finds them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.sources import (
    CLAIM,
    HUBS,
    is_on_hub,
    located,
    model_argument,
    scheme_of,
)
from qwen3_planner.engines.versions import Version
from qwen3_planner.errors import SpecError
from qwen3_planner.request import Adapter, EngineName

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.request import EngineTuning, PlanRequest

LORA_RANKS: Final = (8, 16, 32, 64, 128, 256, 320, 512)
"""Ranks that adapter slots of vLLM come in. Source: PyPI vllm 0.8.5 to 0.33.0 vllm/config/lora.py
(vllm/config/__init__.py and vllm/config.py before 0.10.2), possible_max_ranks and MaxLoRARanks."""

LORA_RANK_1_SINCE: Final = Version(0, 11, 1)
"""First release with slots of rank 1. Source: PyPI vllm 0.11.0 and 0.11.1 vllm/config/lora.py."""

ASSUMED_RANK: Final = 16
"""Of an adapter whose rank is not stated: what slots of vLLM hold by default, and what most
fine-tunes take."""

OPTION: Final = "--lora"
"""What names an adapter on the command line."""

AT_RUN_TIME: Final = "spec.lora.runtimeLoading"
"""What has adapters come and go; only a resource asks for it."""

ADAPTERS_PATH: Final = "/adapters"
"""Folder of a container with adapters; nothing is mounted there itself."""

FETCHED_PATH: Final = f"{ADAPTERS_PATH}/hub/"
"""Where adapters from hubs are brought to before the engine starts."""

CLAIMS_PATH: Final = f"{ADAPTERS_PATH}/{CLAIM}"
"""Where each claim with adapters is mounted, under its own name."""

GGUF_NAME: Final = "adapter.gguf"
"""Name under which a fetched GGUF adapter is reachable, whatever its repository calls it."""

_CHOICES = ("NAME=hf://organization/name", "NAME=modelscope://organization/name")


def parse_adapter(typed: str) -> Adapter:
    """Read ``NAME=SOURCE[@REVISION][,rank=N]``.

    >>> parse_adapter("support=hf://team/support@v2,rank=32")
    Adapter(name='support', source='hf://team/support', revision='v2', rank=32)

    Raises:
        SpecError: it is none.
    """
    described, _, options = typed.strip().partition(",")
    name, separator, place = described.partition("=")
    source, _, revision = place.partition("@")
    if not (name and separator and _is_source(source)):
        reason = "must be NAME=SOURCE[@REVISION][,rank=N], its source on a hub or a claim"
        raise SpecError(OPTION, typed, reason, (*_CHOICES, "NAME=pvc://claim/path"))
    word, _, rank = options.partition("=")
    if options and (word != "rank" or not (rank.isascii() and rank.isdigit() and int(rank) > 0)):
        raise SpecError(OPTION, typed, "has options other than rank, a whole number", ("rank=16",))
    return Adapter(name, source, revision or None, int(rank) if rank else None)


def adapter_text(adapter: Adapter) -> str:
    """Write an adapter as :func:`parse_adapter` reads it."""
    revision = f"@{adapter.revision}" if adapter.revision else ""
    rank = f",rank={adapter.rank}" if adapter.rank else ""
    return f"{adapter.name}={adapter.source}{revision}{rank}"


def _is_source(source: str) -> bool:
    return scheme_of(source) in (*HUBS, CLAIM, "file") and bool(source.partition("://")[2])


def check_adapters(request: PlanRequest) -> None:
    """Refuse adapters that no engine could tell apart, and settings that contradict them.

    Raises:
        SpecError: naming the option, the value and what would do.
    """
    tuning = request.tuning
    if tuning.max_lora_rank is not None and tuning.max_loras is None and not request.adapters:
        raise SpecError("--max-lora-rank", tuning.max_lora_rank, "needs --max-loras")
    if request.loads_adapters and None in (tuning.max_loras, tuning.max_lora_rank):
        reason = "adapters that come later need slots: give how many, and their rank"
        raise SpecError("--max-loras", tuning.max_loras or "(missing)", reason)
    seen = {request.served_name or request.model: "the model's own"}
    for adapter in request.adapters:
        if adapter.name in seen:
            raise SpecError(OPTION, adapter.name, f"is {seen[adapter.name]} name: take another")
        seen[adapter.name] = "another adapter's"
        if not _is_source(adapter.source):
            raise SpecError(OPTION, adapter.source, "is no source of an adapter", _CHOICES)
        if tuning.max_lora_rank is not None and (adapter.rank or 0) > tuning.max_lora_rank:
            reason = f"is less than the rank {adapter.rank} of {adapter.name}"
            raise SpecError("--max-lora-rank", tuning.max_lora_rank, reason, (str(adapter.rank),))


def settled(request: PlanRequest, engine: EngineName, version: Version) -> EngineTuning:
    """Say how many slots of which rank hold the adapters, where that was left open.

    llama.cpp has no slots: it holds what it is given.

    Raises:
        SpecError: no slot of that engine's version holds such a rank, or adapters cannot come while
            it runs.
    """
    tuning = request.tuning
    if request.loads_adapters and engine is not EngineName.VLLM:
        reason = f"vLLM alone is told of adapters while it runs, not {engine.value}"
        raise SpecError(AT_RUN_TIME, "true", reason, ("false",))
    if engine is EngineName.LLAMACPP or (tuning.max_loras is None and not request.adapters):
        return tuning
    if engine is EngineName.VLLM and tuning.max_lora_rank is not None:
        _slot_rank("--max-lora-rank", tuning.max_lora_rank, version, exactly=True)
    rank = tuning.max_lora_rank
    if rank is None and request.adapters:
        needed = largest_rank(request)
        rank = needed
        if engine is EngineName.VLLM:
            rank = _slot_rank(OPTION, needed, version, exactly=False)
    return replace(tuning, max_loras=tuning.max_loras or len(request.adapters), max_lora_rank=rank)


def largest_rank(request: PlanRequest) -> int:
    """Return the largest rank of the adapters; one that is not stated is taken to be usual."""
    return max((adapter.rank or ASSUMED_RANK for adapter in request.adapters), default=ASSUMED_RANK)


def _slot_rank(option: str, rank: int, version: Version, *, exactly: bool) -> int:
    """Return the rank of the slots that hold a rank."""
    ranks = (1, *LORA_RANKS) if version >= LORA_RANK_1_SINCE else LORA_RANKS
    holding = [slot for slot in ranks if slot >= rank]
    if rank in ranks or (holding and not exactly):
        return holding[0]
    known = tuple(map(str, sorted(ranks, key=lambda one: abs(one - rank))))
    reason = f"is not a rank of slots in vllm {version}"
    if not exactly:
        reason = f"is a larger rank than any slot of vllm {version} holds"
    raise SpecError(option, rank, reason, known)


def adapter_path(adapter: Adapter, adapters_at: str | None, *, is_gguf: bool = False) -> str:
    """Return what an engine takes as the place of an adapter.

    >>> adapter_path(Adapter("a", "hf://me/a"), None)
    'me/a'
    >>> adapter_path(Adapter("a", "hf://me/a", "v1"), "/adapters/hub/")
    '/adapters/hub/hf/me/a/v1'
    >>> adapter_path(Adapter("a", "pvc://tuned/a"), None)
    '/adapters/pvc/tuned/a'
    >>> adapter_path(Adapter("a", "hf://me/a"), None, is_gguf=True)  # it fetches none itself
    '/adapters/hub/hf/me/a/default/adapter.gguf'
    """
    if scheme_of(adapter.source) == CLAIM:
        return f"{CLAIMS_PATH}/{adapter.source.partition('://')[2]}".rstrip("/")
    place = adapters_at or (FETCHED_PATH if is_gguf else None)
    path = model_argument(located(adapter.source, adapter.revision, place))
    return f"{path}/{GGUF_NAME}" if is_gguf and is_on_hub(adapter.source) else path


def placed(request: PlanRequest, *, is_gguf: bool = False) -> tuple[tuple[str, str], ...]:
    """List (name, place) of the adapters that are loaded when the server starts."""
    if request.loads_adapters:
        return ()
    return tuple(
        (adapter.name, adapter_path(adapter, request.adapters_at, is_gguf=is_gguf))
        for adapter in request.adapters
    )


def about_adapters(request: PlanRequest, tuning: EngineTuning, source: str) -> Iterator[str]:
    """Yield what should be known of adapters under an engine with slots.

    Args:
        request: as asked.
        tuning: with its slots settled.
        source: of the weights.
    """
    unstated = [adapter.name for adapter in request.adapters if adapter.rank is None]
    if unstated:
        yield (
            f"The rank of {', '.join(unstated)} is not stated and taken to be {ASSUMED_RANK}: slots"
            f" hold {tuning.max_lora_rank or ASSUMED_RANK}, and the engine refuses a larger one."
        )
    held, slots = len(request.adapters), tuning.max_loras or 0
    if held > slots:
        yield (
            f"{held} adapters take turns in {slots} slots: requests for more than {slots} of them"
            " at once wait, and a change of adapter copies it to the GPU."
        )
    if request.adapters_at is None:
        yield from _about_fetching(request, source)


def _about_fetching(request: PlanRequest, source: str) -> Iterator[str]:
    """Yield where an engine that fetches by itself would not find what was asked for."""
    hub = scheme_of(source) if is_on_hub(source) else HUBS[0]
    for adapter in request.adapters:
        if not is_on_hub(adapter.source):
            continue
        if scheme_of(adapter.source) != hub:
            yield (
                f"{adapter.name}: the engine fetches from {hub}:// alone here; bring"
                f" {adapter.source} into a folder and name that."
            )
        elif adapter.revision is not None:
            yield (
                f"{adapter.name}: the engine fetches an adapter's default branch; bring"
                f" {adapter.source} at {adapter.revision} into a folder and name that."
            )
