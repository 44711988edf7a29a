"""Every tensor that a model holds, each storage once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST_SUFFIX = "_cpu"
"""Attention layers keep copies of their scales in host memory under such names."""

CACHE_NAME = "kv_cache"
"""The attention layers' views of the KV pool; no weights."""


def tensors_of(model: torch.nn.Module) -> Iterator[dict[str, Any]]:
    """Yield parameters, buffers and plain attributes of all modules."""
    seen: set[int] = set()
    kept = []  # storages stay alive, so that their addresses stay theirs
    for prefix, module in model.named_modules():
        held = {**module._parameters, **module._buffers, **vars(module)}
        for name, tensor in held.items():
            if not isinstance(tensor, torch.Tensor) or name.endswith((HOST_SUFFIX, CACHE_NAME)):
                continue
            storage = tensor.untyped_storage()
            if storage._cdata in seen or storage.nbytes() == 0:
                continue
            seen.add(storage._cdata)
            kept.append(storage)
            yield {
                "name": f"{prefix}.{name}" if prefix else name,
                "shape": list(tensor.shape),
                "dtype": str(tensor.dtype).removeprefix("torch."),
                "bytes": storage.nbytes(),
            }
