"""``Qwen3Deployment`` in version v1alpha1 of the group ``serving.qwen3.dev``: the specification.

The docstring under a field is what ``kubectl explain`` prints. The CRD is generated from these
models (:mod:`qwen3_planner.api.crd`); the status is in :mod:`qwen3_planner.api.status`.
Whatever is left out is the planner's to choose; whatever is given is binding.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from qwen3_planner.api.adapters import LoraSpec  # noqa: TC001 - pydantic evaluates annotations
from qwen3_planner.api.caching import CacheSpec  # noqa: TC001 - pydantic evaluates annotations
from qwen3_planner.api.fallback import FallbackSpec  # noqa: TC001 - pydantic evaluates annotations
from qwen3_planner.api.loads import (
    ParallelismSpec,
    ThinkingSpec,
    Tokens,
    WorkloadSpec,
)
from qwen3_planner.api.model_server import EngineSpec, ModelSpec
from qwen3_planner.api.planned_flags import LORA_FLAGS
from qwen3_planner.api.pod_template import (  # noqa: TC001 - pydantic evaluates annotations
    PodTemplate,
)
from qwen3_planner.api.references import (  # noqa: TC001 - pydantic evaluates annotations
    ApiKeySecretRef,
    HostResources,
    LocalObjectReference,
)
from qwen3_planner.api.rollout import RolloutSpec
from qwen3_planner.api.scaling import ScalingSpec  # noqa: TC001 - the same
from qwen3_planner.api.scheduling import (  # noqa: TC001 - pydantic evaluates annotations
    Affinity,
    Toleration,
)
from qwen3_planner.api.schema import (
    Flag,
    LabelName,
    Labels,
    Name,
    Rule,
    Struct,
    whole,
)
from qwen3_planner.api.status import Qwen3DeploymentStatus
from qwen3_planner.api.surroundings import (
    InferencePoolSpec,
    IngressSpec,
    MonitoringSpec,
    NetworkPolicySpec,
    RouteSpec,
    ServiceSpec,
)
from qwen3_planner.request import EngineName, KvCacheDtype, Objective, Quantization

GROUP = "serving.qwen3.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "Qwen3Deployment"
PLURAL = "qwen3deployments"
SINGULAR = "qwen3deployment"
SHORT_NAME = "q3d"

MAX_NAME_LENGTH = 52
"""A ReplicaSet is named after its Deployment plus '-' and 10 characters: 52 + 11 = 63, the longest
value of a label and the longest host name."""

_SERVICE_NAME = "[a-z]([-a-z0-9]*[a-z0-9])?"


class Replan(StrEnum):
    """When a plan that is running may be replaced by another."""

    NEVER = "Never"
    WHEN_BROKEN = "WhenBroken"
    ON_SPEC_CHANGE = "OnSpecChange"


def _experts_over_all_ranks(spec: Qwen3DeploymentSpec) -> bool:
    wish = spec.parallelism
    if spec.engine.name is EngineName.SGLANG or wish is None:
        return True
    unbound = wish.tensor is None or wish.expert in (None, 1)
    return unbound or wish.expert == (wish.tensor or 1) * (wish.data or 1)


def _gpus_within_limit(spec: Qwen3DeploymentSpec) -> bool:
    fixed = spec.parallelism.gpus_at_least if spec.parallelism else 1
    return spec.max_gpus is None or spec.replicas * fixed <= spec.max_gpus


def _request_within_context(spec: Qwen3DeploymentSpec) -> bool:
    load = spec.workload
    tokens = (load.input_tokens or 0) + (load.output_tokens or 0)
    return spec.max_model_len is None or tokens <= spec.max_model_len


def _shortens_the_context(spec: Qwen3DeploymentSpec) -> bool:
    shortest = spec.fallback.min_model_len if spec.fallback else None
    return shortest is None or spec.max_model_len is None or shortest <= spec.max_model_len


def _caches_what_is_fetched(spec: Qwen3DeploymentSpec) -> bool:
    source = spec.model.source or ""
    return spec.cache is None or not source.startswith(("pvc://", "oci://"))


def _adapters_have_names_of_their_own(spec: Qwen3DeploymentSpec) -> bool:
    own = spec.model.served_name or spec.model.variant.value
    return spec.lora is None or all(adapter.name != own for adapter in spec.lora.adapters)


def _leaves_adapters_to_the_plan(spec: Qwen3DeploymentSpec) -> bool:
    given = (argument.partition("=")[0].replace("_", "-") for argument in spec.engine.extra_args)
    return spec.lora is None or not any(flag in LORA_FLAGS for flag in given)


class Qwen3DeploymentSpec(Struct):
    """What shall run. Everything but model.variant may be left to the planner."""

    model: ModelSpec
    """Which model is served and where its weights come from."""

    engine: EngineSpec = EngineSpec()
    """Which model server runs, and its settings."""

    quantization: Quantization = Quantization.AUTO
    """Format of the weights: bf16, fp16, fp8, fp8-static, int8, awq-int4, gptq-int4, gptq-int8,
    nvfp4, mxfp4, gguf:<TYPE> such as gguf:Q4_K_M, or auto. Default: auto, the most precise that
    fits."""

    kv_cache_dtype: KvCacheDtype = KvCacheDtype.AUTO
    """Format of the KV cache: bf16, fp16, fp8 or fp8-e5m2; with llamacpp fp16, q8_0, q5_1, q5_0,
    q4_1, q4_0 or iq4_nl. Default: auto, the engine's own choice."""

    parallelism: ParallelismSpec | None = None
    """How one replica is spread over GPUs. Default: planned."""

    max_model_len: Tokens | None = None
    """Longest sequence in tokens, prompt and answer together. Default: the model's native context,
    or the longest that fits. Example: 32768."""

    workload: WorkloadSpec = WorkloadSpec()
    """The load that each replica must hold."""

    objective: Objective = Objective.COST
    """What decides between plans that meet the targets and are as precise: cost, latency or
    throughput. Default: cost."""

    thinking: ThinkingSpec | None = None
    """Reasoning before the answer. Default: the model's own way; where it thinks, reasoning comes
    apart from the answer."""

    tool_calling: Flag | None = None
    """Whether tool calls are read out of answers, in the form of the model. Default: true where the
    engine's version can."""

    lora: LoraSpec | None = None
    """LoRA adapters that are served beside the model. Default: none."""

    cache: CacheSpec | None = None
    """Where weights from a hub are kept, so that not every pod fetches them. Default: nowhere,
    each pod fetches them when it starts."""

    replicas: Annotated[int, whole(0, 1000)] = 1
    """Copies of the whole model server; kubectl scale sets it too. 0 runs nothing. With scaling it
    is the present target: leave it out of manifests. Default: 1."""

    scaling: ScalingSpec | None = None
    """Replicas by load, as the engines tell Prometheus. Default: replicas are as they are set."""

    replan: Replan = Replan.WHEN_BROKEN
    """When a running plan may be replaced: Never; WhenBroken, once it no longer holds;
    OnSpecChange, at each change of the specification as well. Default: WhenBroken."""

    rollout: RolloutSpec = RolloutSpec()
    """How pods are replaced when what they are made from changes."""

    accelerators: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=63)], ...],
        Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}),
    ] = ()
    """Accelerators that may be used, by catalog name; qwen3 catalog lists them. Default: any.
    Example: [H100-SXM-80GB, A100-SXM-80GB]."""

    fallback: FallbackSpec | None = None
    """What the planner may lower, and in which order, where all that is asked for does not fit or
    is not free. Default: nothing; the model waits, or its status says what would fit."""

    max_gpus: Annotated[int, whole(1, 100_000)] | None = None
    """Upper bound on the GPUs of all replicas together. Default: none."""

    node_selector: Labels | None = None
    """Labels that nodes must have; the planner counts only such nodes. Default: none."""

    tolerations: Annotated[tuple[Toleration, ...], Field(max_length=32)] = ()
    """Taints that the pods tolerate; that of nvidia.com/gpu is tolerated anyway. Default: none."""

    affinity: Affinity | None = None
    """Attraction to nodes, attraction to and repulsion from other pods. Default: none."""

    priority_class_name: Name | None = None
    """PriorityClass of the pods; a higher one is given GPUs first. Default: the cluster's."""

    runtime_class_name: Name | None = None
    """RuntimeClass of the pods. Default: none. Example: nvidia."""

    scheduler_name: Name | None = None
    """Scheduler of the pods. Default: default-scheduler."""

    queue_name: LabelName | None = None
    """LocalQueue of Kueue in this namespace. Kueue then admits the pods, within its quotas; the
    operator makes all replicas at once and leaves GPUs to Kueue. Default: none."""

    image_pull_secrets: Annotated[
        tuple[LocalObjectReference, ...],
        Field(
            max_length=16,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["name"],
            },
        ),
    ] = ()
    """Secrets with which the engine's image is pulled. Default: none."""

    resources: HostResources | None = None
    """CPU, memory and disk of each pod, where they shall differ from what the plan computes. GPUs
    are not set here: the plan decides how many."""

    service: ServiceSpec = ServiceSpec()
    """The Service in front of the replicas."""

    route: RouteSpec | None = None
    """An HTTPRoute of the Gateway API that leads to the model. Default: none."""

    ingress: IngressSpec | None = None
    """An Ingress that leads to the model. Default: none."""

    inference_pool: InferencePoolSpec | None = None
    """An InferencePool of the Gateway API Inference Extension. Default: none."""

    api_key_secret_ref: ApiKeySecretRef | None = None
    """The API key that clients have to send as a bearer token. Default: none is asked for."""

    network_policy: NetworkPolicySpec | None = None
    """Who may reach the pods. Default: everybody, as far as the cluster's policies allow."""

    monitoring: MonitoringSpec | None = None
    """A PodMonitor for the engine's metrics. Default: what the operator's settings say."""

    pod_template: PodTemplate | None = None
    """Anything else about the pods, merged into what the operator makes. Default: nothing."""

    suspend: Flag = False
    """Plan only: nothing runs, the plan is in status. Default: false."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="(has(self.engine) && self.engine.name == 'sglang') || !has(self.parallelism)"
            " || !has(self.parallelism.expert) || self.parallelism.expert == 1"
            " || !has(self.parallelism.tensor) || self.parallelism.expert =="
            " self.parallelism.tensor"
            " * (has(self.parallelism.data) ? self.parallelism.data : 1)",
            message="expert must be 1 (off) or tensor x data: experts are spread over all of them",
            holds=_experts_over_all_ranks,
            field="parallelism.expert",
        ),
        Rule(
            cel="!has(self.maxGpus) || self.replicas"
            " * (has(self.parallelism) && has(self.parallelism.tensor) ?"
            " self.parallelism.tensor : 1)"
            " * (has(self.parallelism) && has(self.parallelism.pipeline) ?"
            " self.parallelism.pipeline : 1)"
            " * (has(self.parallelism) && has(self.parallelism.data) ?"
            " self.parallelism.data : 1) <= self.maxGpus",
            message="replicas x tensor x pipeline x data takes more GPUs than maxGpus allows",
            holds=_gpus_within_limit,
            field="maxGpus",
        ),
        Rule(
            cel="!has(self.cache) || !has(self.model.source)"
            " || !(self.model.source.startsWith('pvc://')"
            " || self.model.source.startsWith('oci://'))",
            message="cache is for weights from a hub: pvc:// and oci:// are mounted as they are",
            holds=_caches_what_is_fetched,
            field="cache",
        ),
        Rule(
            cel="!has(self.fallback) || !has(self.fallback.minModelLen) || !has(self.maxModelLen)"
            " || self.fallback.minModelLen <= self.maxModelLen",
            message="minModelLen is longer than maxModelLen",
            holds=_shortens_the_context,
            field="fallback.minModelLen",
        ),
        Rule(
            cel="!has(self.lora) || !has(self.lora.adapters) || self.lora.adapters.all(a,"
            " a.name != (has(self.model.servedName) ? self.model.servedName : self.model.variant))",
            message="an adapter has the model's own name: clients could not tell them apart",
            holds=_adapters_have_names_of_their_own,
            field="lora.adapters",
        ),
        Rule(
            cel="!has(self.lora) || !self.lora.runtimeLoading || has(self.apiKeySecretRef)",
            message="runtimeLoading needs apiKeySecretRef: the sidecar shows that it may",
            holds=lambda s: (
                s.lora is None or not s.lora.runtime_loading or s.api_key_secret_ref is not None
            ),
            field="apiKeySecretRef",
        ),
        Rule(
            cel="!has(self.lora) || !self.lora.runtimeLoading || !has(self.parallelism)"
            " || !has(self.parallelism.data) || self.parallelism.data == 1",
            message="runtimeLoading goes with one API server, and each data-parallel rank has its"
            " own: leave data at 1",
            holds=lambda s: (
                s.lora is None
                or not s.lora.runtime_loading
                or s.parallelism is None
                or s.parallelism.data in (None, 1)
            ),
            field="parallelism.data",
        ),
        Rule(
            cel="!has(self.lora) || !has(self.engine) || !has(self.engine.extraArgs)"
            f" || self.engine.extraArgs.all(a, !({[*LORA_FLAGS]}.exists(f,"
            " f == a.split('=')[0].replace('_', '-'))))",
            message=f"extraArgs must not set {' or '.join(LORA_FLAGS)}: use spec.lora",
            holds=_leaves_adapters_to_the_plan,
            field="engine.extraArgs",
        ),
        Rule(
            cel="!has(self.maxModelLen) || !has(self.workload)"
            " || (has(self.workload.inputTokens) ? self.workload.inputTokens : 0)"
            " + (has(self.workload.outputTokens) ? self.workload.outputTokens : 0)"
            " <= self.maxModelLen",
            message="a request of inputTokens + outputTokens is longer than maxModelLen",
            holds=_request_within_context,
            field="maxModelLen",
        ),
    )


class ObjectMeta(Struct):
    """What this project reads of an object's metadata; the API server keeps the rest."""

    model_config = ConfigDict(extra="ignore")

    name: Name
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None


