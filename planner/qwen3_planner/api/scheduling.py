"""Where pods may run: tolerations and affinity, with Kubernetes' own names and meaning."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from qwen3_planner.api.schema import (
    LabelKey,
    Labels,
    LabelValue,
    Name,
    Rule,
    Struct,
    whole,
)


class TolerationOperator(StrEnum):
    """How a toleration compares."""

    EXISTS = "Exists"
    EQUAL = "Equal"


class TaintEffect(StrEnum):
    """What an untolerated taint does."""

    NO_SCHEDULE = "NoSchedule"
    PREFER_NO_SCHEDULE = "PreferNoSchedule"
    NO_EXECUTE = "NoExecute"


class Toleration(Struct):
    """A taint that the pods tolerate. That of nvidia.com/gpu is tolerated anyway."""

    key: LabelKey | None = None
    """Key of the taint. Default: any, which needs operator Exists."""

    operator: TolerationOperator | None = None
    """Equal compares the value, Exists takes any. Default: Equal."""

    value: LabelValue | None = None
    """Value of the taint, with operator Equal."""

    effect: TaintEffect | None = None
    """Effect of the taint. Default: any."""

    toleration_seconds: Annotated[int, whole(0, 2**31 - 1)] | None = None
    """How long a NoExecute taint is tolerated, in seconds. Default: for ever."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!(has(self.operator) && self.operator == 'Exists' && has(self.value)"
            " && self.value != '')",
            message="a toleration with operator Exists takes no value",
            holds=lambda t: not (t.operator is TolerationOperator.EXISTS and t.value),
            field="value",
        ),
        Rule(
            cel="(has(self.key) && self.key != '')"
            " || (has(self.operator) && self.operator == 'Exists')",
            message="a toleration without a key needs operator Exists",
            holds=lambda t: bool(t.key) or t.operator is TolerationOperator.EXISTS,
            field="operator",
        ),
        Rule(
            cel="!has(self.tolerationSeconds) || (has(self.effect) && self.effect == 'NoExecute')",
            message="tolerationSeconds needs effect NoExecute",
            holds=lambda t: t.toleration_seconds is None or t.effect is TaintEffect.NO_EXECUTE,
            field="tolerationSeconds",
        ),
    )


class NodeSelectorOperator(StrEnum):
    """How a node's label is compared."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"
    GT = "Gt"
    LT = "Lt"


class NodeSelectorRequirement(Struct):
    """One comparison with a node's label or field."""

    key: LabelKey
    """Key of the label. Example: topology.kubernetes.io/zone."""

    operator: NodeSelectorOperator
    """How it is compared."""

    values: Annotated[tuple[LabelValue, ...], Field(max_length=64)] | None = None
    """Values for In and NotIn, one whole number for Gt and Lt, none otherwise."""


Requirements = Annotated[tuple[NodeSelectorRequirement, ...], Field(max_length=32)]


class NodeSelectorTerm(Struct):
    """Comparisons that must all hold."""

    match_expressions: Requirements | None = None
    """Comparisons with labels of the node."""

    match_fields: Requirements | None = None
    """Comparisons with fields of the node; Kubernetes knows metadata.name."""


class NodeSelector(Struct):
    """Terms of which at least one must hold."""

    node_selector_terms: Annotated[tuple[NodeSelectorTerm, ...], Field(min_length=1, max_length=16)]
    """The terms."""


class PreferredSchedulingTerm(Struct):
    """A wish with its weight."""

    weight: Annotated[int, whole(1, 100)]
    """Weight of the wish, 1 to 100."""

    preference: NodeSelectorTerm
    """The wish."""


class NodeAffinity(Struct):
    """Which nodes are possible, and which are preferred."""

    required_during_scheduling_ignored_during_execution: NodeSelector | None = None
    """Only these nodes."""

    preferred_during_scheduling_ignored_during_execution: (
        Annotated[tuple[PreferredSchedulingTerm, ...], Field(max_length=16)] | None
    ) = None
    """Rather these nodes."""


class LabelSelectorOperator(StrEnum):
    """How an object's label is compared."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


class LabelSelectorRequirement(Struct):
    """One comparison with an object's label."""

    key: LabelKey
    """Key of the label."""

    operator: LabelSelectorOperator
    """How it is compared."""

    values: Annotated[tuple[LabelValue, ...], Field(max_length=64)] | None = None
    """Values for In and NotIn, none otherwise."""


class LabelSelector(Struct):
    """Labels and comparisons that must all hold."""

    match_labels: Labels | None = None
    """Labels with these values."""

    match_expressions: (
        Annotated[tuple[LabelSelectorRequirement, ...], Field(max_length=32)] | None
    ) = None
    """Comparisons with labels."""


LabelKeys = Annotated[tuple[LabelKey, ...], Field(max_length=16)]


class PodAffinityTerm(Struct):
    """Pods whose neighbourhood is sought or avoided."""

    topology_key: LabelKey
    """Label of nodes that says what counts as near. Example: kubernetes.io/hostname."""

    label_selector: LabelSelector | None = None
    """Which pods."""

    namespaces: Annotated[tuple[Name, ...], Field(max_length=64)] | None = None
    """Namespaces of those pods. Default: that of the resource."""

    namespace_selector: LabelSelector | None = None
    """Namespaces of those pods, by label."""

    match_label_keys: LabelKeys | None = None
    """Labels whose values the other pod must share."""

    mismatch_label_keys: LabelKeys | None = None
    """Labels whose values the other pod must not share."""


class WeightedPodAffinityTerm(Struct):
    """A wish with its weight."""

    weight: Annotated[int, whole(1, 100)]
    """Weight of the wish, 1 to 100."""

    pod_affinity_term: PodAffinityTerm
    """The wish."""


class PodAffinity(Struct):
    """Which pods' neighbourhood is required, and which is preferred."""

    required_during_scheduling_ignored_during_execution: (
        Annotated[tuple[PodAffinityTerm, ...], Field(max_length=16)] | None
    ) = None
    """All of these."""

    preferred_during_scheduling_ignored_during_execution: (
        Annotated[tuple[WeightedPodAffinityTerm, ...], Field(max_length=16)] | None
    ) = None
    """Rather these."""


class Affinity(Struct):
    """Attraction to nodes, and attraction to and repulsion from other pods, as in any pod."""

    node_affinity: NodeAffinity | None = None
    """Nodes, by their labels. The planner only counts nodes that are possible."""

    pod_affinity: PodAffinity | None = None
    """Near these pods."""

    pod_anti_affinity: PodAffinity | None = None
    """Away from these pods."""
