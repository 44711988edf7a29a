"""A request with every default resolved and every number checked: what is planned against."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from qwen3_planner.catalog.calibration import NOTHING_MEASURED, Calibration
from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.engines.adapters import check_adapters, settled
from qwen3_planner.engines.chatting import check_model
from qwen3_planner.engines.ladders import ladder_of
from qwen3_planner.engines.llamacpp import chat as llamacpp_chat
from qwen3_planner.engines.sglang import chat as sglang_chat
from qwen3_planner.engines.sources import is_same_source
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.engines.vllm import chat as vllm_chat
from qwen3_planner.engines.vllm.kernels import BF16_UNITS
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.request import EngineName, EngineTuning, KvCacheDtype, Quantization
from qwen3_planner.sizing.formats import BF16, ONLINE_FP8, WeightFormat, WeightKind, format_of
from qwen3_planner.sizing.gguf import type_in_name
from qwen3_planner.units import ceil_div

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import Efficiency
    from qwen3_planner.catalog.rows import (
        Accelerator,
        Catalog,
        Checkpoint,
        EngineRelease,
        ModelArchitecture,
    )
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.plan import Layout
    from qwen3_planner.request import PlanRequest

DEFAULT_INPUT_TOKENS = 1024
"""Prompt of one request where only the output is stated."""

DEFAULT_OUTPUT_TOKENS = 256
"""Generated tokens of one request where only the input is stated."""

NOTHING_TUNED = EngineTuning()

SHORTEST_USEFUL_CONTEXT = 2048
"""The planner shortens a context that was left to it down to this, not below: a turn of the
default load (1024 + 256 tokens) with some history. A shorter one can be asked for."""

_CHAT_CHECKS = {
    EngineName.VLLM: vllm_chat.check_chat,
    EngineName.SGLANG: sglang_chat.check_chat,
    EngineName.LLAMACPP: llamacpp_chat.check_chat,
}

GPU_VENDORS = ("nvidia", "amd")
"""Vendors on whose GPUs ``auto`` takes vLLM."""


@dataclass(frozen=True, slots=True)
class WeightChoice:
    """A checkpoint in the format it would be served in.

    Attributes:
        source: its URL.
        fmt: how linear weights are held.
        warnings: what the user should know about this choice.
    """

    source: str
    fmt: WeightFormat
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is planned.

    Attributes:
        request: as asked, its numbers checked.
        model: the architecture.
        engine: which server, never auto.
        release: what the catalog knows of the engine.
        version: of the engine, asked for or default.
        choices: weight formats that may be used, most precise first; empty where the asked one
            has no known checkpoint.
        kv_cache_dtype: resolved, never auto.
        request_tokens: input plus output of one request; None where neither is stated.
        draft: the model that drafts tokens; None: no speculation.
        draft_source: URL of its weights.
        tuning: of the engine as asked, with the slots that its adapters need.
        calibration: what was measured where it is to run.
        efficiencies: of the engines, that speeds are predicted with.
    """

    request: PlanRequest
    model: ModelArchitecture
    engine: EngineName
    release: EngineRelease
    version: Version
    choices: tuple[WeightChoice, ...]
    kv_cache_dtype: KvCacheDtype
    request_tokens: int | None
    draft: ModelArchitecture | None = None
    draft_source: str | None = None
    tuning: EngineTuning = NOTHING_TUNED
    calibration: Calibration = NOTHING_MEASURED
    efficiencies: tuple[Efficiency, ...] = field(default=(), compare=False, repr=False)

    @property
    def wanted_context(self) -> int:
        """The context that a plan should hold: asked for, else native (or one whole request)."""
        if self.request.max_model_len is not None:
            return self.request.max_model_len
        return max(self.model.max_position_embeddings, self.request_tokens or 0)

    @property
    def shortest_context(self) -> int:
        """The context below which there is no plan."""
        if self.request.max_model_len is not None:
            return self.request.max_model_len
        if self.request_tokens is not None:
            return self.request_tokens
        return min(SHORTEST_USEFUL_CONTEXT, self.model.max_position_embeddings)

    def requests_per_rank(self, layout: Layout) -> int:
        """Return the requests in flight on one data-parallel rank."""
        return ceil_div(self.request.workload.concurrency, layout.data)


