"""``qwen3-operator check-adapters``: does what lies in these folders fit the slots that wait?

An engine finds out after it has loaded the model, and says so in a traceback.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from qwen3_operator.fetching.problems import UnfitError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

CONFIG = "adapter_config.json"
"""What PEFT writes beside an adapter's matrices."""

WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin", "adapter_model.pt")
"""Files that the engines read matrices from (PyPI vllm 0.32.0 vllm/lora/lora_model.py)."""

GGUF_MAGIC = b"GGUF"

LLAMACPP = "llamacpp"

FOREIGN = {
    "use_dora": "it is a DoRA, which the engines do not serve",
    "lora_bias": "it has biases (lora_bias), which the engines do not serve",
}
"""Features of PEFT that vLLM refuses (PyPI vllm 0.32.0 vllm/lora/peft_helper.py)."""


def run(places: Mapping[str, Path], engine: str, max_rank: int, message_file: Path | None) -> int:
    """Look adapters over, say how it went, and return the exit code.

    Args:
        places: where each lies, by its name.
        engine: that is to load them.
        max_rank: largest rank that a slot holds.
        message_file: where Kubernetes reads a container's last words; None: nowhere.
    """
    try:
        told, code = check_adapters(places, engine, max_rank), 0
    except UnfitError as error:
        told, code = str(error), error.exit_code
    print(told, file=sys.stdout if code == 0 else sys.stderr)
    if message_file is not None:
        message_file.write_text(told, encoding="utf-8")
    return code


def check_adapters(places: Mapping[str, Path], engine: str, max_rank: int) -> str:
    """Look all adapters over; return a sentence about them.

    Args:
        places: where each lies, by its name.
        engine: that is to load them.
        max_rank: largest rank that a slot holds.

    Raises:
        UnfitError: naming every adapter that cannot be served, and why.
    """
    check = _check_gguf if engine == LLAMACPP else _check_peft
    wrong = [
        f"{name}: {problem}"
        for name, place in places.items()
        if (problem := next(check(place, max_rank), ""))
    ]
    if wrong:
        raise UnfitError(f"{'; '.join(wrong)}.")
    return f"{len(places)} adapters fit."


def _check_gguf(place: Path, max_rank: int) -> Iterator[str]:
    """Yield what is wrong with a file; its rank takes no slot, so any will do."""
    del max_rank
    try:
        with place.open("rb") as file:
            if file.read(len(GGUF_MAGIC)) != GGUF_MAGIC:
                yield f"{place} is no GGUF file; convert_lora_to_gguf.py of llama.cpp makes one"
    except OSError as error:
        yield f"{place}: {error.strerror}"


def _check_peft(place: Path, max_rank: int) -> Iterator[str]:
    """Yield what is wrong with a folder, the first thing first."""
    config = _config(place)
    if config is None:
        yield f"{place} has no readable {CONFIG}: no LoRA adapter is there"
        return
    if not any((place / name).is_file() for name in WEIGHTS):
        yield f"{place} has none of {', '.join(WEIGHTS)}"
    yield from (why for feature, why in FOREIGN.items() if config.get(feature))
    rank = _rank(config)
    if rank is None:
        yield f"{CONFIG} names no rank (r)"
    elif rank > max_rank:
        yield (
            f"its rank is {rank}, and slots hold {max_rank}; say rank: {rank} in"
            " spec.lora.adapters, or raise spec.lora.maxLoraRank"
        )


def _config(place: Path) -> dict[str, Any] | None:
    try:
        config = json.loads((place / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return config if isinstance(config, dict) else None


def _rank(config: Mapping[str, Any]) -> int | None:
    """Return the largest rank of any layer."""
    patterns = config.get("rank_pattern") or {}
    named = [config.get("r"), *(patterns.values() if isinstance(patterns, dict) else ())]
    ranks = [rank for rank in named if isinstance(rank, int)]
    return max(ranks) if len(ranks) == len(named) else None
