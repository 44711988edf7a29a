"""A rendered command through vLLM's own parser into vLLM's own configuration."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.model_executor.models import registry
from vllm.usage.usage_lib import UsageContext
from vllm.utils.argparse_utils import FlexibleArgumentParser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vllm.config import VllmConfig


class ParserError(Exception):
    """The parser refused the command."""


class _Parser(FlexibleArgumentParser):  # type: ignore[misc]  # vllm is Any to strict mypy
    def error(self, message: str) -> NoReturn:
        raise ParserError(message)


def make_parser() -> FlexibleArgumentParser:
    """Make the parser of `vllm serve`."""
    # Model classes are inspected here instead of in a process of their own each.
    registry._run_in_subprocess = lambda function: function()
    return make_arg_parser(_Parser())


def configure(parser: FlexibleArgumentParser, words: list[str]) -> VllmConfig:
    """Turn the words after `vllm serve` into what the engine would be started with.

    Raises:
        ParserError: the parser refused.
        Exception: whatever vLLM's validation raises.
    """
    args = parser.parse_args(words)
    if args.model_tag is not None:  # as vllm/entrypoints/cli/serve.py does
        args.model = args.model_tag
    validate_parsed_serve_args(args)
    engine = AsyncEngineArgs.from_cli_args(args)
    usage = UsageContext.OPENAI_API_SERVER
    return engine.create_engine_config(usage_context=usage, headless=args.headless)


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Set variables for the time of one question."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def describe(config: VllmConfig) -> dict[str, Any]:
    """Return what the tests look at, as JSON."""
    model, parallel, cache = config.model_config, config.parallel_config, config.cache_config
    scheduler, compilation = config.scheduler_config, config.compilation_config
    lora = config.lora_config
    return {
        "max_model_len": model.max_model_len,
        "dtype": str(model.dtype).removeprefix("torch."),
        "quantization": model.quantization,
        "runner": model.runner_type,
        "v2_runner": bool(config.use_v2_model_runner),
        "served_names": model.served_model_name,
        "tensor": parallel.tensor_parallel_size,
        "pipeline": parallel.pipeline_parallel_size,
        "data": parallel.data_parallel_size,
        "expert_parallel": parallel.enable_expert_parallel,
        "nnodes": parallel.nnodes,
        "node_rank": parallel.node_rank,
        "data_rank": parallel.data_parallel_rank,
        "local_data_ranks": parallel.data_parallel_size_local,
        "master": parallel.master_addr,
        "executor": parallel.distributed_executor_backend,
        "utilization": cache.gpu_memory_utilization,
        "kv_cache_dtype": cache.cache_dtype,
        "kv_cache_memory_bytes": cache.kv_cache_memory_bytes,
        "block_size": cache.block_size,
        "cpu_offload_gib": config.offload_config.uva.cpu_offload_gb,
        "max_num_batched_tokens": scheduler.max_num_batched_tokens,
        "max_num_seqs": scheduler.max_num_seqs,
        "graph_sizes": list(compilation.cudagraph_capture_sizes or []),
        "enforce_eager": bool(model.enforce_eager),
        "max_loras": lora.max_loras if lora else None,
        "max_lora_rank": lora.max_lora_rank if lora else None,
    }