def understand(request: PlanRequest, inventory: Inventory, catalog: Catalog) -> Question:
    """Check the request's numbers and resolve its defaults.

    Raises:
        SpecError: a number is impossible, a name is unknown, or two fields contradict.
    """
    check_numbers(request)
    model = _model("MODEL", request.model, catalog)
    draft, draft_source = _draft(request, model, catalog)
    engine = settle_engine(request, inventory)
    release = _release(engine, catalog)
    version = _version(request, release)
    check_model(model, request.chat)
    _check_targets(model, request)
    _CHAT_CHECKS[engine](model, request.chat, version)
    return Question(
        request=request,
        model=model,
        engine=engine,
        release=release,
        version=version,
        choices=weight_choices(request, engine, inventory, catalog),
        kv_cache_dtype=_kv_cache_dtype(request, engine),
        request_tokens=_request_tokens(request),
        draft=draft,
        draft_source=draft_source,
        tuning=settled(request, engine, version),
        calibration=catalog.calibration,
        efficiencies=catalog.efficiencies,
    )


def settle_engine(request: PlanRequest, inventory: Inventory) -> EngineName:
    """Choose the engine where that was left to the planner.

    llama.cpp serves GGUF files, and everything where there is no GPU of a data-centre vendor among
    the hardware that may be used; vLLM serves the rest.
    """
    if request.engine is not EngineName.AUTO:
        return request.engine
    if request.quantization.is_gguf:
        return EngineName.LLAMACPP
    here = _allowed(request, inventory)
    is_gpu = any(a.device_class is AcceleratorClass.GPU and a.vendor in GPU_VENDORS for a in here)
    return EngineName.VLLM if is_gpu or not here else EngineName.LLAMACPP


def _kv_cache_dtype(request: PlanRequest, engine: EngineName) -> KvCacheDtype:
    if request.kv_cache_dtype is not KvCacheDtype.AUTO:
        return request.kv_cache_dtype
    return KvCacheDtype.FP16 if engine is EngineName.LLAMACPP else KvCacheDtype.BF16


def check_numbers(request: PlanRequest) -> None:
    """Refuse numbers that no plan can hold.

    Raises:
        SpecError: naming the option, the value as typed and what is allowed.
    """
    parallelism, load, tuning = request.parallelism, request.workload, request.tuning
    at_least_one: tuple[tuple[str, int | None], ...] = (
        ("--tensor", parallelism.tensor),
        ("--pipeline", parallelism.pipeline),
        ("--data", parallelism.data),
        ("--expert", parallelism.expert),
        ("--replicas", request.replicas),
        ("--max-model-len", request.max_model_len),
        ("--concurrency", load.concurrency),
        ("--input-tokens", load.input_tokens),
        ("--output-tokens", load.output_tokens),
        ("--max-num-seqs", tuning.max_num_seqs),
        ("--max-num-batched-tokens", tuning.max_num_batched_tokens),
        ("--kv-cache-memory-bytes", tuning.kv_cache_memory_bytes),
        ("--max-loras", tuning.max_loras),
        ("--draft-tokens", tuning.draft_tokens),
        ("--max-gpus", request.max_gpus),
        ("--max-nodes-per-replica", request.max_nodes_per_replica),
    )
    for option, value in at_least_one:
        if value is not None and value < 1:
            raise SpecError(option, value, "must be at least 1")
    for option, wanted in request.targets.as_options:
        if wanted is not None and not wanted > 0:
            raise SpecError(option, f"{wanted:g}", "must be above 0")
    share = tuning.gpu_memory_utilization
    if share is not None and not 0 < share <= 1:
        raise SpecError("--gpu-memory-utilization", share, "must lie in (0, 1]")
    offload = tuning.cpu_offload_gib
    if offload is not None and offload < 0:
        raise SpecError("--cpu-offload-gb", offload, "must not be negative")
    check_adapters(request)


