"""What ``status.plan`` holds, described for ``kubectl explain``; the contract is ``plan/v1``.

The operator writes the plan as a plain document (:mod:`qwen3_planner.report.plan_status`) and reads
it back as one. These models only tell the API server and its users what the main fields mean; other
fields are kept as they are, since fields may be added to the contract at any time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import ConfigDict, Field

from qwen3_planner.api.schema import Struct

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

PRESERVE = "x-kubernetes-preserve-unknown-fields"

Count: TypeAlias = Annotated[int, Field(ge=0, le=2**53 - 1)]
Figure: TypeAlias = Annotated[float, Field(ge=0)]
Text: TypeAlias = Annotated[str, Field(max_length=4096)]
Texts: TypeAlias = Annotated[tuple[Text, ...], Field(max_length=1024)]
Anything: TypeAlias = Annotated[dict[str, Any], Field(json_schema_extra={PRESERVE: True})]


class PlanPart(Struct):
    """Part of a plan; it keeps fields that are not listed here."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {**super().__get_pydantic_json_schema__(core, handler), PRESERVE: True}


class PlannedModel(PlanPart):
    """The model and the checkpoint that is loaded."""

    variant: Text | None = None
    """Catalog name."""

    parameters: Count | None = None
    """Exact number of parameters."""

    source: Text | None = None
    """Where the weights come from."""


class PlannedEngine(PlanPart):
    """The model server."""

    name: Text | None = None
    """Name of the engine."""

    version: Text | None = None
    """Version of the engine, whose memory rules were applied."""


class PlannedLayout(PlanPart):
    """How one replica is spread over GPUs."""

    tensor: Count | None = None
    """GPUs that share each layer."""

    pipeline: Count | None = None
    """Stages that the layers are cut into."""

    data: Count | None = None
    """Copies of the attention layers."""

    expert: Count | None = None
    """Size of the expert-parallel group; 1 is off."""

    gpus_per_replica: Count | None = None
    """GPUs of one replica."""

    nodes_per_replica: Count | None = None
    """Nodes of one replica."""


class PlannedPlacement(PlanPart):
    """Where the replicas go."""

    accelerator: Text | None = None
    """Catalog name of the accelerator; replicas go to nodes that have it."""


class PlannedMemory(PlanPart):
    """Memory of one replica."""

    checkpoint_bytes: Count | None = None
    """Files of the whole model, in bytes."""

    host_bytes: Count | None = None
    """Host memory of one replica, in bytes."""

    per_gpu: Annotated[tuple[Anything, ...], Field(max_length=1024)] | None = None
    """Per GPU, in bytes: weightsBytes, kvCacheBytes (the pool), kvNeededBytes (what the load
    needs), activationBytes, graphBytes, overheadBytes, budgetBytes (what the engine may take),
    deviceBytes. GPUs of equal figures may be merged: count says how many they are."""

    kv_cache_tokens: Count | None = None
    """Tokens that the KV cache holds, as the engine logs it for one data-parallel rank."""

    max_concurrency: Annotated[float, Field(ge=0)] | None = None
    """Requests of the full context length that fit at once."""


class PlannedPerformance(PlanPart):
    """Predicted speed of one replica; of each time and rate there are ends of a 90 % interval."""

    concurrency: Count | None = None
    """Requests in flight that it is predicted for."""

    ttft_ms: Figure | None = None
    """Mean time to the first token in milliseconds, queueing included."""

    tpot_ms: Figure | None = None
    """Mean time per output token after the first, in milliseconds."""

    output_tokens_per_second: Figure | None = None
    """Tokens generated."""

    requests_per_second: Figure | None = None
    """Requests answered."""

    relative_error: Figure | None = None
    """Of tpotMs, one standard deviation."""


class PlannedCost(PlanPart):
    """What the GPUs of all replicas cost."""

    usd_per_hour: Figure | None = None
    """Of all replicas: the inventory's price, else the going rate on priceAsOf."""

    usd_per_million_output_tokens: Figure | None = None
    """All that is paid, over the tokens generated under the load."""


class PlannedLora(PlanPart):
    """Room for LoRA adapters in each replica."""

    slots: Count | None = None
    """Adapters on the GPUs at once."""

    rank: Count | None = None
    """Largest rank that a slot holds."""

    bytes_per_gpu: Count | None = None
    """What the slots take of the GPU where they take most, in bytes."""

    adapters: Annotated[tuple[Anything, ...], Field(max_length=1024)] | None = None
    """Those that the server starts with, by name and source."""


class PlanRefusal(PlanPart):
    """Why one candidate cannot be."""

    rule: Text | None = None
    """The rule that refuses it."""

    message: Text | None = None
    """What is wrong, how far off it is, and what would help."""

    quantization: Text | None = None
    """Format of the weights of the candidate."""

    needed_bytes: Count | None = None
    """What the tightest GPU would need, in bytes."""

    available_bytes: Count | None = None
    """What it has, in bytes."""

    fixes: Texts | None = None
    """Changes that each, applied alone, give a plan."""


class NearestPlan(PlanPart):
    """The smallest change of the question that gives a plan."""

    change: Anything | None = None
    """The change, field by field."""

    plan: Anything | None = None
    """The plan it gives."""


class PlanDocument(PlanPart):
    """The plan (schema plan/v1), or why there is none."""

    model: PlannedModel | None = None
    """The model and the checkpoint that is loaded."""

    feasible: bool | None = None
    """Whether there is a plan; if not, refusals say why and nearest says what would fit."""

    engine: PlannedEngine | None = None
    """The model server."""

    quantization: Text | None = None
    """Format of the weights."""

    kv_cache_dtype: Text | None = None
    """Format of the KV cache."""

    max_model_len: Count | None = None
    """Longest sequence in tokens."""

    replicas: Count | None = None
    """Copies of the whole model server."""

    layout: PlannedLayout | None = None
    """How one replica is spread over GPUs."""

    placement: PlannedPlacement | None = None
    """Where the replicas go."""

    memory: PlannedMemory | None = None
    """Memory of one replica."""

    performance: PlannedPerformance | None = None
    """Predicted speed of one replica under the load."""

    cost: PlannedCost | None = None
    """What it costs, where a price is known."""

    lora: PlannedLora | None = None
    """Room for LoRA adapters, where there is any."""

    provenance: Anything | None = None
    """Per figure: basis (exact, formula, fitted or assumed), relativeError and source."""

    command: Texts | None = None
    """Argument vector of the engine."""

    warnings: Texts | None = None
    """What one should know about the plan."""

    refusals: Annotated[tuple[PlanRefusal, ...], Field(max_length=64)] | None = None
    """The most telling candidates that were refused, with reasons and fixes."""

    nearest: NearestPlan | None = None
    """Where there is no plan: the smallest change that gives one."""
