"""Resources to apply, and what is told of those that must be refused.

One table for two judges: `parse` (unit tests) and the API server (cluster tests) must agree. Those
that are refused stand in `refused_shapes` and `refused_rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml


def resource(spec: str = "", *, name: str = "q", variant: str = "Qwen3-32B") -> dict[str, Any]:
    """Build a resource; `spec` is YAML of further fields, and may give `model` itself."""
    fields = yaml.safe_load(spec) or {}
    return {
        "apiVersion": "serving.qwen3.dev/v1alpha1",
        "kind": "Qwen3Deployment",
        "metadata": {"name": name},
        "spec": {"model": {"variant": variant}, **fields},
    }


@dataclass(frozen=True)
class Bad:
    """A resource that must be refused.

    Attributes:
        why: the law, as a test's name.
        spec: YAML of its specification beside the variant.
        path: the field that both judges must name.
        message: words that Python must say.
        api_server: words that the API server must say, where its schema refuses; empty: the same,
            because the rule is ours.
        name: of the resource.
    """

    why: str
    spec: str
    path: str
    message: str
    api_server: str = ""
    name: str = "q"

    def body(self) -> dict[str, Any]:
        """Return the resource."""
        return resource(self.spec, name=self.name)


ADAPTER = "name: a, source: 'hf://t/a'"
"""One that is right, inside braces."""

GOOD = (
    "lora: {maxLoras: 4, maxLoraRank: 64}",
    """lora: {adapters: [{name: a, source: 'hf://t/a'}], maxLoras: 4, maxLoraRank: 64,
        runtimeLoading: true}\napiKeySecretRef: {name: k}\nparallelism: {data: 1}""",
    f"lora: {{adapters: [{{{ADAPTER}, revision: v1, rank: 32}}], maxLoraRank: 32}}",
    """lora: {adapters: [{name: a, source: 'pvc://c'}, {name: B.2_c, source: 'modelscope://t/a'}],
        maxLoras: 1, fullySharded: true}""",
    "",
    "model: {variant: Qwen3-8B, source: 'hf://my-org/Qwen3-8B_tuned.v2', revision: 0a1b2c}",
    "model: {variant: Qwen3-8B, source: 'pvc://models', servedName: Qwen/Qwen3-8B}",
    "model: {variant: Qwen3-8B, source: 'pvc://models/..a/.b/b.c', tokenSecretRef: null}",
    "model: {variant: Qwen3-8B, source: 'modelscope://Qwen/Qwen3-8B', revision: master}",
    "model: {variant: Qwen3-8B, source: 'oci://registry.local:5000/team/qwen3-8b:v1#models/8b'}",
    f"model: {{variant: Qwen3-8B, source: 'oci://ghcr.io/a/q@sha256:{'0' * 64}'}}",
    "model: {variant: Qwen3-30B-A3B}\nparallelism: {tensor: 4, data: 2, expert: 8}",
    "model: {variant: Qwen3-30B-A3B}\nparallelism: {expert: 4}",
    "parallelism: {tensor: 4, pipeline: 2, expert: 1}\nmaxGpus: 16\nreplicas: 2",
    *(f"engine: {{gpuMemoryUtilization: '{u}'}}" for u in ("0.9", "1", "1.0", ".92", "0.05")),
    "engine: {image: 'registry.example.com/vllm:v0.32.0', version: 0.32.0.post1}",
    "engine: {extraArgs: ['--reasoning-parser=qwen3', -O3, '--', value, --max-loras, '2']}",
    """engine: {env: [{name: A}, {name: B, value: c},
        {name: D, valueFrom: {configMapKeyRef: {name: a, key: b, optional: true}}}]}""",
    "engine: {maxNumSeqs: 256, maxNumBatchedTokens: 256}",
    "engine: {name: llamacpp, version: b5401, extraArgs: [--max-model-len, --fl]}",
    (
        "engine: {name: sglang, extraArgs: [-c, --ctx-size=9]}\n"
        "model: {variant: Qwen3-30B-A3B}\nparallelism: {tensor: 8, expert: 4}"
    ),
    "cache: {persistentVolumeClaim: {}}",
    "cache: {persistentVolumeClaim: {claimName: models}}",
    """cache: {persistentVolumeClaim: {storageClassName: fast, accessModes: [ReadWriteMany],
        size: 100Gi, retain: true}}""",
    "cache: {hostPath: {path: /var/lib/models}}",
    "cache: {emptyDir: {sizeLimit: 100Gi}}",
    "cache: {image: {reference: 'registry.local/q:1', folder: models/32b}}",
    "maxModelLen: 4096\nworkload: {concurrency: 4, inputTokens: 4000, outputTokens: 96}",
    "resources: {requests: {cpu: 8, memory: 64Gi}, limits: {cpu: 500m, ephemeral-storage: '1.5T'}}",
    """tolerations: [{operator: Exists}, {key: a, value: b},
        {key: c, operator: Exists, effect: NoExecute, tolerationSeconds: 60}]""",
    "replicas: 0\nsuspend: true\nreplan: Never",
    "scaling: {maxReplicas: 2}",
    """scaling: {minReplicas: 0, maxReplicas: 8, windowSeconds: 60,
        targets: {waitingRequests: 2, kvCacheUsagePercent: 80, ttftMs: 500, tpotMs: 40,
            latencyPercentile: 99, outputTokensPerSecond: 2000},
        scaleUp: {stabilizationWindowSeconds: 0}, scaleDown: {stabilizationWindowSeconds: 600},
        schedules: [{name: office, days: [Mon, Tue], start: '08:00', end: '24:00',
            timeZone: Europe/Berlin, minReplicas: 2}],
        idle: {afterSeconds: 600, wakeQuery: vector(0)}}""",
    "service: {type: LoadBalancer, port: 80, annotations: {example.com/a: b}}",
    "fallback: {order: [pool]}\nqueueName: team-a",
    """fallback: {order: [quantization, context, pool], quantizations: [fp8, awq-int4],
        minModelLen: 4096, when: Infeasible}\nmaxModelLen: 4096""",
    "apiKeySecretRef: {name: keys}\nimagePullSecrets: [{name: a}, {name: b}]",
    "nodeSelector: {zone: a}\nruntimeClassName: nvidia\nschedulerName: volcano",
    """affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution:
        {nodeSelectorTerms: [{matchExpressions: [{key: a, operator: In, values: [b]}]}]}}}""",
)
"""Specifications that both judges must take."""
