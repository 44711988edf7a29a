"""Condition types and reasons of a ``Qwen3Deployment``: one documented vocabulary.

Reasons are what ``kubectl get q3d`` shows in its column Reason, what ``kubectl wait`` scripts and
alerts match on, and what Events carry. They are API: never rename one, never reuse one.
"""

from __future__ import annotations

from enum import StrEnum


class ConditionType(StrEnum):
    """The conditions in ``status.conditions``; all but the last two are True when things are well.

    Those two are there only while they are True, and not while a resource is paused: they tell
    Helm, Flux and Argo CD (kstatus) whether to wait on.
    """

    READY = "Ready"
    """Every wanted replica answers requests; so it holds as well where none is wanted and none is
    left (Suspended, ScaledToZero). Otherwise carries the reason of the worst below."""

    SPEC_VALID = "SpecValid"
    """The resource says something that can be planned; judged beyond what the schema can."""

    PLAN_FEASIBLE = "PlanFeasible"
    """A plan exists that the hardware of this cluster can hold, be it free now or not."""

    MODEL_CACHED = "ModelCached"
    """The weights reach the pods: they lie in the cache, are mounted, or each pod fetches them."""

    SCHEDULED = "Scheduled"
    """GPUs are free for every replica and its pods have a node."""

    AVAILABLE = "Available"
    """At least one replica answers requests."""

    PROGRESSING = "Progressing"
    """A rollout is under way or complete; False once it is stuck."""

    SCALING_ACTIVE = "ScalingActive"
    """The load decides how many replicas there are; absent without spec.scaling. No part of Ready:
    replicas that are held where they are answer as before."""

    INTEGRATED = "Integrated"
    """What was asked for around the replicas is in place: route, pool, monitor, policy. Only there
    where something was; Ready does not wait for it, since replicas answer all the same."""

    RECONCILING = "Reconciling"
    """Not Ready, and on its way: it starts, waits for GPUs, or is tried again. Reason and message
    are those of Ready. kstatus: InProgress."""

    STALLED = "Stalled"
    """Not Ready, and it will not be by itself: somebody has to change the specification, the
    cluster, or what is named. Reason and message are those of Ready. kstatus: Failed."""


