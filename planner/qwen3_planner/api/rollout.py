"""How pods are replaced, and what the operator remembers of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from qwen3_planner.api.schema import Struct, whole

MAX_DEADLINE_S = 7 * 24 * 3600
"""A week: no checkpoint takes longer on any line."""


class Surge(StrEnum):
    """Whether a new replica may start before an old one has gone."""

    WHEN_FREE = "WhenFree"
    NEVER = "Never"


class OnFailure(StrEnum):
    """What becomes of a rollout that does not get there."""

    ROLL_BACK = "RollBack"
    STAY = "Stay"


class RolloutSpec(Struct):
    """How pods are replaced when what they are made from changes."""

    surge: Surge = Surge.WHEN_FREE
    """Whether a new replica may start beside the old ones: WhenFree, where the GPUs of one more
    replica are free and nobody who came first waits for them; Never. Else one old replica goes
    before each new one comes. Default: WhenFree."""

    on_failure: OnFailure = OnFailure.ROLL_BACK
    """What happens when new replicas do not become ready in their time: RollBack to the last plan
    of which all replicas answered, or Stay. What failed is not tried again until the specification
    changes. Default: RollBack."""

    progress_deadline_seconds: Annotated[int, whole(10, MAX_DEADLINE_S)] | None = None
    """How long a new replica may take to become ready, pulling the image and loading included.
    Default: from the bytes to load."""

    restart: Annotated[str, Field(min_length=1, max_length=63)] | None = None
    """Any text. Changing it makes the pods anew, as the operator's present release makes them, and
    tries again what failed. Example: "2026-11-23"."""


class WorkingPlan(Struct):
    """The last plan of which all replicas answered, in short."""

    model_config = ConfigDict(extra="ignore")

    plan_hash: Annotated[str, Field(max_length=64)]
    """Hash of what its pods are made from; the ControllerRevision with that label holds it."""

    model: Annotated[str, Field(max_length=128)] = ""
    """Catalog name of the model."""

    engine: Annotated[str, Field(max_length=128)] = ""
    """Engine and version. Example: vllm 0.32.0."""

    quantization: Annotated[str, Field(max_length=64)] = ""
    """Format of the weights."""

    layout: Annotated[str, Field(max_length=64)] = ""
    """Layout of one replica in short."""

    gpu: Annotated[str, Field(max_length=128)] = ""
    """GPUs of one replica in short."""


class FailedPlan(Struct):
    """The plan that did not become ready in its time; it is not tried again as it is."""

    model_config = ConfigDict(extra="ignore")

    plan_hash: Annotated[str, Field(max_length=64)]
    """Hash of what its pods were made from."""

    inputs: Annotated[str, Field(max_length=128)]
    """Fingerprint of the specification and plan it came from: another one is tried."""

    reason: Annotated[str, Field(max_length=63)] = ""
    """What was wrong with its pods, in one word."""

    message: Annotated[str, Field(max_length=512)] = ""
    """The same in a sentence."""


class RolloutStatus(Struct):
    """What is remembered of rollouts."""

    model_config = ConfigDict(extra="ignore")

    working: WorkingPlan | None = None
    """The last plan of which all replicas answered: where a rollout that fails returns to."""

    failed: FailedPlan | None = None
    """What was tried and given up; absent once the specification says something else."""

    outdated: bool = False
    """Whether the operator's present release would make the pods differently. They stay as they are
    until the specification changes; spec.rollout.restart asks for it."""