class Qwen3Deployment(Struct):
    """A Qwen3 model, served on the GPUs that the cluster really has.

    The operator plans quantization, GPU layout and context length, shows the plan in status.plan
    and runs it as a Deployment with a Service of the same name.
    """

    api_version: Literal["serving.qwen3.dev/v1alpha1"] = "serving.qwen3.dev/v1alpha1"
    kind: Literal["Qwen3Deployment"] = "Qwen3Deployment"
    metadata: ObjectMeta
    spec: Qwen3DeploymentSpec
    """What shall run."""
    status: Qwen3DeploymentStatus = Qwen3DeploymentStatus()
    """What is planned and what runs; written by the operator."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"self.metadata.name.size() <= {MAX_NAME_LENGTH}",
            message=f"metadata.name must have at most {MAX_NAME_LENGTH} characters: the names of"
            " its pods are longer and end at 63",
            holds=lambda d: len(d.metadata.name) <= MAX_NAME_LENGTH,
            field="metadata.name",
        ),
        Rule(
            cel=f"self.metadata.name.matches('^{_SERVICE_NAME}$')",
            message="metadata.name is also the name of a Service: it must be lower-case letters,"
            " digits and '-', and start with a letter (qwen3-0-6b, not qwen3-0.6b)",
            holds=lambda d: re.fullmatch(_SERVICE_NAME, d.metadata.name) is not None,
            field="metadata.name",
        ),
    )
