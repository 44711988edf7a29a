"""Start-up logs written by us in the engines' own format, from the figures of measured starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.accuracy.rows import Launch

OLD_LINES = (0, 11, 0)
"""vLLM that prints its configuration with single lines for tokens and concurrency: before 0.29."""

SOURCES = {
    "fp8": "{}-FP8",
    "awq-int4": "{}-AWQ",
    "gptq-int4": "{}-GPTQ-Int4",
    "bf16": "{}",
}
METHODS = {
    "fp8": "fp8",
    "awq-int4": "awq_marlin",
    "gptq-int4": "gptq_marlin",
    "nvfp4": "modelopt_fp4",
}


def log_of(launch: Launch, *, prefix: str = "") -> str:
    """Write the log of a measured start.

    Args:
        launch: what was measured, and how it was started.
        prefix: of every line.
    """
    lines = _vllm(launch) if launch.engine == "vllm" else _sglang(launch)
    return "".join(f"{prefix}{line}\n" for line in lines)


def model_of(launch: Launch) -> str:
    """Return what the engine was given as model."""
    if launch.checkpoint:
        return launch.checkpoint.removeprefix("hf://")
    return "Qwen/" + SOURCES[launch.quantization].format(launch.model)


def _arguments(launch: Launch) -> dict[str, object]:
    given = {
        "model_tag": model_of(launch),
        "max_model_len": launch.max_model_len,
        "tensor_parallel_size": launch.tensor,
        "gpu_memory_utilization": launch.utilization,
        "max_num_seqs": launch.max_num_seqs,
        "max_num_batched_tokens": launch.max_num_batched_tokens,
        "enforce_eager": launch.enforce_eager,
        "kv_cache_memory_bytes": launch.kv_cache_memory_bytes,
        "enable_expert_parallel": True if (launch.expert or 1) > 1 else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _vllm(launch: Launch) -> Iterator[str]:
    method = METHODS.get(launch.quantization)
    context = launch.max_model_len or 40960
    stamp = "INFO 11-23 10:00:00"
    yield f"(APIServer pid=1) {stamp} [api_server.py:1839] vLLM API server version {launch.version}"
    yield f"(APIServer pid=1) {stamp} [utils.py:233] non-default args: {_arguments(launch)}"
    yield (
        f"(EngineCore_DP0 pid=9) {stamp} [core.py:77] Initializing a V1 LLM engine"
        f" (v{launch.version}) with config: model='{model_of(launch)}', speculative_config=None,"
        f" dtype=torch.bfloat16, max_seq_len={context}, tensor_parallel_size={launch.tensor},"
        f" pipeline_parallel_size={launch.pipeline or 1}, data_parallel_size={launch.data or 1},"
        f" quantization={method}, enforce_eager={launch.enforce_eager or False},"
        f" kv_cache_dtype={launch.kv_cache_dtype or 'auto'}, device_config=cuda, seed=0"
    )
    ranks = (launch.tensor or 1) * (launch.pipeline or 1)
    for rank in range(ranks):
        worker = f"(Worker_TP{rank} pid={20 + rank}) {stamp}"
        if launch.weights_gib is not None:
            yield (
                f"{worker} [gpu_model_runner.py:2653] Model loading took"
                f" {launch.weights_gib:.4f} GiB and 7.250000 seconds"
            )
        if launch.kv_gib is not None:
            more = 0.02 * rank  # the first rank has least
            yield (
                f"{worker} [gpu_worker.py:298] Available KV cache memory:"
                f" {launch.kv_gib + more:.2f} GiB"
            )
    if launch.kv_tokens is not None:
        core = f"(EngineCore_DP0 pid=9) {stamp} [kv_cache_utils.py:1087]"
        yield f"{core} GPU KV cache size: {launch.kv_tokens:,} tokens"
        times = launch.kv_tokens / context
        yield f"{core} Maximum concurrency for {context:,} tokens per request: {times:.2f}x"


def _sglang(launch: Launch) -> Iterator[str]:
    stamp = "[2026-11-23 10:00:00"
    yield (
        f"{stamp}] server_args=ServerArgs(model_path='{model_of(launch)}', tokenizer_mode='auto',"
        f" context_length={launch.max_model_len}, device='cuda', tp_size={launch.tensor},"
        f" pp_size=1, dp_size=1, ep_size={launch.expert or 1},"
        f" mem_fraction_static={launch.utilization}, kv_cache_dtype='auto', quantization=None,"
        f" max_running_requests={launch.max_num_seqs},"
        f" chunked_prefill_size={launch.max_num_batched_tokens}, disable_cuda_graph=False)"
    )
    for rank in range(launch.tensor or 1):
        head = f"{stamp} TP{rank}]"
        if launch.weights_gib is not None:
            yield (
                f"{head} Load weight end. type=Qwen3ForCausalLM, dtype=torch.bfloat16, avail"
                f" mem=40.00 GB, mem usage={launch.weights_gib:.2f} GB."
            )
        if launch.kv_tokens is not None and launch.kv_gib is not None:
            half = launch.kv_gib / 2
            yield (
                f"{head} KV Cache is allocated. #tokens: {launch.kv_tokens}, K size: {half:.2f} GB,"
                f" V size: {half:.2f} GB"
            )
    yield (
        f"{stamp} TP0] max_total_num_tokens={launch.kv_tokens}, chunked_prefill_size=8192,"
        " max_prefill_tokens=16384, max_running_requests=2048,"
        f" context_len={launch.max_model_len or 40960}"
    )
