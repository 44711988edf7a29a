"""What the planner says of a measured row, by the same path as a plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.candidates import Candidate, pools_of
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.fit import fit
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.plan import Layout, Plan
from qwen3_planner.planning import plan
from qwen3_planner.question import understand
from qwen3_planner.request import (
    EngineName,
    EngineTuning,
    KvCacheDtype,
    ParallelismWish,
    PlanRequest,
    Quantization,
    Workload,
)
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.serving.verdicts import Fit, reach_bytes
from qwen3_planner.serving.vllm_facts import rank_of
from qwen3_planner.solving import solve
from qwen3_planner.units import GIB, MIB

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.question import Question
    from qwen3_planner.sizing.stages import Setting
    from support.accuracy.rows import Launch

STAND_IN = "H200-SXM-141GB"
"""The card that is taken where a row names none; only weights are compared then."""

STAND_IN_OF_GROUPS = "L40S-48GB"
"""The same for int4 and int8 in groups: they run on Marlin everywhere but on Hopper, whose Machete
kernels keep more of their zero points."""

GROUPED = ("awq-int4", "gptq-int4", "gptq-int8")


MANY_BLOCKS = 1_000_000
"""Blocks over which the bytes of one token are averaged, so that rounding to blocks is lost."""


class NotPlannedError(Exception):
    """This release does not plan such a row; the message says what it lacks."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What the planner computes for one launch, in bytes per GPU.

    Attributes:
        weights: of the first rank.
        kv: of the tightest rank; negative where nothing is left.
        kv_low: lower end of the 90 % interval.
        kv_high: upper end.
        kv_tokens: what the engine logs for that; 0 where nothing is left.
        tokens_low: lower end of the 90 % interval.
        tokens_high: upper end.
        activation: of the stage with most.
        graphs: counted in the budget.
        non_torch: context and communication; None where the engine does not tell them apart.
        budget: of the engine.
        token: bytes of one token of the cache on the tightest rank.
    """

    weights: int
    kv: int
    kv_low: int
    kv_high: int
    kv_tokens: int
    tokens_low: int
    tokens_high: int
    activation: int
    graphs: int
    non_torch: int | None
    budget: int
    token: float


def estimate(launch: Launch) -> Estimate:
    """Compute the memory of a launch.

    Raises:
        NotPlannedError: this release has no such model, engine, format or card.
    """
    inventory = _hardware(launch)
    question = _question(launch, inventory)
    serving = serving_of(question.engine)
    (pool,) = pools_of(inventory, ())
    layout = Layout(launch.tensor or 1, launch.pipeline or 1, launch.data or 1, launch.expert or 1)
    candidate = Candidate(pool, question.choices[0], layout)
    setting = replace(serving.setting(question, pool), is_compiled=launch.compiled)
    stages = serving.stages(question, candidate, setting)
    tightest = min(stages, key=lambda stage: stage.available / stage.block)
    verdict = fit(question, candidate, setting)
    if isinstance(verdict, Fit):
        low, blocks, high = serving.pool_blocks(verdict)
        kv = tightest.available if blocks == tightest.blocks else blocks * tightest.block
        ends = (low * tightest.block, high * tightest.block)
    else:
        blocks = tightest.blocks
        kv = tightest.available
        error = serving.error_bytes(question, candidate, setting, stages)
        ends = (
            kv - int(reach_bytes(error, tightest.may_lack)),
            kv + int(reach_bytes(error, tightest.may_spare)),
        )
        low, high = (max(0, end // tightest.block) for end in ends)
    context = question.wanted_context
    return Estimate(
        weights=stages[0].weights,
        kv=kv,
        kv_low=ends[0],
        kv_high=ends[1],
        kv_tokens=serving.logged_tokens(question, candidate.layout, blocks, context),
        tokens_low=serving.logged_tokens(question, candidate.layout, low, context),
        tokens_high=serving.logged_tokens(question, candidate.layout, high, context),
        activation=max(stage.activation for stage in stages),
        graphs=tightest.graphs,
        non_torch=_non_torch(question, candidate, setting, tightest.stage),
        budget=tightest.budget,
        token=MANY_BLOCKS
        * tightest.block
        / serving.logged_tokens(question, candidate.layout, MANY_BLOCKS, context),
    )


def _non_torch(
    question: Question, candidate: Candidate, setting: Setting, stage: int
) -> int | None:
    if question.engine is not EngineName.VLLM:
        return None
    return rank_of(question, candidate, setting, stage).non_torch


def starts(launch: Launch) -> bool:
    """Whether the planner gives a plan for the launch, through its front door.

    Raises:
        NotPlannedError: as for :func:`estimate`.
    """
    return warnings_of(launch) is not None


def warnings_of(launch: Launch) -> tuple[str, ...] | None:
    """Return what the plan for a launch warns of; None where there is no plan.

    Raises:
        NotPlannedError: as for :func:`estimate`.
    """
    inventory = _hardware(launch)
    question = _question(launch, inventory)
    if solve(question, inventory).best is None:
        return None  # without seeking what would help
    found = plan(question.request, inventory, load_catalog())
    return found.warnings if isinstance(found, Plan) else None


def model_of(name: str) -> ModelArchitecture:
    """Return a model of the catalog.

    Raises:
        NotPlannedError: there is none of that name.
    """
    try:
        return load_catalog().model(name)
    except KeyError:
        raise NotPlannedError(f"the catalog has no {name}") from None


def question_of_file(model: str, quantization: str, checkpoint: str) -> Question:
    """Ask for a model in one weight format, on a card that holds it.

    Raises:
        NotPlannedError: this release has no such model or format.
    """
    model_of(model)
    fmt = _quantization(quantization)
    engine = EngineName.LLAMACPP if fmt.is_gguf else EngineName.VLLM
    request = PlanRequest(model, engine=engine, quantization=fmt, source=checkpoint or None)
    inventory = Inventory((NodeGroup(load_catalog().accelerator(STAND_IN), 1),))
    return _understood(request, inventory)


def _hardware(launch: Launch) -> Inventory:
    stand_in = STAND_IN_OF_GROUPS if launch.quantization in GROUPED else STAND_IN
    name = launch.accelerator or stand_in
    try:
        accelerator = load_catalog().accelerator(name)
    except KeyError:
        raise NotPlannedError(f"the catalog has no {name}") from None
    if launch.device_gib is not None:
        mib = int(launch.device_gib * GIB) // MIB
        accelerator = replace(
            accelerator, memory_mib=mib, usable_memory_mib=mib, usable_relative_error=0.0
        )
    gpus = launch.gpus if launch.tensor is not None else 8
    return Inventory((NodeGroup(accelerator, gpus),))


def _question(launch: Launch, inventory: Inventory) -> Question:
    model = model_of(launch.model)
    tokens = launch.request_tokens
    request = PlanRequest(
        launch.model,
        source=launch.checkpoint or None,
        engine=EngineName(launch.engine),
        engine_version=launch.version or None,
        quantization=_quantization(launch.quantization),
        kv_cache_dtype=KvCacheDtype(launch.kv_cache_dtype or "auto"),
        parallelism=_parallelism(launch),
        max_model_len=launch.max_model_len or model.max_position_embeddings,
        workload=Workload(
            launch.concurrency or 1,
            tokens - 1 if tokens else None,
            1 if tokens else None,
        ),
        tuning=EngineTuning(
            gpu_memory_utilization=launch.utilization,
            max_num_seqs=launch.max_num_seqs,
            max_num_batched_tokens=launch.max_num_batched_tokens,
            kv_cache_memory_bytes=launch.kv_cache_memory_bytes,
            enforce_eager=launch.enforce_eager,
        ),
    )
    return _understood(request, inventory)


def _parallelism(launch: Launch) -> ParallelismWish:
    if launch.tensor is None:
        return ParallelismWish()
    return ParallelismWish(
        launch.tensor, launch.pipeline or 1, launch.data or 1, launch.expert or 1
    )


def _quantization(name: str) -> Quantization:
    try:
        return Quantization(name)
    except ValueError:
        raise NotPlannedError(f"no weight format is called {name}") from None


def _understood(request: PlanRequest, inventory: Inventory) -> Question:
    try:
        question = understand(request, inventory, load_catalog())
        serving_of(question.engine)
    except SpecError as error:
        raise NotPlannedError(str(error)) from None
    except KeyError as error:
        raise NotPlannedError(f"this release does not plan {error}") from None
    if not question.choices:
        wanted = f"{request.quantization.value} checkpoint of {request.model}"
        raise NotPlannedError(f"the catalog knows no {wanted}")
    held = question.choices[0].fmt.quantization
    if held is not request.quantization:
        raise NotPlannedError(f"this release computes no {request.quantization.value}")
    return question
