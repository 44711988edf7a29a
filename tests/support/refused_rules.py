"""Resources whose fields are well-formed and make no sense: rules of ours refuse them."""

from __future__ import annotations

from support.resources import ADAPTER, Bad

BAD_ADAPTERS = (
    Bad("lora says something", "lora: {}", "spec.lora.adapters", "lora needs adapters"),
    Bad(
        "an adapter is on a hub or a claim",
        "lora: {adapters: [{name: a, source: 's3://t/a'}]}",
        "spec.lora.adapters[0].source",
        "must be hf://<organisation>/<adapter>",
    ),
    Bad(
        "an adapter's path leads nowhere else",
        "lora: {adapters: [{name: a, source: 'pvc://tuned/../a'}]}",
        "spec.lora.adapters[0].source",
        "pvc://<claim>/<path>",
    ),
    Bad(
        "a name fits a command line",
        "lora: {adapters: [{name: 'a=b', source: 'hf://t/a'}]}",
        "spec.lora.adapters[0].name",
        "must be letters, digits",
    ),
    Bad(
        "a claim has no revision",
        "lora: {adapters: [{name: a, source: 'pvc://c/a', revision: v1}]}",
        "spec.lora.adapters[0].source",
        "revision and tokenSecretRef are for hubs",
    ),
    Bad(
        "slots hold every adapter",
        f"lora: {{adapters: [{{{ADAPTER}, rank: 64}}], maxLoraRank: 32}}",
        "spec.lora.maxLoraRank",
        "maxLoraRank must be at least the rank of every adapter",
    ),
    Bad(
        "what is loaded later needs room",
        f"lora: {{adapters: [{{{ADAPTER}}}], maxLoras: 2, runtimeLoading: true}}\n"
        "apiKeySecretRef: {name: k}",
        "spec.lora.runtimeLoading",
        "runtimeLoading needs maxLoras and maxLoraRank",
    ),
    Bad(
        "whoever loads adapters shows a key",
        "lora: {maxLoras: 2, maxLoraRank: 8, runtimeLoading: true}",
        "spec.apiKeySecretRef",
        "runtimeLoading needs apiKeySecretRef",
    ),
    Bad(
        "a running pod mounts no other claim",
        "lora: {adapters: [{name: a, source: 'pvc://c/a'}], maxLoras: 2, maxLoraRank: 8,"
        " runtimeLoading: true}\napiKeySecretRef: {name: k}",
        "spec.lora.runtimeLoading",
        "runtimeLoading takes adapters from hubs",
    ),
    Bad(
        "one API server is told of adapters",
        "lora: {maxLoras: 2, maxLoraRank: 8, runtimeLoading: true}\n"
        "apiKeySecretRef: {name: k}\nparallelism: {data: 2}",
        "spec.parallelism.data",
        "runtimeLoading goes with one API server",
    ),
    Bad(
        "an adapter has a name of its own",
        "lora: {adapters: [{name: Qwen3-32B, source: 'hf://t/a'}]}",
        "spec.lora.adapters",
        "an adapter has the model's own name",
    ),
    Bad(
        "adapters are planned or passed on, not both",
        f"lora: {{adapters: [{{{ADAPTER}}}]}}\nengine: {{extraArgs: ['--max_loras=3']}}",
        "spec.engine.extraArgs",
        "extraArgs must not set --enable-lora",
    ),
)
"""What spec.lora must not hold."""

