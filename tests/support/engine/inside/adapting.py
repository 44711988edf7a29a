"""Slots for LoRA adapters that vLLM's own manager puts beside the model of one rank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import torch
from vllm.lora import model_manager
from vllm.lora.layers import BaseLayerWithLoRA
from vllm.model_executor.model_loader.utils import process_weights_after_loading

from .constructing import META, _CudaIsMeta, model_of_rank

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vllm.config import VllmConfig

SLOTS = (
    "w13_lora_a_stacked",
    "w13_lora_b_stacked",
    "w2_lora_a_stacked",
    "w2_lora_b_stacked",
    "lora_a_stacked",
    "lora_b_stacked",
)
"""Attributes of a layer that hold slots; of experts the last two are views of the others."""


def slots_of_rank(config: VllmConfig, rank: int) -> list[dict[str, Any]]:
    """List every slot tensor of one rank, by the layer's name."""
    model_manager.get_punica_wrapper = MagicMock()  # kernels compute; slots need none
    scheduler, model_config = config.scheduler_config, config.model_config
    with model_of_rank(config, rank) as model, _CudaIsMeta():
        process_weights_after_loading(model, model_config, META)
        model_manager.LoRAModelManager(
            model,
            scheduler.max_num_seqs,
            scheduler.max_num_batched_tokens,
            model_config.get_vocab_size(),
            config.lora_config,
            META,
            config,
        )
        return list(_slots_in(model))


def _slots_in(model: torch.nn.Module) -> Iterator[dict[str, Any]]:
    seen: set[int] = set()
    kept = []
    for prefix, layer in model.named_modules():
        if not isinstance(layer, BaseLayerWithLoRA):
            continue
        for attribute in SLOTS:
            held = vars(layer).get(attribute, ())
            for tensor in (held,) if isinstance(held, torch.Tensor) else held:
                storage = tensor.untyped_storage()
                if storage._cdata in seen:
                    continue
                seen.add(storage._cdata)
                kept.append(storage)
                yield {
                    "name": f"{prefix}.{attribute}",
                    "shape": list(tensor.shape),
                    "dtype": str(tensor.dtype).removeprefix("torch."),
                    "bytes": storage.nbytes(),
                }
