"""LoRA adapters as PEFT writes them, small and random."""

from __future__ import annotations

import json
import math
import random
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from qwen3_planner.catalog.rows import ModelArchitecture

RANK = 8


def adapter_files(model: ModelArchitecture, seed: int) -> dict[str, bytes]:
    """Make an adapter as PEFT writes it.

    It has the queries of every layer, as adapters do; and the head, because nothing that comes
    before it can be seen in the answers of weights as small as vLLM's dummies.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    rows = {
        f"model.layers.{layer}.self_attn.q_proj": model.attention_heads * model.head_dim
        for layer in range(model.layers)
    } | {"lm_head": model.vocab_size}
    header: dict[str, Any] = {}
    data = b""
    for name, count in rows.items():
        for half, shape in (("A", (RANK, model.hidden_size)), ("B", (count, RANK))):
            numbers = math.prod(shape)
            values = struct.pack(f"<{numbers}f", *(rng.uniform(-1, 1) for _ in range(numbers)))
            place = [len(data), len(data) + len(values)]
            tensor = {"dtype": "F32", "shape": list(shape), "data_offsets": place}
            header[f"base_model.model.{name}.lora_{half}.weight"] = tensor
            data += values
    text = json.dumps(header).encode()
    config = {
        "peft_type": "LORA",
        "r": RANK,
        "lora_alpha": 32 * RANK,
        "target_modules": ["q_proj", "lm_head"],
        "bias": "none",
    }
    return {
        "adapter_config.json": json.dumps(config).encode(),
        "adapter_model.safetensors": len(text).to_bytes(8, "little") + text + data,
    }


def write_adapter(folder: Path, model: ModelArchitecture, seed: int) -> None:
    """Write an adapter into a new folder that anybody may read."""
    folder.mkdir(parents=True)
    for name, content in adapter_files(model, seed).items():
        (folder / name).write_bytes(content)
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755 if path.is_dir() else 0o644)