def _check_targets(model: ModelArchitecture, request: PlanRequest) -> None:
    for option, wanted in request.targets.as_options:
        if wanted is not None and model.is_pooling and option != "--ttft-ms":
            reason = f"is of models that generate: {model.name} embeds or scores"
            raise SpecError(option, f"{wanted:g}", reason)


def _draft(
    request: PlanRequest, model: ModelArchitecture, catalog: Catalog
) -> tuple[ModelArchitecture | None, str | None]:
    """Return the model that drafts tokens and the URL of its plain weights, if one is asked for."""
    tuning = request.tuning
    if tuning.draft_model is None:
        if tuning.draft_tokens is not None:
            raise SpecError("--draft-tokens", tuning.draft_tokens, "needs a --draft-model")
        return None, None
    draft = _model("--draft-model", tuning.draft_model, catalog)
    if draft.vocab_size != model.vocab_size:
        reason = f"has {draft.vocab_size} words, {model.name} has {model.vocab_size}"
        raise SpecError("--draft-model", tuning.draft_model, reason)
    plain = (
        row.uri
        for row in catalog.checkpoints_of(draft.name)
        if row.quantization == Quantization.BF16
    )
    return draft, next(plain, f"hf://Qwen/{draft.name}")


def _model(field: str, name: str, catalog: Catalog) -> ModelArchitecture:
    try:
        return catalog.model(name)
    except KeyError:
        names = nearest_first(name, (row.name for row in catalog.models))
        raise SpecError(field, name, "is not in the catalog", names) from None


def _release(engine: EngineName, catalog: Catalog) -> EngineRelease:
    try:
        return catalog.engine(engine.value)
    except KeyError:
        names = nearest_first(engine.value, (row.name for row in catalog.engines))
        raise SpecError("--engine", engine.value, "is not in the catalog", names) from None


def _version(request: PlanRequest, release: EngineRelease) -> Version:
    if request.engine_version is None:
        return parse_version(release.default_version)
    version = parse_version(request.engine_version)
    minimum = parse_version(release.minimum_version)
    if bool(version.build) is not bool(minimum.build):
        reason = f"{release.name} counts its releases otherwise"
        raise SpecError(
            "--engine-version", request.engine_version, reason, (release.default_version,)
        )
    if version < minimum:
        reason = f"{release.name} serves Qwen3 from {minimum} on"
        raise SpecError("--engine-version", request.engine_version, reason)
    return version


def _request_tokens(request: PlanRequest) -> int | None:
    load = request.workload
    if load.input_tokens is None and load.output_tokens is None:
        return None
    entered = DEFAULT_INPUT_TOKENS if load.input_tokens is None else load.input_tokens
    produced = DEFAULT_OUTPUT_TOKENS if load.output_tokens is None else load.output_tokens
    return entered + produced


def weight_choices(
    request: PlanRequest, engine: EngineName, inventory: Inventory, catalog: Catalog
) -> tuple[WeightChoice, ...]:
    """List the checkpoints that may be served, most precise first.

    Raises:
        SpecError: the source is a checkpoint of another model or quantization than asked for.
    """
    known = catalog.checkpoints_of(request.model)
    if request.source is not None:
        return tuple(
            _choice_of_source(one, request.source, catalog)
            for one in _readings(request, request.source, engine, catalog)
        )
    wished = _wished_formats(request, engine, inventory)
    found = (_known_choice(known, quantization, request) for quantization in wished)
    return tuple(choice for choice in found if choice is not None)