class Reason(StrEnum):
    """Why a condition is as it is. The docstring of a reason says what to do about it."""

    # -- all is well, or on its way ---------------------------------------------------------
    READY = "Ready"
    """All wanted replicas answer requests."""

    SPEC_ACCEPTED = "SpecAccepted"
    """The specification can be planned."""

    PLAN_COMPUTED = "PlanComputed"
    """A plan was found; it is in status.plan."""

    PLAN_KEPT = "PlanKept"
    """The running plan still holds and stays, although another would be chosen today."""

    PLAN_LOWERED = "PlanLowered"
    """Less than asked for is planned, as spec.fallback allows; the message says what and why."""

    SCHEDULED = "Scheduled"
    """Every replica has its GPUs."""

    REPLICAS_AVAILABLE = "ReplicasAvailable"
    """At least one replica answers requests."""

    ROLLOUT_COMPLETE = "RolloutComplete"
    """All replicas run the current plan."""

    ROLLOUT_IN_PROGRESS = "RolloutInProgress"
    """Replicas are being started or replaced."""

    MODEL_LOADING = "ModelLoading"
    """Pods run and load the weights; the startup probe's budget follows from the bytes to load."""

    SUSPENDED = "Suspended"
    """spec.suspend is true: the plan is shown, nothing runs."""

    PAUSED = "Paused"
    """The annotation serving.qwen3.dev/paused is "true": nothing is changed until it is removed."""

    SCALED_TO_ZERO = "ScaledToZero"
    """spec.replicas is 0: the plan is shown, nothing runs."""

    PENDING = "Pending"
    """Not judged yet: an earlier condition has to hold first."""

    # -- the specification ------------------------------------------------------------------
    INVALID_SPEC = "InvalidSpec"
    """A field's value means nothing here; the message names field, value and choices."""

    # -- no plan: about the cluster ---------------------------------------------------------
    NO_GPU_LABELS = "NoGPULabels"
    """Nodes offer GPUs but no label says which; install GPU Feature Discovery."""

    NO_MATCHING_NODES = "NoMatchingNodes"
    """No node satisfies accelerators, nodeSelector, affinity and tolerations together."""

    MULTI_NODE_NOT_SUPPORTED = "MultiNodeNotSupported"
    """Only a replica over more nodes would fit than one may take."""

    NO_FEASIBLE_PLAN = "NoFeasiblePlan"
    """Every layout is refused; status.plan.refusals names rules and fixes."""

    # -- no plan: the planner's rule that binds, by its own name ----------------------------
    INSUFFICIENT_GPU_MEMORY = "InsufficientGPUMemory"
    """The weights do not fit; the message says how many GiB are missing per GPU and what would."""

    INSUFFICIENT_KV_CACHE = "InsufficientKVCache"
    """The weights fit, but not the KV cache of the load or of one longest request beside them."""

    TARGET_MISSED = "TargetMissed"
    """Nothing that fits is predicted to reach the targets of spec.workload; the message says what
    the nearest reaches."""

    INSUFFICIENT_HOST_MEMORY = "InsufficientHostMemory"
    """What stays in host memory does not fit the node's."""

    NOT_ENOUGH_GPUS = "NotEnoughGPUs"
    """The pool has too few GPUs, even when all of them are free."""

    NOT_ENOUGH_NODES = "NotEnoughNodes"
    """The GPUs are spread over the nodes so that too few replicas fit."""

    MAX_GPUS_EXCEEDED = "MaxGpusExceeded"
    """What would fit takes more GPUs than spec.maxGpus allows."""

    NO_MATCHING_ACCELERATOR = "NoMatchingAccelerator"
    """The cluster has none of spec.accelerators."""

    CHECKPOINT_UNKNOWN = "CheckpointUnknown"
    """No checkpoint of the variant in that quantization is known; name one in model.source."""

    CONTEXT_TOO_LONG = "ContextTooLong"
    """spec.maxModelLen is longer than the model can be stretched to."""

    REQUEST_EXCEEDS_CONTEXT = "RequestExceedsContext"
    """workload.inputTokens + outputTokens is longer than the context."""

    ENGINE_UNSUPPORTED_HERE = "EngineUnsupportedHere"
    """The engine does not run on that kind of accelerator."""

    MODEL_NEEDS_NEWER_ENGINE = "ModelNeedsNewerEngine"
    """The engine's version does not know the model; take a newer one."""

    DENSE_FP8_LOADING = "DenseFp8Loading"
    """The engine's version cannot load dense fp8 checkpoints; take a newer one."""

    QUANTIZATION_NEEDS_NEWER_ENGINE = "QuantizationNeedsNewerEngine"
    """The engine's version has no kernels for that quantization; take a newer one."""

    ACTIVATION_ORDER_UNSUPPORTED = "ActivationOrderUnsupported"
    """The engine's version takes no GPTQ checkpoint with desc_act; take another quantization."""

    DRAFT_MODEL_UNSUPPORTED = "DraftModelUnsupported"
    """The engine's version does not speculate with a draft model."""

    FULLY_SHARDED_LORA = "FullyShardedLora"
    """LoRA slots cannot be shared out in full over that layout."""

    LORA_NEEDS_NEWER_ENGINE = "LoraNeedsNewerEngine"
    """The engine's version serves no LoRA adapters with that model."""

    CPU_OFFLOAD_UNSUPPORTED = "CpuOffloadUnsupported"
    """The engine's version keeps no weights of that model in host memory."""

    GGUF_ONLY = "GgufOnly"
    """llama.cpp reads GGUF files only."""

    TOO_MANY_SLOTS = "TooManySlots"
    """More requests at a time than one llama.cpp server works on."""

    SETTING_UNSUPPORTED = "SettingUnsupported"
    """A setting is asked for that the engine does not have."""

    ONE_SLICE_PER_REPLICA = "OneSlicePerReplica"
    """A replica takes one MIG slice; take a larger one, or whole GPUs."""

    WHOLE_LAYERS_ONLY = "WholeLayersOnly"
    """llama.cpp is planned with whole layers on each GPU."""

    ONE_NODE_ONLY = "OneNodeOnly"
    """llama.cpp is planned on the GPUs of one node."""

    LAYOUT_NEEDS_NEWER_ENGINE = "LayoutNeedsNewerEngine"
    """The engine's version cannot spread that model so; take a newer one or another layout."""

    PIPELINE_UNSUPPORTED = "PipelineUnsupported"
    """The engine does not cut that model into pipeline stages."""

    NODES_DIVIDE_STAGES = "NodesDivideStages"
    """Neither the nodes of a replica nor its pipeline stages are a multiple of the other."""

    CHUNKED_PREFILL_PAGES = "ChunkedPrefillPages"
    """engine.maxNumBatchedTokens is no whole number of the KV cache's pages."""

    COMPUTE_CAPABILITY = "ComputeCapability"
    """The accelerator is too old for that quantization."""

    SHARED_MEMORY = "SharedMemory"
    """The kernels of the engine's version take more shared memory than the accelerator has."""

    BFLOAT16_UNSUPPORTED = "Bfloat16Unsupported"
    """The accelerator does not compute in bf16."""

    FP8_KV_CACHE_CAPABILITY = "Fp8KvCacheCapability"
    """The engine has no attention for an fp8 KV cache on that accelerator."""

    FP8_KV_CACHE_WEIGHTS = "Fp8KvCacheWeights"
    """That kind of fp8 KV cache does not go with the checkpoint; take fp8 or leave it."""

    KV_CACHE_DTYPE_UNSUPPORTED = "KvCacheDtypeUnsupported"
    """The engine keeps no KV cache in that type."""

    SCHEDULER_TOKEN_BUDGET = "SchedulerTokenBudget"  # noqa: S105 - no password
    """engine.maxNumBatchedTokens is below maxNumSeqs."""

    ATTENTION_HEAD_DIVISIBILITY = "AttentionHeadDivisibility"
    """parallelism.tensor does not divide the attention heads."""

    KV_HEAD_DIVISIBILITY = "KvHeadDivisibility"
    """parallelism.tensor neither divides the key-value heads nor is a multiple of them."""

    VOCABULARY_DIVISIBILITY = "VocabularyDivisibility"
    """parallelism.tensor does not divide the vocabulary."""

    INNER_SIZE_DIVISIBILITY = "InnerSizeDivisibility"
    """parallelism.tensor does not divide the MLP, or an expert."""

    FP8_BLOCK_ALIGNMENT = "FP8BlockAlignment"
    """parallelism.tensor cuts through the blocks that share an FP8 scale."""

    SCALE_GROUP_ALIGNMENT = "ScaleGroupAlignment"
    """parallelism.tensor cuts through the groups that share an int4, int8 or fp4 scale."""

    MARLIN_TILE_ALIGNMENT = "MarlinTileAlignment"
    """parallelism.tensor leaves slices that the Marlin kernels cannot work on."""

    WNA16_BLOCK_ALIGNMENT = "Wna16BlockAlignment"
    """parallelism.tensor leaves slices of int4 experts that fail at the first request."""

    LINEAR_HEAD_DIVISIBILITY = "LinearHeadDivisibility"
    """parallelism.tensor does not divide the heads of linear attention."""

    IMAGE_ENCODER_DIVISIBILITY = "ImageEncoderDivisibility"
    """parallelism.tensor does not divide the image encoder."""

    RERANKER_TENSOR_PARALLEL = "RerankerTensorParallel"
    """The engine's version loads a reranker on one GPU only."""

    LORA_WITH_EXPERT_PARALLEL = "LoraWithExpertParallel"
    """The engine's version spreads no LoRA adapters over an expert-parallel group."""

    MULTI_NODE_NEEDS_NEWER_ENGINE = "MultiNodeNeedsNewerEngine"
    """The engine's version spans nodes only through Ray."""

    NODES_DIVIDE_DATA_RANKS = "NodesDivideDataRanks"
    """A data-parallel rank would fill part of a node."""

    EXPERT_PARALLEL_NEEDS_EXPERTS = "ExpertParallelNeedsExperts"
    """parallelism.expert is above 1 for a dense model."""

    EXPERT_PARALLEL_GROUP = "ExpertParallelGroup"
    """parallelism.expert is neither 1 nor tensor x data."""

    TENSOR_PARALLEL_EXCEEDS_EXPERTS = "TensorParallelExceedsExperts"
    """There are more ranks than experts to share."""

    PIPELINE_EXCEEDS_LAYERS = "PipelineExceedsLayers"
    """parallelism.pipeline is above the number of layers."""

    # -- weights ----------------------------------------------------------------------------
    WEIGHTS_MOUNTED = "WeightsMounted"
    """The weights are mounted complete, from a claim or an image; nothing is fetched."""

    FETCHED_BY_PODS = "FetchedByPods"
    """Each pod fetches the weights from the hub when it starts; spec.cache would keep them."""

    IMAGE_VOLUME_UNSUPPORTED = "ImageVolumeUnsupported"
    """No node of the pool, or the API server, mounts images as volumes; use a claim or a hub."""

    HUB_OFFLINE = "HubOffline"
    """The operator is set up to fetch nothing from hubs; use a claim or an image."""

    WEIGHTS_CACHED = "WeightsCached"
    """The cache holds the weights, complete; pods only read them."""

    DOWNLOADING = "Downloading"
    """A Job fetches the weights into the cache; the message says how far it is. Pods come then."""

    CLAIM_NOT_FOUND = "ClaimNotFound"
    """The PersistentVolumeClaim that is named does not exist; create it."""

    CLAIM_NOT_BOUND = "ClaimNotBound"
    """The cache's claim gets no volume; check its storage class and access modes."""

    ACCESS_MODE_TOO_NARROW = "AccessModeTooNarrow"
    """The claim can be mounted on one node only, and replicas may be on several."""

    HOST_PATH_NOT_ALLOWED = "HostPathNotAllowed"
    """cache.hostPath is switched off by the operator's settings; use another cache."""

    MODEL_SOURCE_UNAUTHORIZED = "ModelSourceUnauthorized"
    """The hub refuses the token, or asks for one; check model.tokenSecretRef and its rights."""

    MODEL_SOURCE_NOT_FOUND = "ModelSourceNotFound"
    """The hub knows no such repository or revision; check model.source and model.revision."""

    MODEL_SOURCE_UNREACHABLE = "ModelSourceUnreachable"
    """The hub does not answer; tried again by itself. Check mirror, proxy and network policies."""

    MODEL_TRANSFER_OUT_OF_SPACE = "ModelTransferOutOfSpace"
    """The cache's volume is full; make room or take a larger claim."""

    DOWNLOAD_FAILED = "DownloadFailed"
    """The Job that fills the cache failed for another reason; tried again by itself."""

    # -- scaling ----------------------------------------------------------------------------
    SCALING_ON_TARGET = "ScalingOnTarget"
    """There are as many replicas as the load asks for."""

    SCALING_LIMITED = "ScalingLimited"
    """The load asks for more replicas than maxReplicas, maxGpus or the free GPUs allow."""

    SCALING_DELEGATED = "ScalingDelegated"
    """Another autoscaler (HorizontalPodAutoscaler, KEDA) writes spec.replicas; it is left to it."""

    SCALING_DISABLED = "ScalingDisabled"
    """spec.replicas is 0, which switches scaling off where minReplicas is above 0."""

    PROMETHEUS_NOT_CONFIGURED = "PrometheusNotConfigured"
    """The operator was not told where Prometheus is; set operator.prometheus.url in the chart."""

    METRICS_UNAVAILABLE = "MetricsUnavailable"
    """Prometheus cannot be reached or refuses the query; replicas stay as they are until it
    answers."""

    METRICS_TOO_SLOW = "MetricsTooSlow"
    """Prometheus does not answer in time; replicas stay as they are until it does."""

    METRICS_MISSING = "MetricsMissing"
    """Prometheus knows nothing of these replicas, or not what a target needs; replicas stay as they
    are. The message says which series are missing."""

    METRICS_INVALID = "MetricsInvalid"
    """What Prometheus answers makes no sense; replicas stay as they are."""

    # -- GPUs and scheduling ----------------------------------------------------------------
    INSUFFICIENT_GPU = "InsufficientGPU"
    """The plan fits this cluster but its GPUs are in use; starts when they are free."""

    INSUFFICIENT_CPU = "InsufficientCPU"
    """The model computes on CPUs, and no node has cores and memory free for it; starts when one
    has."""

    WAITING_FOR_NODES = "WaitingForNodes"
    """The pool can grow and the pods wait for nodes that are provisioned for them."""

    WAITING_FOR_QUEUE = "WaitingForQueue"
    """Kueue holds the pods back until their queue has quota for them."""

    QUEUE_UNAVAILABLE = "QueueUnavailable"
    """spec.queueName is set, but the cluster has no Kueue or the namespace no such LocalQueue."""

    GPUS_UNHEALTHY = "GPUsUnhealthy"
    """The GPUs that these pods may use are all reported unhealthy by their device plugin; repair
    them (nvidia-smi and the plugin's log on the nodes that the message names)."""

    WAITING_FOR_GROUP = "WaitingForGroup"
    """Not all pods of a replica over several nodes have a place; until then they hold no GPU."""

    UNSCHEDULABLE = "Unschedulable"
    """The scheduler finds no node for a pod; the message is the scheduler's."""

    QUOTA_EXCEEDED = "QuotaExceeded"
    """The namespace's ResourceQuota is used up; raise it or free some of it."""

    # -- pods that cannot be created --------------------------------------------------------
    LIMIT_RANGE_VIOLATED = "LimitRangeViolated"
    """A LimitRange of the namespace forbids the pod's requests."""

    POD_SECURITY_DENIED = "PodSecurityDenied"
    """The namespace's Pod Security level forbids the pod."""

    ADMISSION_DENIED = "AdmissionDenied"
    """An admission policy or webhook of the cluster refuses a child."""

    APPLY_FAILED = "ApplyFailed"
    """The API server refused a child for another reason; retried with growing pauses."""

    # -- around the replicas ----------------------------------------------------------------
    IN_PLACE = "InPlace"
    """Everything that was asked for around the replicas exists."""

    API_NOT_INSTALLED = "ApiNotInstalled"
    """Something is asked for of which this cluster has no API; it is made once that is installed,
    which the message names."""

    API_NOT_ALLOWED = "ApiNotAllowed"
    """The operator's roles leave out something that is asked for; upgrade its chart."""

    ROUTE_ACCEPTED = "RouteAccepted"
    """A gateway serves the HTTPRoute; status.endpoint is its address."""

    ROUTE_PENDING = "RoutePending"
    """No gateway has answered to the HTTPRoute yet; status.endpoint is the Service's."""

    ROUTE_NOT_ACCEPTED = "RouteNotAccepted"
    """A gateway refuses the HTTPRoute, or there is no such Gateway; the message repeats why."""

    METRICS_UNREACHABLE = "MetricsUnreachable"
    """There is a PodMonitor, and a networkPolicy that keeps Prometheus out; name its namespace."""

    # -- pods that fail ---------------------------------------------------------------------
    IMAGE_PULL_ERROR = "ImagePullError"
    """The engine's image cannot be pulled; check engine.image and imagePullSecrets."""

    CONTAINER_CONFIG_ERROR = "ContainerConfigError"
    """A Secret or ConfigMap that the pod refers to, or its key, does not exist."""

    ADAPTER_UNUSABLE = "AdapterUnusable"
    """A LoRA adapter of spec.lora is none, or does not fit its slots; the message says why."""

    CONTAINER_CRASH_LOOP_BACK_OFF = "ContainerCrashLoopBackOff"
    """The engine exits again and again; the message has its exit code and its last error line."""

    CONTAINER_OOM_KILLED = "ContainerOOMKilled"
    """The container used more host memory than its limit; the message says what the planner counts
    and which resources.limits.memory to set."""

    PROBE_TIMEOUT = "ProbeTimeout"
    """The engine does not answer its health check: it took longer to start than its startup probe
    allows and was stopped, or it runs and hangs; its log has the cause."""

    NODE_LOST = "NodeLost"
    """The node of a replica is NotReady or gone; Kubernetes replaces the replica after five
    minutes, where GPUs are free."""

    POD_EVICTED = "PodEvicted"
    """The node evicted a pod; the message says for want of what."""

    POD_FAILED = "PodFailed"
    """A pod ended in failure for another reason; the message repeats it."""

    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    """A rollout did not finish in the time that loading should take."""

    ROLLED_BACK = "RolledBack"
    """What the specification asks for did not become ready in its time; the last plan that worked
    runs again. Change the specification, or spec.rollout.restart, to try again."""

    REPLICAS_UNAVAILABLE = "ReplicasUnavailable"
    """Fewer replicas answer than are wanted and no pod says why."""
