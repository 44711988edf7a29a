"""Flags of ``vllm serve``, by version: since which release, until which.

Generated from the parsers of the releases: ``vllm/engine/arg_utils.py`` and the front end's
``cli_args.py``, PyPI vllm 0.8.5 to 0.33.0, read 2026-11-23. ``--no-`` forms are not listed: a
switch has one wherever it is listed. A name stands in a row from the release it came with, or left
with.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from qwen3_planner.engines.flag_ranges import FlagRange, is_taken, ranges_of
from qwen3_planner.engines.versions import Version

OLDEST: Final = Version(0, 8, 5)
"""Release of the first list; older ones are taken to be like it."""

_AT_OLDEST: Final = (
    "additional-config allow-credentials allowed-headers allowed-local-media-path "
    "allowed-methods allowed-origins api-key block-size calculate-kv-scales chat-template "
    "chat-template-content-format code-revision collect-detailed-traces compilation-config "
    "config config-format cpu-offload-gb data-parallel-size device "
    "disable-async-output-proc disable-cascade-attn disable-chunked-mm-input "
    "disable-custom-all-reduce disable-fastapi-docs disable-frontend-multiprocessing "
    "disable-log-requests disable-log-stats disable-mm-preprocessor-cache "
    "disable-sliding-window disable-uvicorn-access-log distributed-executor-backend "
    "download-dir dtype enable-auto-tool-choice enable-chunked-prefill "
    "enable-expert-parallel enable-lora enable-lora-bias enable-prefix-caching "
    "enable-prompt-adapter enable-prompt-tokens-details enable-reasoning "
    "enable-request-id-headers enable-server-load-tracking enable-sleep-mode "
    "enable-ssl-refresh enforce-eager fully-sharded-loras generation-config "
    "gpu-memory-utilization guided-decoding-backend hf-config-path hf-overrides hf-token "
    "host ignore-patterns kv-cache-dtype kv-transfer-config limit-mm-per-prompt load-format "
    "logits-processor-pattern long-lora-scaling-factors long-prefill-token-threshold "
    "lora-dtype lora-extra-vocab-size lora-modules max-cpu-loras max-log-len max-logprobs "
    "max-long-partial-prefills max-lora-rank max-loras max-model-len max-num-batched-tokens "
    "max-num-partial-prefills max-num-seqs max-parallel-loading-workers "
    "max-prompt-adapter-token max-prompt-adapters max-seq-len-to-capture middleware "
    "mm-processor-kwargs model model-impl model-loader-extra-config "
    "multi-step-stream-outputs num-gpu-blocks-override num-lookahead-slots "
    "num-scheduler-steps otlp-traces-endpoint override-generation-config "
    "override-neuron-config override-pooler-config pipeline-parallel-size port "
    "preemption-mode prefix-caching-hash-algo prompt-adapters qlora-adapter-name-or-path "
    "quantization ray-workers-use-nsight reasoning-parser response-role "
    "return-tokens-as-token-ids revision root-path rope-scaling rope-theta scheduler-cls "
    "scheduler-delay-factor scheduling-policy seed served-model-name "
    "show-hidden-metrics-for-version skip-tokenizer-init speculative-config ssl-ca-certs "
    "ssl-cert-reqs ssl-certfile ssl-keyfile swap-space task tensor-parallel-size tokenizer "
    "tokenizer-mode tokenizer-pool-extra-config tokenizer-pool-size tokenizer-pool-type "
    "tokenizer-revision tool-call-parser tool-parser-plugin trust-remote-code "
    "use-tqdm-on-load use-v2-block-manager uvicorn-log-level worker-cls "
    "worker-extension-cls"
)

_CAME: Final = (
    (
        Version(0, 9),
        (
            "cuda-graph-sizes data-parallel-address data-parallel-rpc-port "
            "data-parallel-size-local data-parallel-start-rank enable-prompt-embeds "
            "guided-decoding-disable-additional-properties "
            "guided-decoding-disable-any-whitespace guided-decoding-disable-fallback headless "
            "kv-events-config pt-load-map-location"
        ),
    ),
    (
        Version(0, 9, 1),
        (
            "api-server-count data-parallel-backend disable-hybrid-kv-cache-manager "
            "enable-multimodal-encoder-data-parallel log-config-file"
        ),
    ),
    (
        Version(0, 9, 2),
        (
            "data-parallel-rank enable-eplb enable-force-include-usage eplb-log-balancedness "
            "eplb-step-interval eplb-window-size expand-tools-even-if-tool-choice-none "
            "media-io-kwargs num-redundant-experts override-attention-dtype"
        ),
    ),
    (
        Version(0, 10),
        (
            "async-scheduling data-parallel-hybrid-lb default-mm-loras "
            "enable-tokenizer-info-endpoint interleave-mm-strings logprobs-mode"
        ),
    ),
    (
        Version(0, 10, 1),
        (
            "convert enable-log-outputs enable-log-requests exclude-tools-when-tool-choice-none "
            "kv-sharing-fast-prefill logits-processors mamba-cache-dtype mamba-ssm-cache-dtype "
            "mm-processor-cache-gb runner skip-mm-profiling tool-server uds"
        ),
    ),
    (Version(0, 10, 1, 1), "h11-max-header-count h11-max-incomplete-event-size"),
    (
        Version(0, 10, 2),
        (
            "decode-context-parallel-size eplb-config io-processor-plugin kv-cache-memory-bytes "
            "log-error-stack mm-encoder-tp-mode safetensors-load-strategy"
        ),
    ),
    (
        Version(0, 11),
        (
            "allowed-media-domains dbo-decode-token-threshold dbo-prefill-token-threshold "
            "enable-dbo expert-placement-strategy mm-processor-cache-type "
            "mm-shm-cache-max-object-size-mb pooler-config structured-outputs-config "
            "trust-request-chat-template video-pruning-rate"
        ),
    ),
    (
        Version(0, 11, 1),
        (
            "aggregate-engine-logging all2all-backend cudagraph-capture-sizes "
            "data-parallel-external-lb dcp-kv-cache-interleave-size "
            "disable-nccl-for-dp-synchronization ec-transfer-config enable-mm-embeds "
            "kv-offloading-backend kv-offloading-size mamba-block-size master-addr master-port "
            "max-cudagraph-capture-size mm-encoder-attn-backend nnodes node-rank "
            "reasoning-parser-plugin stream-interval tokens-only"
        ),
    ),
    (
        Version(0, 12),
        (
            "cp-kv-cache-interleave-size kv-cache-metrics kv-cache-metrics-sample "
            "optimization-level prefill-context-parallel-size"
        ),
    ),
    (
        Version(0, 13),
        (
            "attention-backend attention-config cudagraph-metrics enable-layerwise-nvtx-tracing "
            "profiler-config"
        ),
    ),
    (
        Version(0, 14),
        (
            "allow-deprecated-quantization default-chat-template-kwargs enable-log-deltas "
            "enable-logging-iteration-details enable-mfu-metrics enable-offline-docs "
            "enable-return-routed-experts enable-tower-connector-lora ubatch-size"
        ),
    ),
    (
        Version(0, 16),
        (
            "disable-access-log-for-endpoints enable-flashinfer-autotune kernel-config "
            "mamba-cache-mode mm-encoder-only specialize-active-lora ssl-ciphers "
            "weight-transfer-config"
        ),
    ),
    (
        Version(0, 17),
        (
            "cpu-offload-params enable-elastic-ep fail-on-environ-validation "
            "language-model-only moe-backend offload-backend offload-group-size "
            "offload-num-in-group offload-params offload-prefetch-step performance-mode "
            "use-gpu-for-pooling-score"
        ),
    ),
    (
        Version(0, 18),
        (
            "dcp-comm-backend distributed-timeout-seconds enable-ep-weight-filter "
            "gdn-prefill-backend grpc shutdown-timeout"
        ),
    ),
    (
        Version(0, 19),
        (
            "kv-cache-dtype-skip-layers lora-target-modules mm-tensor-ipc reasoning-config "
            "renderer-num-workers scheduler-reserve-full-isl"
        ),
    ),
    (
        Version(0, 20),
        (
            "enable-flash-late-interaction enable-mamba-cache-stochastic-rounding "
            "ir-op-priority mamba-backend mamba-cache-philox-rounds numa-bind numa-bind-cpus "
            "numa-bind-nodes"
        ),
    ),
    (
        Version(0, 21),
        (
            "fingerprint-mode fingerprint-value mm-encoder-attn-dtype mm-encoder-fp8-scale-path "
            "mm-encoder-fp8-scale-save-margin mm-encoder-fp8-scale-save-path "
            "safetensors-prefetch-block-size safetensors-prefetch-num-threads"
        ),
    ),
    (
        Version(0, 22),
        (
            "cpu-distributed-timeout-seconds data-parallel-multi-port-external-lb "
            "data-parallel-supervisor-port dp-supervisor-probe-failure-threshold "
            "dp-supervisor-probe-interval-s dp-supervisor-probe-timeout-s "
            "enable-cumem-allocator enable-mixed-moe-lora-format linear-backend "
            "quantization-config spec-method spec-model spec-tokens use-fp64-gumbel"
        ),
    ),
    (
        Version(0, 24),
        "device-ids diffusion-config jit-monitor-verbose prefill-schedule-interval watermark",
    ),
    (
        Version(0, 25),
        "enable-per-request-metrics jit-monitor-mode mm-ipc-gpu-memory-gb model-class-overrides",
    ),
    (
        Version(0, 26),
        (
            "enable-bf16x3-router-gemm enable-moe-shared-loras max-num-scheduled-tokens "
            "prefix-match-unit"
        ),
    ),
    (
        Version(0, 27),
        (
            "cohere-format cohere-is-reasoning-model enable-fault-tolerance "
            "fault-tolerance-config kda-prefill-backend mamba-ssu-algorithm mm-hasher-algorithm "
            "replayssm-buffer-len use-replayssm video-pruning-method"
        ),
    ),
    (
        Version(0, 28),
        "ec-manager-config mm-device-do-normalize mm-processor-device return-sampling-mask",
    ),
    (
        Version(0, 29),
        (
            "dcp-q-replicate enable-batch-sharded-sampling enable-trace-replay "
            "max-num-queued-reqs max-num-queued-tokens per-request-spec-decode-metrics "
            "prefix-cache-retention-interval sse-keep-alive-interval"
        ),
    ),
    (
        Version(0, 30),
        (
            "dp-sync-interval elastic-ep-max-dp-size enable-mamba-fine-grained-prefix-cache "
            "enable-nccl-comm-suspend enable-scale-out engram-config kda-decode-backend "
            "sparse-indexer-topk-backend watermark-config"
        ),
    ),
    (
        Version(0, 31),
        (
            "anthropic-disabled-thinking-effort aux-output-config device-memory-utilization "
            "enable-mamba-shared-prefix-checkpoint log-level logging-config "
            "long-prefill-token-threshold-adaptive max-lora-cls-labels max-num-active-seqs "
            "sleep-preserve-parameter-names swa-bounded-replay tool-strict-level "
            "trust-request-mm-kwargs"
        ),
    ),
    (
        Version(0, 32),
        (
            "custom-histogram-buckets enable-hc-sp enable-shm-tensor-arena grpc-port "
            "sleep-mode-offload-cudagraph"
        ),
    ),
    (Version(0, 33), "monokernel reasoning-effort-map sleep-mode-backend watchdog-config"),
)

_WENT: Final = (
    (
        Version(0, 10),
        (
            "device enable-reasoning expand-tools-even-if-tool-choice-none "
            "long-lora-scaling-factors max-prompt-adapter-token max-prompt-adapters "
            "prompt-adapters qlora-adapter-name-or-path tokenizer-pool-extra-config "
            "tokenizer-pool-size tokenizer-pool-type use-v2-block-manager"
        ),
    ),
    (Version(0, 10, 1), "multi-step-stream-outputs num-scheduler-steps"),
    (Version(0, 10, 2), "enable-prompt-adapter override-neuron-config"),
    (
        Version(0, 11),
        (
            "disable-async-output-proc guided-decoding-backend "
            "guided-decoding-disable-additional-properties "
            "guided-decoding-disable-any-whitespace guided-decoding-disable-fallback "
            "max-seq-len-to-capture preemption-mode scheduler-delay-factor"
        ),
    ),
    (Version(0, 11, 1), "enable-lora-bias rope-scaling rope-theta"),
    (
        Version(0, 12),
        (
            "eplb-log-balancedness eplb-step-interval eplb-window-size lora-extra-vocab-size "
            "num-lookahead-slots num-redundant-experts override-pooler-config"
        ),
    ),
    (
        Version(0, 13),
        (
            "cuda-graph-sizes disable-mm-preprocessor-cache "
            "enable-multimodal-encoder-data-parallel task"
        ),
    ),
    (Version(0, 17), "disable-log-requests logits-processor-pattern"),
    (Version(0, 18), "swap-space use-gpu-for-pooling-score"),
    (Version(0, 19), "disable-frontend-multiprocessing"),
    (Version(0, 27), "max-long-partial-prefills max-num-partial-prefills"),
    (Version(0, 28), "calculate-kv-scales override-attention-dtype"),
    (Version(0, 30), "enable-bf16x3-router-gemm"),
    (Version(0, 31), "enable-mamba-fine-grained-prefix-cache"),
)

REPLACED_BY: Final = {
    "--rope-scaling": "--hf-overrides",
    "--rope-theta": "--hf-overrides",
    "--cuda-graph-sizes": "--cudagraph-capture-sizes",
    "--max-seq-len-to-capture": "--max-cudagraph-capture-size",
    "--task": "--runner or --convert",
    "--enable-reasoning": "--reasoning-parser",
    "--guided-decoding-backend": "--structured-outputs-config",
    "--disable-log-requests": "--no-enable-log-requests",
    "--override-pooler-config": "--pooler-config",
    "--num-redundant-experts": "--eplb-config",
    "--eplb-window-size": "--eplb-config",
    "--eplb-step-interval": "--eplb-config",
    "--disable-mm-preprocessor-cache": "--mm-processor-cache-gb 0",
    "--enable-multimodal-encoder-data-parallel": "--mm-encoder-tp-mode data",
}
"""What a flag that is gone became, where it became anything."""


@lru_cache(maxsize=1)
def flag_ranges() -> dict[str, FlagRange]:
    """Return every known flag with the releases that take it.

    >>> str(flag_ranges()["--rope-scaling"].until)
    '0.11.1'
    """
    return ranges_of(OLDEST, _AT_OLDEST, _CAME, _WENT)


def takes(flag: str, version: Version) -> bool:
    """Whether a version's parser takes a flag, by its long name, without a value.

    >>> [takes("--nnodes", Version(0, 11, patch)) for patch in (0, 1)]
    [False, True]
    >>> takes("--no-enable-prefix-caching", Version(0, 32))
    True
    """
    ranges = flag_ranges()
    found = ranges.get(flag) or ranges.get(f"--{flag.removeprefix('--no-')}")
    return is_taken(found, version, OLDEST)
