"""vLLM's model of one rank on torch's meta device: every tensor, no data."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.overrides import TorchFunctionMode
from vllm.config import CompilationMode
from vllm.model_executor.layers.fused_moe import expert_map_manager
from vllm.model_executor.layers.quantization.utils import marlin_utils
from vllm.model_executor.model_loader.utils import (
    initialize_model,
    process_weights_after_loading,
)
from vllm.platforms import current_platform
from vllm.utils.torch_utils import set_default_torch_dtype
from vllm.v1.core import kv_cache_utils

from .groups import as_rank
from .listing import tensors_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vllm.config import VllmConfig
    from vllm.v1.kv_cache_interface import KVCacheConfig, KVCacheSpec

META = torch.device("meta")


class _CudaIsMeta(TorchFunctionMode):  # type: ignore[misc]  # torch is Any to strict mypy
    """Where code names the GPU, take the meta device."""

    def __init__(self) -> None:
        super().__init__()
        self._sums: dict[int, int] = {}
        self._alive: list[torch.Tensor] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401
        named = {name: _elsewhere(value) for name, value in (kwargs or {}).items()}
        if func is torch.Tensor.repeat_interleave and id(args[1]) in self._sums:
            named["output_size"] = self._sums[id(args[1])]
        result = func(*(_elsewhere(value) for value in args), **named)
        if func is torch.tensor and isinstance(args[0], list):
            self._sums[id(result)] = sum(args[0])  # widths of fused layers: their scales repeat so
            self._alive.append(result)
        return result


def _elsewhere(value: Any) -> Any:  # noqa: ANN401
    is_device = isinstance(value, torch.device) and value.type == "cuda"
    is_name = isinstance(value, str) and value.partition(":")[0] == "cuda"
    return META if is_device or is_name else value


def prepare() -> None:
    """Leave out what only logs, and what repacks numbers that are not there."""
    manager = expert_map_manager.ExpertMapManager
    manager.get_compressed_map_string = lambda _self: "not shown"
    marlin_utils.unpack_cols = _unpacked
    marlin_utils.pack_cols = _packed


def _unpacked(packed: torch.Tensor, _bits: int, rows: int, columns: int) -> torch.Tensor:
    """Shape of `quant_utils.unpack_cols`, which goes through numpy."""
    return torch.empty((rows, columns), dtype=packed.dtype, device=packed.device)


def _packed(values: torch.Tensor, bits: int, rows: int, columns: int) -> torch.Tensor:
    """Shape of `quant_utils.pack_cols`."""
    return torch.empty((rows, columns * bits // 32), dtype=torch.int32, device=values.device)


@contextmanager
def model_of_rank(config: VllmConfig, rank: int) -> Iterator[torch.nn.Module]:
    """Construct the model of one rank."""
    config.compilation_config.mode = CompilationMode.NONE  # nothing is compiled without a GPU
    config.compilation_config.static_forward_context.clear()
    with as_rank(config, rank), set_default_torch_dtype(config.model_config.dtype):
        with _CudaIsMeta(), META:
            model = initialize_model(vllm_config=config)
        yield model


def tensors_of_rank(config: VllmConfig, rank: int) -> list[dict[str, Any]]:
    """List every tensor that one rank holds once its weights are loaded and processed."""
    with model_of_rank(config, rank) as model:
        with _CudaIsMeta():
            process_weights_after_loading(model, config.model_config, META)
        return list(tensors_of(model))


def kv_pool(config: VllmConfig, ranks: list[int], available: list[int]) -> dict[str, Any]:
    """Let vLLM divide the memory that is left on each rank of one data-parallel replica.

    The order of dimensions in a block is set as backends prefer it; it changes no size.

    Args:
        config: of the engine.
        ranks: one of each pipeline stage, or all.
        available: bytes that are left on each of them.
    """
    config.cache_config.kv_cache_layout = "LBNHC"
    specs = [_specs_of_rank(config, rank) for rank in ranks]
    pools = kv_cache_utils.get_kv_cache_configs(config, specs, available)
    smallest = min(pool.num_blocks for pool in pools)
    concurrency = kv_cache_utils.get_max_concurrency_for_kv_cache_config(config, pools[0])
    return {
        "blocks": smallest,
        "blocks_per_rank": [pool.num_blocks for pool in pools],
        "bytes_per_rank": [pool.num_blocks * _bytes_of_block(config, pool) for pool in pools],
        "tokens": int(concurrency * config.model_config.max_model_len),
        "concurrency": concurrency,
        "block_tokens": config.cache_config.block_size,
    }


def _bytes_of_block(config: VllmConfig, pool: KVCacheConfig) -> int:
    """Return what one block takes; groups of a hybrid model overlay each other's memory."""
    size: int = kv_cache_utils._pool_bytes_per_block(config, pool.kv_cache_groups)
    return size


def _specs_of_rank(config: VllmConfig, rank: int) -> dict[str, KVCacheSpec]:
    """Make the model, let the backends choose the block, ask each layer: as every worker does."""
    with model_of_rank(config, rank):
        current_platform.update_block_size_for_backend(config)
        layers = config.compilation_config.static_forward_context
        specs = {
            name: layer.get_kv_cache_spec(config)
            for name, layer in layers.items()
            if hasattr(layer, "get_kv_cache_spec")
        }
    return {name: spec for name, spec in specs.items() if spec is not None}