def _wished_formats(
    request: PlanRequest, engine: EngineName, inventory: Inventory
) -> tuple[Quantization, ...]:
    """List the formats to try: the asked one, or the engine's, most precise first.

    GPUs without bf16 units serve bf16 checkpoints in fp16, which is a try of its own.
    """
    if request.quantization is not Quantization.AUTO:
        return (request.quantization,)
    ladder = ladder_of(engine)
    capabilities = (gpu.compute_capability for gpu in _allowed(request, inventory))
    if Quantization.BF16 in ladder and any(one and one < BF16_UNITS for one in capabilities):
        return (Quantization.BF16, Quantization.FP16, *ladder[1:])
    return ladder


def _allowed(request: PlanRequest, inventory: Inventory) -> list[Accelerator]:
    names = {name.lower() for name in request.accelerators}
    return [one for one in inventory.accelerators if not names or one.name.lower() in names]


def _known_choice(
    known: tuple[Checkpoint, ...], quantization: Quantization, request: PlanRequest
) -> WeightChoice | None:
    for row in known:
        if row.quantization == quantization:
            return WeightChoice(row.uri, format_of(row))
    plain = [row for row in known if row.quantization == Quantization.BF16]
    if quantization is Quantization.FP16 and plain:
        return WeightChoice(plain[0].uri, replace(BF16, quantization=quantization))
    asked = request.quantization is quantization
    if quantization is not Quantization.FP8 or not plain or not asked:
        return None
    warning = (
        f"No fp8 checkpoint of {request.model} is known: vLLM makes fp8 weights while loading"
        f" {plain[0].uri}, so it reads the whole bf16 files."
    )
    return WeightChoice(plain[0].uri, ONLINE_FP8, (warning,))


def _readings(
    request: PlanRequest, source: str, engine: EngineName, catalog: Catalog
) -> tuple[PlanRequest, ...]:
    """List what the source may be taken for: repositories of GGUF files hold many types.

    Of one that is not known, the type that a file's name says is there, or else each that the
    engine tries by itself may be.
    """
    if engine is not EngineName.LLAMACPP or request.quantization is not Quantization.AUTO:
        return (request,)
    ladder, file = ladder_of(engine), source.rpartition("/")[2]
    rows = (row for row in catalog.checkpoints if is_same_source(row.uri, source))
    there = {Quantization(row.quantization) for row in rows}
    said = type_in_name(file) if file.endswith(".gguf") else None
    known = tuple(each for each in ladder if each in there)
    wished = known or ladder if said is None else (said,)
    return tuple(replace(request, quantization=each) for each in wished)


def _choice_of_source(request: PlanRequest, source: str, catalog: Catalog) -> WeightChoice:
    asked = request.quantization
    rows = [row for row in catalog.checkpoints if is_same_source(row.uri, source)]
    rows.sort(key=lambda row: row.quantization != asked)  # a repository of GGUF files has many
    row = rows[0] if rows else None
    if row is not None:
        if row.variant != request.model:
            reason = f"is a checkpoint of {row.variant}, not of {request.model}"
            raise SpecError("source", source, reason)
        if asked not in (Quantization.AUTO, Quantization(row.quantization)):
            reason = f"the checkpoint {source} is {row.quantization}"
            raise SpecError("--quantization", asked.value, reason, (row.quantization, "auto"))
        return WeightChoice(source, format_of(row))
    quantization = Quantization.BF16 if asked is Quantization.AUTO else asked
    like = _typical_format(quantization, catalog)
    warning = (
        f"{source} is not in the catalog: its weights are taken to be {quantization.value} of the"
        f" shape of {request.model}."
    )
    return WeightChoice(source, like, (warning,))


def _typical_format(quantization: Quantization, catalog: Catalog) -> WeightFormat:
    """Take the format that the known checkpoints of a quantization have, as far as all do.

    Scales of the KV cache and the size of the files are one checkpoint's own.
    """
    row = next((row for row in catalog.checkpoints if row.quantization == quantization), None)
    if row is None:
        return WeightFormat(quantization, WeightKind.GGUF) if quantization.is_gguf else BF16
    return replace(format_of(row), kv_scales=False, file_bytes=0)