BAD_RULES = (
    *BAD_ADAPTERS,
    Bad(
        "a source has a known scheme",
        "model: {variant: Qwen3-32B, source: 's3://bucket/model'}",
        "spec.model.source",
        "must be hf://<organisation>/<model>, modelscope://<organisation>/<model>,"
        " pvc://<claim>/<path> or oci://<image>[#<folder>]",
    ),
    *(
        Bad(
            f"a path leads nowhere else: {source}",
            f"model: {{variant: Qwen3-32B, source: '{source}'}}",
            "spec.model.source",
            "pvc://<claim>/<path> or oci://<image>[#<folder>]",
        )
        for source in ("pvc://models/..", "pvc://models/a/./b", "oci://ghcr.io/a/q:1#../x")
    ),
    Bad(
        "an image's name is in small letters",
        "model: {variant: Qwen3-32B, source: 'oci://Registry.local/Qwen3-32B'}",
        "spec.model.source",
        "oci://<image>[#<folder>]",
    ),
    Bad(
        "a Hugging Face source is an organisation and a model",
        "model: {variant: Qwen3-32B, source: 'hf://Qwen3-32B'}",
        "spec.model.source",
        "must be hf://<organisation>/<model>",
    ),
    Bad(
        "a claim has no revision",
        "model: {variant: Qwen3-32B, source: 'pvc://models/qwen', revision: main}",
        "spec.model.revision",
        "revision belongs to a source on a hub",
    ),
    Bad(
        "an image has a tag instead of a revision",
        "model: {variant: Qwen3-32B, source: 'oci://registry.local/q:1', revision: main}",
        "spec.model.revision",
        "an oci:// source has its tag or digest",
    ),
    Bad(
        "an image is pulled without a hub's token",
        "model: {variant: Qwen3-32B, source: 'oci://registry.local/q', tokenSecretRef: {name: t}}",
        "spec.model.tokenSecretRef",
        "is pulled with imagePullSecrets",
    ),
    Bad(
        "a claim needs no token",
        "model: {variant: Qwen3-32B, source: 'pvc://models/qwen', tokenSecretRef: {name: hf}}",
        "spec.model.tokenSecretRef",
        "tokenSecretRef is for hubs",
    ),
    Bad(
        "an image without its version leaves the memory rules open",
        "engine: {image: registry.example.com/vllm}",
        "spec.engine.version",
        "image needs version",
    ),
    Bad(
        "latest is no version",
        "engine: {version: latest}",
        "spec.engine.version",
        "must be A.B, A.B.C or A.B.C.postN",
    ),
    *(
        Bad(
            f"utilization {text} is not above 0 and at most 1",
            f"engine: {{gpuMemoryUtilization: '{text}'}}",
            "spec.engine.gpuMemoryUtilization",
            'must be above 0 and at most 1, as a string such as "0.9"',
        )
        for text in ("0", "0.00", "1.01", "2", "90%", ".", "-0.5")
    ),
    Bad(
        "only vllm is started through Ray",
        "engine: {name: sglang, multiNode: ray}",
        "spec.engine.multiNode",
        "multiNode: ray is vLLM's",
    ),
    Bad(
        "a step must hold one token of each request",
        "engine: {maxNumSeqs: 256, maxNumBatchedTokens: 128}",
        "spec.engine.maxNumBatchedTokens",
        "maxNumBatchedTokens must be at least maxNumSeqs",
    ),
    *(
        Bad(
            f"extra argument {argument} does not overrule the plan",
            f"engine: {{extraArgs: [{argument}]}}",
            "spec.engine.extraArgs",
            f"extraArgs must not set {flags}: use {field}",
        )
        for argument, flags, field in (
            (
                "--tensor-parallel-size=4",
                "--tensor-parallel-size or -tp",
                "spec.parallelism.tensor",
            ),
            (
                "--tensor_parallel_size=4",
                "--tensor-parallel-size or -tp",
                "spec.parallelism.tensor",
            ),
            ("--tensor-par", "--tensor-parallel-size or -tp", "spec.parallelism.tensor"),
            ("-tp=4", "--tensor-parallel-size or -tp", "spec.parallelism.tensor"),
            ("--max-model-len", "--max-model-len", "spec.maxModelLen"),
            ("--port=80", "--host or --port", "spec.service"),
        )
    ),
    Bad(
        "SGLang's own spelling of the context does not overrule the plan",
        "engine: {name: sglang, extraArgs: [--context-length=9]}",
        "spec.engine.extraArgs",
        "extraArgs must not set --context-length: use spec.maxModelLen",
    ),
    Bad(
        "llama.cpp's short options do not overrule the plan",
        "engine: {name: llamacpp, extraArgs: [-c, '9']}",
        "spec.engine.extraArgs",
        "extraArgs must not set --ctx-size or -c: use spec.maxModelLen",
    ),
    Bad(
        "a variable has one value",
        "engine: {env: [{name: A, value: b, valueFrom: {secretKeyRef: {name: a, key: b}}}]}",
        "spec.engine.env[0].valueFrom",
        "value and valueFrom exclude each other: give one",
    ),
    Bad(
        "a variable's source is one object",
        "engine: {env: [{name: A, valueFrom: {}}]}",
        "spec.engine.env[0].valueFrom",
        "valueFrom takes exactly one of secretKeyRef and configMapKeyRef",
    ),
    Bad(
        "a variable's name begins with no digit",
        "engine: {env: [{name: 1A}]}",
        "spec.engine.env[0].name",
        "must be the name of a variable",
    ),
    Bad(
        "an expert group is all of tensor x data or off",
        "model: {variant: Qwen3-30B-A3B}\nparallelism: {tensor: 4, data: 2, expert: 4}",
        "spec.parallelism.expert",
        "expert must be 1 (off) or tensor x data",
    ),
    Bad(
        "formats to fall back to need leave to lower the format",
        "fallback: {order: [pool], quantizations: [fp8]}",
        "spec.fallback.quantizations",
        "quantizations needs quantization in order",
    ),
    Bad(
        "a fallback names its formats",
        "fallback: {order: [quantization], quantizations: [auto]}",
        "spec.fallback.quantizations",
        "quantizations takes formats by name, not auto",
    ),
    Bad(
        "a shortest context needs leave to shorten it",
        "fallback: {order: [quantization], minModelLen: 4096}",
        "spec.fallback.minModelLen",
        "minModelLen needs context in order",
    ),
    Bad(
        "the shortest context is no longer than the one asked for",
        "maxModelLen: 4096\nfallback: {order: [context], minModelLen: 8192}",
        "spec.fallback.minModelLen",
        "minModelLen is longer than maxModelLen",
    ),
    Bad(
        "a queue is named as a label's value",
        "queueName: Team-A",
        "spec.queueName",
        "must be the name of an object",
    ),
    Bad(
        "layout and replicas stay within maxGpus",
        "maxGpus: 7\nreplicas: 2\nparallelism: {tensor: 2, pipeline: 2}",
        "spec.maxGpus",
        "takes more GPUs than maxGpus allows",
    ),
    Bad(
        "a request fits the context",
        "maxModelLen: 4096\nworkload: {inputTokens: 4000, outputTokens: 97}",
        "spec.maxModelLen",
        "a request of inputTokens + outputTokens is longer than maxModelLen",
    ),
    Bad(
        "a cache is of one kind",
        "cache: {emptyDir: {}, hostPath: {path: /var/lib/models}}",
        "spec.cache",
        "cache takes exactly one of persistentVolumeClaim, hostPath, emptyDir and image",
    ),
    Bad(
        "a cache is of some kind",
        "cache: {}",
        "spec.cache",
        "cache takes exactly one of persistentVolumeClaim, hostPath, emptyDir and image",
    ),
    Bad(
        "a claim that exists has its own size",
        "cache: {persistentVolumeClaim: {claimName: models, size: 100Gi}}",
        "spec.cache.persistentVolumeClaim.claimName",
        "claimName is a claim that exists",
    ),
    Bad(
        "weights on a claim are not cached once more",
        "model: {variant: Qwen3-32B, source: 'pvc://models/q'}\ncache: {emptyDir: {}}",
        "spec.cache",
        "cache is for weights from a hub",
    ),
    *(
        Bad(
            f"{path!r} is no folder of a node",
            f"cache: {{hostPath: {{path: '{path}'}}}}",
            "spec.cache.hostPath.path",
            "must be an absolute path without '..'",
        )
        for path in ("/var/../etc", "var/lib", "/var/lib/")
    ),
    Bad(
        "a folder of an image leads nowhere else",
        "cache: {image: {reference: 'registry.local/q:1', folder: models/../..}}",
        "spec.cache.image.folder",
        "must be a path such as models/32b",
    ),
    Bad(
        "an amount has a known unit",
        "resources: {requests: {memory: 64GB}}",
        "spec.resources.requests.memory",
        'must be an amount such as 8, "500m" or "64Gi"',
    ),
    Bad(
        "a toleration of everything says so",
        "tolerations: [{effect: NoSchedule}]",
        "spec.tolerations[0].operator",
        "a toleration without a key needs operator Exists",
    ),
    Bad(
        "Exists compares no value",
        "tolerations: [{key: a, operator: Exists, value: b}]",
        "spec.tolerations[0].value",
        "a toleration with operator Exists takes no value",
    ),
    Bad(
        "only NoExecute waits",
        "tolerations: [{key: a, operator: Exists, effect: NoSchedule, tolerationSeconds: 5}]",
        "spec.tolerations[0].tolerationSeconds",
        "tolerationSeconds needs effect NoExecute",
    ),
    Bad(
        "a class is named as objects are",
        "priorityClassName: High",
        "spec.priorityClassName",
        "must be the name of an object",
    ),
    Bad(
        "a minimum is at most the maximum",
        "scaling: {minReplicas: 3, maxReplicas: 2}",
        "spec.scaling.minReplicas",
        "minReplicas must be at most maxReplicas",
    ),
    Bad(
        "so is the minimum of a schedule",
        "scaling: {maxReplicas: 2, schedules: [{start: '08:00', end: '18:00', minReplicas: 3}]}",
        "spec.scaling.schedules",
        "the minReplicas of a schedule must be at most maxReplicas",
    ),
    Bad(
        "who may go has to know when to come back",
        "scaling: {minReplicas: 0, maxReplicas: 2}",
        "spec.scaling.idle",
        "minReplicas 0 needs idle.wakeQuery",
    ),
    Bad(
        "who never goes needs no call back",
        "scaling: {maxReplicas: 2, idle: {wakeQuery: vector(0)}}",
        "spec.scaling.idle",
        "idle is for minReplicas 0 alone",
    ),
    *(
        Bad(
            f"{text!r} is no time of day",
            f"scaling: {{maxReplicas: 2, schedules: [{{start: '{text}', end: '18:00',"
            " minReplicas: 2}]}",
            "spec.scaling.schedules[0].start",
            'must be a time of day such as "08:30"',
        )
        for text in ("24:01", "12-30")
    ),
    Bad(
        "the name leaves room for the names of pods",
        "",
        "metadata.name",
        "metadata.name must have at most 52 characters",
        name="q" * 53,
    ),
    Bad(
        "the name is fit for a Service",
        "",
        "metadata.name",
        "metadata.name is also the name of a Service",
        name="qwen3-0.6b",
    ),
)
