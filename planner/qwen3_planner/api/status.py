"""The status of a ``Qwen3Deployment``: what is planned and what runs.

It holds no time that changes by itself: an unchanged state is an unchanged status, and a
reconcile with nothing to do writes nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from qwen3_planner.api.plan_document import Anything  # noqa: TC001 - as above
from qwen3_planner.api.rollout import RolloutStatus  # noqa: TC001 - pydantic evaluates annotations
from qwen3_planner.api.schema import Struct, whole

MAX_MESSAGE_LENGTH = 4096
"""Of a condition's message. Kubernetes itself allows 32768; a status must stay readable."""


class Phase(StrEnum):
    """The state in one word, for people; programs read the conditions."""

    PENDING = "Pending"
    PLANNING = "Planning"
    PROVISIONING = "Provisioning"
    LOADING = "Loading"
    READY = "Ready"
    DEGRADED = "Degraded"
    FAILED = "Failed"
    SUSPENDED = "Suspended"


class ConditionStatus(StrEnum):
    """Whether a condition holds."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


Generation = Annotated[int, whole(0, 2**53 - 1)]
"""Of a resource; the API server compares bounds as floating point, so no larger one works."""


NOT_SEEN = -1
"""What the API server shows as ``status.observedGeneration`` until the operator has written a
status: those who wait (kstatus) would take a resource without any for one that is done."""


class Condition(Struct):
    """One aspect of the state."""

    model_config = ConfigDict(extra="ignore")

    type: Annotated[str, Field(min_length=1, max_length=63)]
    """Ready (carries the reason of the worst other), SpecValid, PlanFeasible, ModelCached,
    Scheduled, Available or Progressing; ScalingActive or Integrated where that was asked for;
    Reconciling or Stalled while it is not ready."""

    status: ConditionStatus
    """True, False or Unknown."""

    reason: Annotated[str, Field(min_length=1, max_length=63)]
    """Why, in one word; docs/reference/reasons.md lists them."""

    message: Annotated[str, Field(max_length=MAX_MESSAGE_LENGTH)] = ""
    """Why, in a sentence, and what would help."""

    observed_generation: Generation | None = None
    """The generation of the resource that was judged."""

    last_transition_time: Annotated[
        str, Field(max_length=32, json_schema_extra={"format": "date-time"})
    ]
    """When status last changed."""


Replicas = Annotated[int, whole(0, 2**31 - 1)]

Tokens = Annotated[int, whole(0, 2**53 - 1)]


class Measured(Struct):
    """What the engine of a running replica found for itself; of several, the one with least."""

    model_config = ConfigDict(extra="ignore")

    kv_cache_tokens: Tokens
    """Tokens that fit into the KV cache of one data-parallel rank, as the engine says."""

    planned_kv_cache_tokens: Tokens
    """The same as planned."""

    difference: Annotated[str, Field(max_length=16)]
    """Of the engine's figure from the plan's. Example: -1.3%."""

    calibration: Anything | None = None
    """Where they are more than 5 % apart: an overlay (calibration/v1) from which later plans learn.
    `kubectl get q3d NAME -o jsonpath='{.status.measured.calibration}' | qwen3 calibrate -
    --calibration mine.yaml` keeps it."""


class Qwen3DeploymentStatus(Struct):
    """What is planned and what runs. Written by the operator."""

    model_config = ConfigDict(extra="ignore")

    observed_generation: Annotated[int, whole(NOT_SEEN, 2**53 - 1)] | None = None
    """The generation of the specification that this status is about; -1 until the operator has
    looked at the resource."""

    phase: Phase | None = None
    """The state in one word: Pending, Planning, Provisioning, Loading, Ready, Degraded, Failed or
    Suspended. Programs should read conditions instead."""

    replicas: Replicas = 0
    """Replicas that exist."""

    ready_replicas: Replicas = 0
    """Replicas that answer requests."""

    updated_replicas: Replicas = 0
    """Replicas that run the current plan."""

    selector: Annotated[str, Field(max_length=512)] | None = None
    """Labels of the replicas' pods, for the scale subresource."""

    endpoint: Annotated[str, Field(max_length=512)] | None = None
    """Where clients reach the OpenAI-compatible API: by the route or Ingress once that leads to it,
    else by the Service. Example: http://qwen3-32b.default.svc:8000/v1."""

    layout: Annotated[str, Field(max_length=64)] | None = None
    """The planned layout of one replica in short: tp2, tp4xpp2, tp8xep8."""

    gpu: Annotated[str, Field(max_length=128)] | None = None
    """GPUs of one replica in short. Example: 2x H100-SXM-80GB."""

    memory: Annotated[str, Field(max_length=64)] | None = None
    """Planned use of the fullest GPU of what the engine may take. Example: 30.6/72.8 GiB."""

    available: Annotated[str, Field(max_length=32)] | None = None
    """Replicas that answer of those wanted. Example: 1/2."""

    plan: (
        Annotated[
            dict[str, Any],
            Field(
                json_schema_extra={
                    "x-kubernetes-preserve-unknown-fields": True,
                }
            ),
        ]
        | None
    ) = None
    """The plan (schema plan/v1), or why there is none: model, engine, quantization, layout,
    placement, memory per GPU, the engine's command, warnings, refusals with their fixes, and, when
    not feasible, nearest: the smallest change that would fit."""

    measured: Measured | None = None
    """The engine's own figures beside the planned ones, once a replica runs the plan and answers;
    absent where the engine does not tell."""

    lowered: (
        Annotated[tuple[Annotated[str, Field(max_length=128)], ...], Field(max_length=3)] | None
    ) = None
    """What gave way in the plan that is shown, as spec.fallback allows.
    Example: ["spec.quantization: fp8 instead of bf16"]."""

    plan_hash: Annotated[str, Field(max_length=64)] | None = None
    """Hash of what the pods are made from; they roll when it changes."""

    rollout: RolloutStatus | None = None
    """What is remembered of rollouts: the last plan that worked, and one that was given up."""

    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=16,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
            },
        ),
    ] = ()
    """The state, one aspect each: Ready, SpecValid, PlanFeasible, ModelCached, Scheduled,
    Available, Progressing; ScalingActive and Integrated where that was asked for; Reconciling or
    Stalled while it is not ready."""

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of that type, if there is one yet."""
        return next((c for c in self.conditions if c.type == kind), None)
