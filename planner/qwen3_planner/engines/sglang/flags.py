"""Flags of ``sglang.launch_server``, by version: since which release, until which.

Generated from the parsers of the releases: ``sglang/srt/server_args.py`` and
``arg_groups/fields/*.py``, PyPI sglang 0.4.6.post1 to 0.5.23, read 2026-11-23. A name stands in a
row from the release it came with, or left with; one that a parser takes only to stop the server
counts as gone.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from qwen3_planner.engines.flag_ranges import FlagRange, is_taken, ranges_of
from qwen3_planner.engines.versions import Version

OLDEST: Final = Version(0, 4, 6, 1)
"""Release of the first list; older ones are taken to be like it."""

_AT_OLDEST: Final = (
    "allow-auto-truncate api-key attention-backend base-gpu-id chat-template "
    "chunked-prefill-size completion-template constrained-json-whitespace-pattern "
    "context-length cpu-offload-gb cuda-graph-bs cuda-graph-max-bs data-parallel-size "
    "debug-tensor-dump-inject debug-tensor-dump-input-file debug-tensor-dump-output-folder "
    "decode-log-interval deepep-mode delete-ckpt-after-loading device "
    "disable-chunked-prefix-cache disable-cuda-graph disable-cuda-graph-padding "
    "disable-custom-all-reduce disable-fast-image-processor disable-outlines-disk-cache "
    "disable-overlap-schedule disable-radix-cache disaggregation-bootstrap-port "
    "disaggregation-ib-device disaggregation-mode disaggregation-transfer-backend "
    "dist-init-addr dist-timeout download-dir dp-size ds-channel-config-path "
    "ds-heavy-channel-num ds-heavy-channel-type ds-heavy-token-num ds-sparse-decode-threshold "
    "dtype enable-cache-report enable-custom-logit-processor enable-deepep-moe "
    "enable-double-sparsity enable-dp-attention enable-ep-moe enable-hierarchical-cache "
    "enable-memory-saver enable-metrics enable-mixed-chunk enable-multimodal "
    "enable-nan-detection enable-nccl-nvls enable-p2p-check enable-tokenizer-batch-encode "
    "enable-torch-compile ep-size expert-parallel-size file-storage-path "
    "flashinfer-mla-disable-ragged gpu-id-step grammar-backend hicache-ratio hicache-size "
    "hicache-write-policy host is-embedding json-model-override-args kv-cache-dtype "
    "load-balance-method load-format log-level log-level-http log-requests log-requests-level "
    "lora-backend lora-paths max-loras-per-batch max-prefill-tokens max-running-requests "
    "max-total-tokens mem-fraction-static model-path moe-dense-tp-size n-share-experts-fusion "
    "nccl-init-addr nnodes node-rank num-continuous-decode-steps page-size port quantization "
    "quantization-param-path random-seed reasoning-parser revision sampling-backend "
    "schedule-conservativeness schedule-policy served-model-name show-time-cost "
    "skip-tokenizer-init speculative-accept-threshold-acc speculative-accept-threshold-single "
    "speculative-algorithm speculative-draft-model-path speculative-eagle-topk "
    "speculative-num-draft-tokens speculative-num-steps speculative-token-map stream-interval "
    "stream-output tensor-parallel-size tokenizer-mode tokenizer-path tool-call-parser "
    "torch-compile-max-bs torchao-config tp-size triton-attention-num-kv-splits "
    "triton-attention-reduce-in-fp32 trust-remote-code warmups watchdog-timeout"
)

_CAME: Final = (
    (Version(0, 4, 6, 2), "max-micro-batch-size pipeline-parallel-size pp-size"),
    (Version(0, 4, 6, 3), "mm-attention-backend pdlb-url"),
    (Version(0, 4, 6, 4), "enable-dp-lm-head enable-request-time-stats-logging"),
    (
        Version(0, 4, 6, 5),
        (
            "bucket-e2e-request-latency bucket-inter-token-latency bucket-time-to-first-token "
            "collect-tokens-histogram deepep-config enable-eplb "
            "enable-expert-distribution-metrics ep-dispatch-algorithm ep-num-redundant-experts "
            "eplb-rebalance-num-iterations expert-distribution-recorder-buffer-size "
            "expert-distribution-recorder-mode init-expert-location kv-events-config "
            "preferred-sampling-params"
        ),
    ),
    (
        Version(0, 4, 7),
        (
            "disable-shared-experts-fusion enable-mscclpp enable-two-batch-overlap "
            "eplb-algorithm eplb-rebalance-layers-per-chunk impl"
        ),
    ),
    (
        Version(0, 4, 7, 1),
        (
            "debug-tensor-dump-prefill-only disable-overlap-cg-plan disaggregation-decode-dp "
            "disaggregation-decode-tp disaggregation-prefill-pp enable-profile-cuda-graph "
            "enable-return-hidden-states num-reserved-decode-tokens sleep-on-idle"
        ),
    ),
    (Version(0, 4, 8), "custom-weight-loader enable-flashinfer-moe weight-loader-disable-mmap"),
    (Version(0, 4, 8, 1), "model model-loader-extra-config"),
    (
        Version(0, 4, 9),
        (
            "crash-dump-folder enable-flashinfer-allreduce-fusion hybrid-kvcache-ratio "
            "nccl-port skip-server-warmup"
        ),
    ),
    (Version(0, 4, 9, 1), "enable-triton-kernel-moe hicache-io-backend"),
    (
        Version(0, 4, 9, 3),
        (
            "disable-hybrid-swa-memory enable-lora enable-metrics-for-all-schedulers "
            "enable-pdmux hicache-storage-backend lora-target-modules max-lora-rank model-impl "
            "sm-group-num swa-full-tokens-ratio"
        ),
    ),
    (
        Version(0, 4, 9, 5),
        (
            "decode-attention-backend enable-flashinfer-cutlass-moe "
            "enable-flashinfer-trtllm-moe prefill-attention-backend"
        ),
    ),
    (Version(0, 4, 9, 6), "max-queued-requests"),
    (Version(0, 4, 10), "ep"),
    (Version(0, 4, 10, 1), "enable-cudagraph-gc hicache-mem-layout"),
    (Version(0, 4, 10, 2), "enable-symm-mem max-loaded-loras moe-a2a-backend"),
    (
        Version(0, 5, 1),
        (
            "disable-flashinfer-cutlass-moe-fp4-allgather enable-flashinfer-mxfp4-moe "
            "flashinfer-mxfp4-moe-precision gc-warning-threshold-secs "
            "hicache-storage-prefetch-policy moe-runner-backend offload-group-size offload-mode "
            "offload-num-in-group offload-prefetch-step scheduler-recv-interval "
            "tbo-token-distribution-threshold tool-server weight-version"
        ),
    ),
    (Version(0, 5, 1, 3), "hicache-storage-backend-extra-config"),
    (
        Version(0, 5, 2),
        (
            "enable-lmcache eplb-min-rebalancing-utilization-threshold "
            "generation-tokens-buckets mamba-ssm-dtype max-mamba-cache-size numa-node "
            "prefill-round-robin-balance prompt-tokens-buckets speculative-attention-mode "
            "speculative-draft-model speculative-draft-model-revision tokenizer-worker-num"
        ),
    ),
    (
        Version(0, 5, 3),
        (
            "config disaggregation-decode-enable-offload-kvcache "
            "disaggregation-decode-polling-interval dynamic-batch-tokenizer-batch-size "
            "dynamic-batch-tokenizer-batch-timeout enable-deterministic-inference "
            "enable-dynamic-batch-tokenizer enable-fp32-lm-head enable-priority-scheduling "
            "enable-single-batch-overlap enable-torch-symm-mem enable-trace "
            "enable-weights-cpu-backup keep-mm-feature-on-device load-watch-interval "
            "max-lora-chunk-size nsa-decode nsa-prefill oltp-traces-endpoint "
            "priority-scheduling-preemption-threshold radix-eviction-policy "
            "remote-instance-weight-loader-seed-instance-ip "
            "remote-instance-weight-loader-seed-instance-service-port "
            "remote-instance-weight-loader-send-weights-group-ports "
            "schedule-low-priority-values-first speculative-ngram-branch-length "
            "speculative-ngram-capacity speculative-ngram-match-type "
            "speculative-ngram-max-bfs-breadth speculative-ngram-max-match-window-size "
            "speculative-ngram-min-bfs-breadth speculative-ngram-min-match-window-size "
            "tokenizer-metrics-allowed-custom-labels tokenizer-metrics-custom-labels-header "
            "triton-attention-split-tile-size"
        ),
    ),
    (
        Version(0, 5, 3, 1),
        ("modelopt-quant multi-item-scoring-delimiter pp-max-micro-batch-size sampling-defaults"),
    ),
    (
        Version(0, 5, 3, 2),
        (
            "constrained-json-disable-any-whitespace crash-on-nan elastic-ep-backend "
            "enable-beta-spec enable-piecewise-cuda-graph grpc-mode lora-eviction-policy "
            "mamba-full-memory-ratio modelopt-checkpoint-restore-path "
            "modelopt-checkpoint-save-path mooncake-ib-device pdmux-config-path "
            "piecewise-cuda-graph-max-tokens piecewise-cuda-graph-tokens "
            "speculative-draft-load-format"
        ),
    ),
    (
        Version(0, 5, 4),
        (
            "abort-on-priority-when-disabled checkpoint-engine-wait-weights-before-ready "
            "disable-tokenizer-batch-decode kt-amx-method kt-amx-weight-path kt-cpuinfer "
            "kt-num-gpu-experts kt-threadpool-count modelopt-export-path nsa-decode-backend "
            "nsa-prefill-backend piecewise-cuda-graph-compiler quantize-and-serve"
        ),
    ),
    (Version(0, 5, 4, 1), "rl-on-policy-target"),
    (
        Version(0, 5, 4, 2),
        (
            "debug-tensor-dump-layers mm-max-concurrent-calls mm-per-request-timeout "
            "otlp-traces-endpoint"
        ),
    ),
    (
        Version(0, 5, 4, 3),
        ("decrypted-config-file decrypted-draft-config-file speculative-moe-runner-backend"),
    ),
    (Version(0, 5, 5), "kt-max-deferred-experts-per-token"),
    (Version(0, 5, 5, 1), "kt-method kt-weight-path"),
    (
        Version(0, 5, 5, 3),
        (
            "enable-attn-tp-input-scattered enable-broadcast-mm-inputs-process "
            "enable-draft-weights-cpu-backup enable-layerwise-nvtx-marker "
            "export-metrics-to-file export-metrics-to-file-dir"
        ),
    ),
    (
        Version(0, 5, 6),
        (
            "dllm-algorithm dllm-block-size enable-flashinfer-autotune "
            "enable-nsa-prefill-context-parallel enable-torch-compile-debug-mode "
            "fastapi-root-path forward-hooks mm-enable-dp-encoder mm-process-config"
        ),
    ),
    (
        Version(0, 5, 6, 1),
        ("dllm-algorithm-config enable-fused-qk-norm-rope speculative-moe-a2a-backend"),
    ),
    (Version(0, 5, 6, 2), "fp8-gemm-backend rl-quant-profile"),
    (
        Version(0, 5, 7),
        (
            "custom-sigquit-handler disable-flashinfer-autotune "
            "disaggregation-decode-enable-fake-auto enable-dynamic-chunking "
            "enable-multi-layer-eagle enable-precise-embedding-interpolation "
            "enable-prefix-mm-cache enable-return-routed-experts encoder-only "
            "encoder-transfer-backend encoder-urls language-only limit-mm-data-per-request "
            "log-requests-format mamba-scheduler-strategy mamba-track-interval "
            "pp-async-batch-depth prefill-max-requests remote-instance-weight-loader-backend "
            "remote-instance-weight-loader-start-seed-via-transfer-engine soft-watchdog-timeout "
            "speculative-draft-attention-backend speculative-draft-model-quantization"
        ),
    ),
    (
        Version(0, 5, 8),
        (
            "admin-api-key disable-hicache-numa-detect enable-lora-overlap-loading "
            "enable-prefill-delayer fp4-gemm-backend hf-chat-template-name "
            "hierarchical-sparse-attention-extra-config log-requests-target model-checksum "
            "nsa-prefill-cp-mode prefill-delayer-forward-passes-buckets "
            "prefill-delayer-max-delay-passes prefill-delayer-token-usage-low-watermark "
            "prefill-delayer-wait-seconds-buckets uvicorn-access-log-exclude-prefixes"
        ),
    ),
    (
        Version(0, 5, 9),
        (
            "attention-context-parallel-size attn-cp-size extra-metric-labels mamba-backend "
            "moe-data-parallel-size moe-dp-size"
        ),
    ),
    (
        Version(0, 5, 10),
        (
            "default-priority-value disable-piecewise-cuda-graph disable-priority-preemption "
            "enable-adaptive-dispatch-to-encoder enable-aiter-allreduce-fusion "
            "enable-elastic-expert-backup enable-fused-moe-sum-all-reduce enable-hisparse "
            "enable-mfu-metrics enable-mm-global-cache enable-prefill-context-parallel "
            "enable-ssl-refresh enable-streaming-session "
            "enforce-disable-flashinfer-allreduce-fusion enforce-piecewise-cuda-graph "
            "engine-info-bootstrap-port experts-shared-outer-loras gc-threshold hisparse-config "
            "incremental-streaming-output linear-attn-backend linear-attn-decode-backend "
            "linear-attn-prefill-backend modelexpress-config pre-warm-nccl prefill-cp-mode "
            "speculative-ngram-max-trie-depth ssl-ca-certs ssl-certfile ssl-keyfile "
            "ssl-keyfile-password stream-response-default-include-usage use-ray"
        ),
    ),
    (
        Version(0, 5, 11),
        (
            "batch-notify-size debug-cuda-graph disaggregation-decode-enable-radix-cache "
            "elastic-ep-rejoin enable-breakable-cuda-graph "
            "enable-dp-attention-local-control-broadcast enable-http2 enable-mis "
            "enable-quant-communications enforce-shared-experts-fusion grpc-http-sidecar-port "
            "lora-strict-loading lora-use-virtual-experts msprobe-dump-config "
            "record-nolora-graph speculative-adaptive speculative-adaptive-config "
            "speculative-dflash-block-size speculative-dflash-draft-window-size "
            "speculative-ngram-external-corpus-max-tokens "
            "speculative-ngram-external-corpus-path speculative-ngram-external-sam-budget "
            "speculative-skip-dp-mlp-sync strip-thinking-cache tokenizer-backend "
            "weight-loader-prefetch-checkpoints weight-loader-prefetch-num-threads"
        ),
    ),
    (
        Version(0, 5, 12),
        (
            "detokenizer-worker-num enable-deepep-waterfill enable-forward-pass-metrics "
            "enable-return-indexer-topk enable-strict-thinking forward-pass-metrics-ipc-name "
            "forward-pass-metrics-worker-id lora-drain-wait-threshold model-config-parser "
            "prefill-delayer-max-delay-ms prefill-delayer-queue-min-ratio "
            "prefill-only-disable-kv-cache speculative-draft-window-size "
            "weight-loader-drop-cache-after-load"
        ),
    ),
    (
        Version(0, 5, 13),
        (
            "asr-max-buffer-seconds asr-max-concurrent-sessions deepep-dispatcher-output-dtype "
            "disable-attn-tp-gather dsa-decode-backend dsa-prefill-backend dsa-prefill-cp-mode "
            "dsa-topk-backend enable-deepseek-v4-fp4-indexer "
            "enable-dsa-prefill-context-parallel encoder-bootstrap-port encoder-register-urls "
            "kv-canary kv-canary-real-data kv-canary-sweep-interval lmcache-config-file "
            "load-snapshot-publish-interval optimistic-prefill-retries radix-cache-backend "
            "trace-modules"
        ),
    ),
    (
        Version(0, 5, 14),
        (
            "cp-strategy cuda-graph-backend-decode cuda-graph-backend-prefill "
            "cuda-graph-bs-decode cuda-graph-bs-prefill cuda-graph-config "
            "cuda-graph-max-bs-decode cuda-graph-max-bs-prefill cuda-graph-tc-compiler "
            "disable-decode-cuda-graph disable-prefill-cuda-graph "
            "disaggregation-decode-extra-slots enable-int8-mamba-checkpoint enable-prefill-cp "
            "flashinfer-allreduce-fusion-backend int8-mamba-ckpt-size "
            "mamba-radix-cache-strategy speculative-use-rejection-sampling"
        ),
    ),
    (
        Version(0, 5, 15),
        (
            "bf16-gemm-backend dcp-size decode-context-parallel-size "
            "decoupled-spec-bind-endpoint decoupled-spec-connect-endpoints decoupled-spec-rank "
            "decoupled-spec-role dsa-paged-mqa-logits-backend enable-linear-replayssm "
            "enable-mamba-cache-stochastic-rounding enable-page-major-kv-layout "
            "enable-session-radix-cache enable-tf32-matmul enable-unified-memory "
            "linear-replayssm-cache-len mamba-cache-philox-rounds min-free-slots-delay "
            "spec-trace-dir"
        ),
    ),
    (
        Version(0, 5, 16),
        (
            "default-chat-template-kwargs dllm-fdfo elastic-ep-initial-size "
            "elastic-ep-join-mode elastic-ep-join-rank-offset elastic-ep-scale-timeout "
            "enable-dsa-cache-layer-split enable-flexkv enable-gdn-replayssm-spec "
            "enable-scattered-sconv enable-waterfill flexkv-config-file fuseep-mode grpc-port "
            "max-ep-size mm-feature-transport optimistic-prefill-attempts retraction-policy "
            "sidecar sidecar-args smg-grpc-mode smg-http-sidecar-port "
            "speculative-dspark-align-verify-tokens-to-graph-tier speculative-dspark-block-size "
            "speculative-dspark-confidence-sts-path speculative-dspark-sps-table-path"
        ),
    ),
    (
        Version(0, 5, 17),
        (
            "dcp-comm-backend dcp-replicate-q-proj dwdp-size enable-cp-decode-attn-tp "
            "enable-linear-replayssm-spec flashinfer-autotune-skip-ops "
            "linear-attn-verify-backend mamba-max-states-per-path mm-io-worker-num "
            "mm-processor-worker-num return-hidden-states-mode weight-cache-mode "
            "weight-cache-socket weight-cache-timeout"
        ),
    ),
    (
        Version(0, 5, 18),
        (
            "allowed-media-domains c128-page-size disaggregation-decode-retraction-backup "
            "enable-tp-lm-head-all-to-all expert-balancedness-report-mode "
            "http2-max-concurrent-streams image-processor-backend language-model-only "
            "media-url-max-file-size-mb mlx-enable-sampling mm-global-cache-backend "
            "mm-preprocess-cache-size-mb speculative-draft-kv-cache-dtype "
            "startup-weight-load-mode trust-mm-content-hashes"
        ),
    ),
    (
        Version(0, 5, 19),
        (
            "deepep-v2-mode dsv4-prefill-backend enable-dense-mlp-attn-tp enable-layernorm-sp "
            "enable-lean-attention enable-shared-experts-attn-tp enable-w4a4-mxfp4-megamoe "
            "gated-launch-port hicache-host-memory-mode "
            "hicache-storage-prefetch-retry-max-attempts "
            "hicache-storage-prefetch-retry-poll-interval http2-initial-connection-window-size "
            "load-publish-endpoint prefill-decode-interval speculative-dsa-topk-backend"
        ),
    ),
    (
        Version(0, 5, 20),
        (
            "dsv4-attn-backend enable-response-store enable-unified-cache-external-linker "
            "flashinfer-a2a-dispatch-type ple-offload-backend ple-offload-dir "
            "ple-offload-embedding radix-eviction-policy-config return-input-ids "
            "return-output-ids sampling-mask-max-tokens speculative-domino-candidate-pool-size "
            "unified-cache-external-linker-backend uno-lora-path"
        ),
    ),
    (
        Version(0, 5, 21),
        (
            "boundary-reduction constrained-json-max-whitespace-cnt context-bucket "
            "cuda-graph-max-seq-len-prefill cuda-graph-prefill-max-context "
            "disable-aiter-allreduce-fusion-in-decode disable-aiter-allreduce-fusion-in-prefill "
            "disaggregation-decode-host-receive-threshold disaggregation-enable-kv-checksum "
            "enable-decoder-swa-bounded-replay enable-encoder-swa-bounded-replay "
            "enable-linker-mla-dedup enable-pd-role-switch grpc-response-timeout-secs "
            "hicache-host-memory-fraction otlp-service-name prefill-kv-cache-dequant-dtype "
            "shared-experts-tp-size speculative-draft-sink-size swa-prefix-tails "
            "trust-request-chat-template"
        ),
    ),
    (
        Version(0, 5, 22),
        (
            "attention-data-parallel-size attn-dp-size disaggregation-decode-allocation-policy "
            "dsa-triton-union enable-dsa-fused-indexer enable-kv-cache-sharding "
            "enable-watermark qsa-indexer-dtype speculative-enable-w4a4-mxfp4-megamoe "
            "speculative-use-block-verification watermark-config"
        ),
    ),
    (
        Version(0, 5, 23),
        (
            "enable-amd-monokernel enable-hicache enable-http-worker-reuseport "
            "enable-megamoe-for-layernorm-sp enable-nvidia-megakernel enable-paged-experts "
            "enable-return-aux-hidden-states monokernel-backend paged-experts-num-resident "
            "prefill-decode-interval-min-bs return-aux-hidden-state-layer-ids "
            "unified-cache-external-linker-config"
        ),
    ),
)

_WENT: Final = (
    (Version(0, 4, 7), "n-share-experts-fusion"),
    (Version(0, 4, 9, 3), "impl"),
    (Version(0, 4, 9, 4), "disable-overlap-cg-plan"),
    (Version(0, 4, 9, 5), "enable-flashinfer-moe"),
    (Version(0, 5, 2), "pdlb-url"),
    (
        Version(0, 5, 3),
        (
            "enable-deepep-moe enable-ep-moe enable-flashinfer-cutlass-moe "
            "enable-flashinfer-mxfp4-moe enable-flashinfer-trtllm-moe enable-triton-kernel-moe"
        ),
    ),
    (Version(0, 5, 3, 1), "max-micro-batch-size"),
    (Version(0, 5, 3, 2), "debug-tensor-dump-prefill-only"),
    (Version(0, 5, 4), "crash-on-nan nsa-decode nsa-prefill"),
    (Version(0, 5, 4, 1), "enable-beta-spec"),
    (Version(0, 5, 4, 2), "oltp-traces-endpoint"),
    (Version(0, 5, 5, 1), "kt-amx-method kt-amx-weight-path"),
    (Version(0, 5, 6, 1), "dllm-block-size"),
    (Version(0, 5, 7), "enable-flashinfer-autotune load-watch-interval"),
    (Version(0, 5, 9), "disaggregation-decode-enable-fake-auto"),
    (
        Version(0, 5, 10),
        (
            "disable-hicache-numa-detect disaggregation-decode-dp disaggregation-decode-tp "
            "disaggregation-prefill-pp mm-max-concurrent-calls mm-per-request-timeout "
            "speculative-ngram-branch-length speculative-ngram-max-match-window-size "
            "speculative-ngram-min-match-window-size"
        ),
    ),
    (
        Version(0, 5, 11),
        (
            "ds-channel-config-path ds-heavy-channel-num ds-heavy-channel-type "
            "ds-heavy-token-num ds-sparse-decode-threshold enable-double-sparsity "
            "multi-item-scoring-delimiter"
        ),
    ),
    (Version(0, 5, 13), "enable-nan-detection record-nolora-graph"),
    (
        Version(0, 5, 14),
        (
            "custom-sigquit-handler debug-tensor-dump-inject enable-piecewise-cuda-graph "
            "hybrid-kvcache-ratio"
        ),
    ),
    (Version(0, 5, 16), "enable-deepep-waterfill optimistic-prefill-retries"),
    (Version(0, 5, 18), "enable-expert-distribution-metrics torchao-config"),
    (
        Version(0, 5, 20),
        (
            "collect-tokens-histogram cuda-graph-bs cuda-graph-max-bs "
            "disable-piecewise-cuda-graph dsa-prefill-cp-mode enable-breakable-cuda-graph "
            "enable-dsa-prefill-context-parallel enable-gdn-replayssm-spec "
            "enable-nsa-prefill-context-parallel enable-prefill-context-parallel "
            "enforce-piecewise-cuda-graph mamba-scheduler-strategy nsa-decode-backend "
            "nsa-prefill-backend nsa-prefill-cp-mode piecewise-cuda-graph-compiler "
            "piecewise-cuda-graph-max-tokens piecewise-cuda-graph-tokens prefill-cp-mode "
            "prefill-round-robin-balance speculative-dflash-draft-window-size stream-output"
        ),
    ),
    (Version(0, 5, 21), "elastic-ep-rejoin keep-mm-feature-on-device"),
    (Version(0, 5, 22), "cuda-graph-tc-compiler"),
    (Version(0, 5, 23), "speculative-skip-dp-mlp-sync"),
)

REPLACED_BY: Final = {
    "--enable-ep-moe": "--ep-size",
    "--enable-deepep-moe": "--moe-a2a-backend deepep",
    "--enable-flashinfer-moe": "--moe-runner-backend flashinfer_cutlass",
    "--enable-flashinfer-cutlass-moe": "--moe-runner-backend flashinfer_cutlass",
    "--enable-flashinfer-trtllm-moe": "--moe-runner-backend flashinfer_trtllm",
    "--enable-flashinfer-mxfp4-moe": "--moe-runner-backend flashinfer_mxfp4",
    "--enable-triton-kernel-moe": "--moe-runner-backend triton_kernel",
    "--impl": "--model-impl",
    "--oltp-traces-endpoint": "--otlp-traces-endpoint",
    "--hybrid-kvcache-ratio": "--swa-full-tokens-ratio",
    "--enable-piecewise-cuda-graph": "--cuda-graph-backend-prefill",
    "--enforce-piecewise-cuda-graph": "--cuda-graph-backend-prefill tc_piecewise",
    "--disable-piecewise-cuda-graph": "--cuda-graph-backend-prefill disabled",
    "--enable-breakable-cuda-graph": "--cuda-graph-backend-prefill breakable",
    "--piecewise-cuda-graph-tokens": "--cuda-graph-bs-prefill",
    "--piecewise-cuda-graph-max-tokens": "--cuda-graph-max-bs-prefill",
    "--cuda-graph-bs": "--cuda-graph-bs-decode",
    "--cuda-graph-max-bs": "--cuda-graph-max-bs-decode",
    "--enable-expert-distribution-metrics": "--expert-balancedness-report-mode",
    "--enable-prefill-context-parallel": "--enable-prefill-cp",
    "--enable-nsa-prefill-context-parallel": "--enable-prefill-cp",
    "--enable-dsa-prefill-context-parallel": "--enable-prefill-cp",
    "--prefill-cp-mode": "--cp-strategy",
    "--nsa-prefill-cp-mode": "--cp-strategy",
    "--dsa-prefill-cp-mode": "--cp-strategy",
    "--nsa-prefill-backend": "--dsa-prefill-backend",
    "--nsa-decode-backend": "--dsa-decode-backend",
    "--mamba-scheduler-strategy": "--mamba-radix-cache-strategy",
    "--stream-output": "--incremental-streaming-output",
    "--elastic-ep-rejoin": "--elastic-ep-join-mode recover",
    "--keep-mm-feature-on-device": "--mm-feature-transport cuda_ipc",
}
"""What a flag that is gone became, as the last parser that took it says, where it says so."""


@lru_cache(maxsize=1)
def flag_ranges() -> dict[str, FlagRange]:
    """Return every known flag with the releases that take it.

    >>> str(flag_ranges()["--cuda-graph-bs"].until), flag_ranges()["--tp-size"].until
    ('0.5.20', None)
    """
    return ranges_of(OLDEST, _AT_OLDEST, _CAME, _WENT)


def takes(flag: str, version: Version) -> bool:
    """Whether a version's parser takes a flag, by its long name, without a value.

    >>> [takes("--enable-ep-moe", Version(0, 5, patch)) for patch in (2, 3)]
    [True, False]
    """
    return is_taken(flag_ranges().get(flag), version, OLDEST)
