"""What an engine says of itself in numbers: one sample, and the KV cache among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Sample(NamedTuple):
    """One line of a Prometheus exposition, ``name{labels} value``, or a number of a document."""

    name: str
    labels: Mapping[str, str]
    value: float


def vllm_kv_cache_tokens(samples: Iterable[Sample], data: int) -> int | None:
    """Read the tokens that fit into vLLM's KV cache, of one data-parallel rank.

    ``vllm:cache_config_info`` carries the cache configuration as labels. Since 0.24 the tokens that
    the log names are among them; before, blocks times their size is the same for models without
    linear attention. The front end adds up the blocks of its `data` ranks.
    Source: PyPI vllm 0.8.5 to 0.33.0, vllm/config/cache.py and vllm/v1/engine/core_client.py.
    """
    found = []
    for sample in samples:
        if sample.name == "vllm:cache_config_info":
            labels = sample.labels
            tokens = _whole(labels.get("kv_cache_size_tokens"))
            if tokens is None:
                blocks = _whole(labels.get("num_gpu_blocks"))
                block = _whole(labels.get("block_size"))
                tokens = blocks * block // max(1, data) if blocks and block else None
            if tokens:
                found.append(tokens)
    return min(found, default=None)


def sglang_kv_cache_tokens(samples: Iterable[Sample], _data: int) -> int | None:
    """Read the tokens that fit into SGLang's KV cache; the tightest rank says.

    Source: PyPI sglang 0.5.23 sglang/srt/observability/metrics_collector.py.
    """
    found = [int(s.value) for s in samples if s.name == "sglang:max_total_num_tokens" and s.value]
    return min(found, default=None)


LLAMACPP_CONTEXT = "data.0.meta.n_ctx"
"""Where llama-server's list of models says how long a slot's context is."""


def llamacpp_kv_cache_tokens(samples: Iterable[Sample], slots: int) -> int | None:
    """Read the cells of llama.cpp's KV cache: its list of models states those of one slot.

    The list is public even with an API key, which its metrics are not. Source: run of llama.cpp
    b11549 (PyPI xllamacpp 2026.10.11549), ``/v1/models``.

    Args:
        samples: numbers of the list, by their path in it.
        slots: with a part of the cache each; 1 where they share it.
    """
    found = [int(s.value) * slots for s in samples if s.name == LLAMACPP_CONTEXT and s.value]
    return min(found, default=None)


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
