"""The KV cache as an engine's metrics tell it."""

from __future__ import annotations

from qwen3_planner.engines.samples import (
    Sample,
    llamacpp_kv_cache_tokens,
    sglang_kv_cache_tokens,
    vllm_kv_cache_tokens,
)


def vllm(**labels: str) -> Sample:
    return Sample("vllm:cache_config_info", labels, 1.0)


def test_vllm_says_its_tokens_since_it_knows_them() -> None:
    """Blocks times their size is more than the log says where layers are of several kinds."""
    sample = vllm(kv_cache_size_tokens="321984", num_gpu_blocks="99999", block_size="16")
    assert vllm_kv_cache_tokens([sample], 1) == 321984


def test_older_vllm_says_blocks_and_adds_up_those_of_its_data_parallel_ranks() -> None:
    sample = vllm(num_gpu_blocks="2000", block_size="16")
    assert vllm_kv_cache_tokens([sample], 1) == 32000
    assert vllm_kv_cache_tokens([sample], 2) == 16000


def test_of_several_engines_the_tightest_counts() -> None:
    samples = [vllm(kv_cache_size_tokens="200"), vllm(kv_cache_size_tokens="100")]
    assert vllm_kv_cache_tokens(samples, 2) == 100


def test_what_does_not_say_is_not_guessed() -> None:
    assert vllm_kv_cache_tokens([], 1) is None
    assert vllm_kv_cache_tokens([vllm(kv_cache_size_tokens="None")], 1) is None
    assert vllm_kv_cache_tokens([vllm(num_gpu_blocks="None", block_size="16")], 1) is None
    assert sglang_kv_cache_tokens([Sample("sglang:num_running_reqs", {}, 3.0)], 1) is None
    assert llamacpp_kv_cache_tokens([Sample("data.0.meta.n_ctx_train", {}, 40960.0)], 1) is None


def test_sglang_has_a_gauge_of_it_for_each_rank() -> None:
    samples = [
        Sample("sglang:max_total_num_tokens", {"tp_rank": "0"}, 5000.0),
        Sample("sglang:max_total_num_tokens", {"tp_rank": "1"}, 4000.0),
    ]
    assert sglang_kv_cache_tokens(samples, 1) == 4000


def test_llamacpp_states_the_context_of_a_slot() -> None:
    samples = [Sample("data.0.meta.n_ctx", {}, 2048.0), Sample("data.0.created", {}, 1.8e9)]
    assert llamacpp_kv_cache_tokens(samples, 3) == 6144
