"""Files that hold scales for the KV cache: vLLM turns the cache to fp8 by itself from 0.14 on."""

from __future__ import annotations

import pytest

from qwen3_planner.request import KvCacheDtype, Quantization
from support.planner_builders import planned, refused

NVFP4 = {"quantization": Quantization.NVFP4}  # of Qwen3-8B: nvidia's, which holds such scales


@pytest.mark.parametrize(("version", "cache"), [("0.13.0", "bf16"), ("0.14.0", "fp8")])
def test_the_cache_follows_the_files(version: str, cache: str) -> None:
    found = planned("Qwen3-8B", "1xH100-SXM-80GB", engine_version=version, **NVFP4)
    assert found.kv_cache_dtype == cache
    said = found.command[found.command.index("--kv-cache-dtype") + 1]
    assert said == {"bf16": "bfloat16", "fp8": "fp8"}[cache]


def test_twice_the_tokens_fit_into_what_is_left() -> None:
    narrow, wide = (
        planned("Qwen3-8B", "1xH100-SXM-80GB", kv_cache_dtype=cache, **NVFP4)
        for cache in (KvCacheDtype.AUTO, KvCacheDtype.BF16)
    )
    tokens = narrow.memory.kv_cache_tokens, wide.memory.kv_cache_tokens
    assert tokens[0] == pytest.approx(2 * tokens[1], rel=0.001)


def test_sixteen_bit_that_the_user_asks_for_is_said() -> None:
    asked = {"kv_cache_dtype": KvCacheDtype.BF16, **NVFP4}
    words = planned("Qwen3-8B", "1xH100-SXM-80GB", **asked).command
    assert words[words.index("--kv-cache-dtype") + 1] == "bfloat16"
    plain = planned("Qwen3-8B", "1xH100-SXM-80GB", kv_cache_dtype=KvCacheDtype.BF16).command
    assert "--kv-cache-dtype" not in plain


def test_a_card_that_reads_no_fp8_cache_is_refused_such_files() -> None:
    found = refused("Qwen3-8B", "1xT4-16GB", **NVFP4)
    assert found.refusals[0].rule == "Fp8KvCacheCapability"
