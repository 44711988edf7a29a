"""How many replicas there are, and what decides it: one part of the specification."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from qwen3_planner.api.schema import Matches, Rule, ShortText, Struct, whole

MAX_REPLICAS = 1000
"""Of one resource, however they are counted."""

LONGEST_WINDOW_S = 3600
"""As the HorizontalPodAutoscaler's."""

Seconds = Annotated[int, whole(0, LONGEST_WINDOW_S)]

TimeOfDay = Annotated[
    str,
    Field(min_length=5, max_length=5),
    Matches(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", 'must be a time of day such as "08:30"'),
]


class Day(StrEnum):
    """A day of the week."""

    MON = "Mon"
    TUE = "Tue"
    WED = "Wed"
    THU = "Thu"
    FRI = "Fri"
    SAT = "Sat"
    SUN = "Sun"


class ScalingTargets(Struct):
    """What a replica shall bear. Of several, the one that asks for most replicas decides."""

    waiting_requests: Annotated[int, whole(1, 1_000_000)] | None = None
    """Requests that wait in the engine, per replica. Default: 1 where no target is given."""

    kv_cache_usage_percent: Annotated[int, whole(1, 100)] | None = None
    """Used share of the KV cache, mean of the replicas. Not with llamacpp. Example: 80."""

    output_tokens_per_second: Annotated[int, whole(1, 1_000_000_000)] | None = None
    """Tokens generated per second, per replica. Example: 2000."""

    ttft_ms: Annotated[int, whole(1, 86_400_000)] | None = None
    """Time to first token in milliseconds, at latencyPercentile. Not with llamacpp."""

    tpot_ms: Annotated[int, whole(1, 3_600_000)] | None = None
    """Time between output tokens in milliseconds, at latencyPercentile. Not with llamacpp."""

    latency_percentile: Annotated[int, whole(1, 99)] = 95
    """Which percentile of ttftMs and tpotMs counts. Default: 95."""


class StabilizationSpec(Struct):
    """How long the load has to ask for the same."""

    stabilization_window_seconds: Seconds | None = None
    """Seconds. Default: 30 for scaleUp, 300 for scaleDown."""


class ScheduledMinimum(Struct):
    """A minimum that holds at certain times."""

    name: ShortText | None = None
    """For people. Default: none. Example: office hours."""

    days: Annotated[
        tuple[Day, ...], Field(max_length=7, json_schema_extra={"x-kubernetes-list-type": "set"})
    ] = ()
    """Days on which it begins: Mon, Tue, Wed, Thu, Fri, Sat, Sun. Default: every day."""

    start: TimeOfDay
    """When it begins, HH:MM. Example: "08:00"."""

    end: TimeOfDay
    """When it ends, HH:MM; at or before start it is on the next day. Example: "18:00"."""

    time_zone: Annotated[
        str,
        Field(min_length=1, max_length=64),
        Matches(r"[-+_A-Za-z0-9]+(/[-+_A-Za-z0-9]+)*", "must be a time zone: Europe/Berlin"),
    ] = "UTC"
    """Time zone of the times, by its IANA name. Default: UTC. Example: Europe/Berlin."""

    min_replicas: Annotated[int, whole(1, MAX_REPLICAS)]
    """Replicas at least while it holds. Of several, the largest counts."""


class IdleSpec(Struct):
    """When the last replica goes, and what brings it back."""

    after_seconds: Annotated[int, whole(1, 21_600)] = 900
    """The last replica goes after so many seconds without a request. Default: 900."""

    wake_query: Annotated[str, Field(min_length=1, max_length=1024)]
    """PromQL whose value is above 0 when somebody asks for the model. It must come from what stays
    up, such as the gateway: the engine's own metrics go with the last replica. Example:
    sum(increase(envoy_cluster_upstream_rq_total{envoy_cluster_name="qwen3"}[2m]))."""


class ScalingSpec(Struct):
    """How many replicas there are, by what the engines tell Prometheus."""

    min_replicas: Annotated[int, whole(0, MAX_REPLICAS)] = 1
    """Replicas at least. 0 lets the last one go when nobody asks, see idle. Default: 1."""

    max_replicas: Annotated[int, whole(1, MAX_REPLICAS)]
    """Replicas at most. What fits on the GPUs that are free bounds them as well."""

    targets: ScalingTargets = ScalingTargets()
    """What a replica shall bear. Default: one waiting request."""

    window_seconds: Annotated[int, whole(2, LONGEST_WINDOW_S)] = 120
    """Seconds over which rates and percentiles are taken; four scrapes or more. Default: 120."""

    scale_up: StabilizationSpec = StabilizationSpec()
    """How long more replicas must have been asked for. Default: 30 seconds."""

    scale_down: StabilizationSpec = StabilizationSpec()
    """How long fewer replicas must have been enough. Default: 300 seconds."""

    schedules: Annotated[tuple[ScheduledMinimum, ...], Field(max_length=16)] = ()
    """Minima that hold at certain times. Default: none."""

    idle: IdleSpec | None = None
    """When the last replica goes, and what brings it back; needs minReplicas 0. Default: never."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.minReplicas <= self.maxReplicas",
            message="minReplicas must be at most maxReplicas",
            holds=lambda s: s.min_replicas <= s.max_replicas,
            field="minReplicas",
        ),
        Rule(
            cel="!has(self.schedules) || self.schedules.all(s, s.minReplicas <= self.maxReplicas)",
            message="the minReplicas of a schedule must be at most maxReplicas",
            holds=lambda s: all(each.min_replicas <= s.max_replicas for each in s.schedules),
            field="schedules",
        ),
        Rule(
            cel="has(self.idle) == (self.minReplicas == 0)",
            message="minReplicas 0 needs idle.wakeQuery, which says when to come back, and idle is"
            " for minReplicas 0 alone",
            holds=lambda s: (s.idle is not None) == (s.min_replicas == 0),
            field="idle",
        ),
    )

    @property
    def up_window_s(self) -> int:
        """Seconds that more replicas must have been asked for."""
        given = self.scale_up.stabilization_window_seconds
        return 30 if given is None else given

    @property
    def down_window_s(self) -> int:
        """Seconds that fewer replicas must have been enough."""
        given = self.scale_down.stabilization_window_seconds
        return 300 if given is None else given
