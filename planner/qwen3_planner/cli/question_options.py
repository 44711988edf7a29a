"""The options that make up a question, shared by the commands that plan."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import click

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.resolving import (
    agree_on_quantization,
    resolve_accelerator,
    resolve_model,
)
from qwen3_planner.cli.calibrations import calibrated
from qwen3_planner.cli.parameters import (
    AdapterType,
    Amount,
    Listed,
    Named,
    OrNone,
    Share,
    Suggested,
    Whole,
)
from qwen3_planner.cli.reading import read_hardware, read_yaml
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.request import (
    ChatSettings,
    EngineName,
    EngineTuning,
    KvCacheDtype,
    MultiNode,
    Objective,
    ParallelismWish,
    PlanRequest,
    Quantization,
    Targets,
    Workload,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from qwen3_planner.catalog.resolving import ResolvedModel
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.request import Adapter

MISSING = "(missing)"
ACCELERATORS = "--accelerators"
SOURCE = "source"
ANY = "any"
"""Stands for all hardware of the catalog."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a command line asks.

    Attributes:
        request: to the planner.
        alternatives: (as typed, hardware) of which one is to be used; empty: whatever holds it.
        catalog: with what the inventory and a local folder add to it.
        from_resource: whether a resource asks, not options.
        extra_args: that a resource adds to the command of its plan.
    """

    request: PlanRequest
    alternatives: tuple[tuple[str, Inventory], ...]
    catalog: Catalog
    from_resource: bool
    extra_args: tuple[str, ...] = ()

    @property
    def inventory(self) -> Inventory:
        """All hardware that is named."""
        return _together(inventory for _, inventory in self.alternatives)


@dataclass(frozen=True, slots=True)
class Asked:
    """The options that make up the question; None where the user gave none."""

    engine: EngineName | None
    engine_version: str | None
    quantization: Quantization | None
    kv_cache_dtype: KvCacheDtype | None
    tensor: int | None
    pipeline: int | None
    data: int | None
    expert: int | None
    replicas: int | None
    max_model_len: int | None
    concurrency: int | None
    input_tokens: int | None
    output_tokens: int | None
    ttft_ms: float | None
    tpot_ms: float | None
    output_tokens_per_second: float | None
    requests_per_second: float | None
    objective: Objective | None
    gpu_memory_utilization: float | None
    max_num_seqs: int | None
    max_num_batched_tokens: int | None
    kv_cache_memory_bytes: int | None
    cpu_offload_gb: float | None
    enforce_eager: bool | None
    lora: tuple[Adapter, ...] | None
    max_loras: int | None
    max_lora_rank: int | None
    fully_sharded_loras: bool | None
    draft_model: str | None
    draft_tokens: int | None
    multi_node: MultiNode | None
    thinking: bool | None
    thinking_budget_tokens: int | None
    tool_calling: bool | None
    accelerators: tuple[str, ...] | None
    max_gpus: int | None
    max_nodes_per_replica: int | None
    served_name: str | None
    source: str | None
    revision: str | None
    from_checkpoint: str | None
    calibration: str | None

    @property
    def given(self) -> tuple[str, ...]:
        """The options that were given, as typed on the command line."""
        return tuple(
            f"--{field.name.replace('_', '-')}"
            for field in fields(self)
            if field.name != "calibration"  # says what is known, not what is asked
            and getattr(self, field.name) is not None
        )


def _option(name: str, kind: click.ParamType[Any], text: str) -> Callable[[Any], Any]:
    return click.option(f"--{name}", type=kind, default=None, help=text)


_QUESTION = (
    _option("engine", Named(EngineName), "Model server.  [default: auto]"),
    _option("engine-version", click.STRING, "Of the engine.  [default: newest that is tested]"),
    _option("quantization", Named(Quantization), "Weights.  [default: auto, most precise]"),
    _option("kv-cache-dtype", Named(KvCacheDtype), "KV cache.  [default: auto, the engine's own]"),
    _option("tensor", Whole(), "GPUs that share each layer."),
    _option("pipeline", Whole(), "Stages that the layers are cut into."),
    _option("data", Whole(), "Data-parallel ranks inside one replica."),
    _option("expert", Whole(), "Size of the expert-parallel group; 1 is off."),
    _option("replicas", Whole(), "Copies of the server.  [default: 1, or what targets take]"),
    _option("max-model-len", Whole(), "Longest sequence, tokens.  [default: native, or less]"),
    _option("concurrency", Whole(), "Requests in flight per replica.  [default: 1]"),
    _option("input-tokens", Whole(), "Tokens of one prompt."),
    _option("output-tokens", Whole(), "Tokens generated per request."),
    _option("ttft-ms", OrNone(Amount()), "Mean time to first token, at most."),
    _option("tpot-ms", OrNone(Amount()), "Mean time per output token, at most."),
    _option("output-tokens-per-second", OrNone(Amount()), "Of all replicas, at least."),
    _option("requests-per-second", OrNone(Amount()), "That arrive at all replicas at random."),
    _option("objective", Named(Objective), "Among plans as precise.  [default: cost]"),
    _option("gpu-memory-utilization", Share(), "Share of GPU memory.  [default: the engine's own]"),
    _option("max-num-seqs", Whole(), "Sequences computed at once.  [default: the engine's own]"),
    _option("max-num-batched-tokens", Whole(), "Tokens of one step.  [default: the engine's own]"),
    _option("kv-cache-memory-bytes", OrNone(Whole()), "KV pool of a GPU.  [default: what is left]"),
    _option("cpu-offload-gb", OrNone(Amount()), "GiB of one GPU's weights kept in host memory."),
    click.option("--enforce-eager/--no-enforce-eager", default=None, help="No CUDA graphs."),
    click.option(
        "--lora",
        type=AdapterType(),
        multiple=True,
        callback=lambda _context, _option, given: tuple(filter(None, given)) or None,
        metavar="NAME=SOURCE[@REVISION][,rank=N]",
        help="A LoRA adapter that is served, too; repeatable.  [default: none]",
    ),
    _option("max-loras", OrNone(Whole()), "LoRA adapters held at once.  [default: those named]"),
    _option("max-lora-rank", OrNone(Whole()), "Largest rank of one.  [default: what those need]"),
    click.option(
        "--fully-sharded-loras/--no-fully-sharded-loras",
        default=None,
        help="Share out both halves of each adapter over tensor ranks.",
    ),
    _option("draft-model", OrNone(click.STRING), "Variant that drafts tokens.  [default: none]"),
    _option("draft-tokens", OrNone(Whole()), "Tokens drafted per step.  [default: 3]"),
    _option("multi-node", OrNone(Named(MultiNode)), "Start over several nodes: native or ray."),
    click.option(
        "--thinking/--no-thinking", default=None, help="Whether answers begin with reasoning."
    ),
    _option("thinking-budget-tokens", Whole(), "Tokens after which reasoning is ended."),
    click.option(
        "--tool-calling/--no-tool-calling",
        default=None,
        help="Whether tool calls are read out of answers.  [default: where the engine can]",
    ),
    _option("accelerators", Listed(), "Those that may be used, comma separated.  [default: any]"),
    _option("max-gpus", Whole(), "Upper bound on the GPUs of all replicas."),
    _option("max-nodes-per-replica", Whole(), "Upper bound on the nodes of one replica."),
    _option("served-name", click.STRING, "Name under which clients ask for the model."),
    _option("source", click.STRING, "Where the weights are: hf://, modelscope://, pvc:// or oci://…"),
    _option("revision", click.STRING, "Branch, tag or commit of the source."),
    _option("from-checkpoint", click.STRING, "Weights here, planned exactly: a file or a folder."),
    _option("calibration", click.STRING, "What was measured, or none.  [env: QWEN3_CALIBRATION]"),
)  # fmt: skip


_WHERE = (
    click.argument("model", required=False, type=Suggested("models")),
    click.option(
        "--hardware",
        type=Suggested("accelerators"),
        multiple=True,
        metavar="HARDWARE",
        help="[NODESx]COUNTxPRODUCT, an inventory file (.yaml), local, cluster, or any. Given"
        " several times: alternatives.  [required]",
    ),
    click.option(
        "-f",
        "--filename",
        metavar="RESOURCE.yaml",
        help="Plan a Qwen3Deployment instead of MODEL and options; - is stdin.",
    ),
)


def where_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add MODEL, the hardware and the resource to a command, first in its help."""
    for option in reversed(_WHERE):
        command = option(command)
    return command


def model_and_hardware(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add MODEL and the hardware alone to a command that takes no resource."""
    for option in reversed(_WHERE[:2]):
        command = option(command)
    return command


def question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a question to a command, in the order of its help."""
    for option in reversed(_QUESTION):
        command = option(command)
    return command


def read_question(
    model: str | None, hardware: tuple[str, ...], filename: str | None, asked: Asked
) -> Asking:
    """Turn what was typed into a question.

    Raises:
        SpecError: something is missing, unknown or given twice.
    """
    catalog = calibrated(load_catalog(), asked.calibration)
    alternatives = _alternatives(hardware, catalog)
    inventory = _together(inventory for _, inventory in alternatives)
    catalog = _with_own_accelerators(catalog, inventory)
    if filename is None:
        request, catalog = _request_from_options(model, asked, inventory, catalog)
        return Asking(request, alternatives, catalog, from_resource=False)
    request, extra_args = _request_from_resource(filename, model, asked, catalog)
    return Asking(request, alternatives, catalog, from_resource=True, extra_args=extra_args)


def _alternatives(hardware: tuple[str, ...], catalog: Catalog) -> tuple[tuple[str, Inventory], ...]:
    """Read each hardware that is named; none where any will do."""
    if not hardware:
        reason = "say what hardware there is"
        choices = ["2xH100-SXM-80GB", "inventory.yaml", "local", "cluster", ANY]
        raise SpecError("--hardware", MISSING, reason, choices)
    is_any = [typed.strip().lower() == ANY for typed in hardware]
    if all(is_any):
        return ()
    if any(is_any):
        raise SpecError(
            "--hardware", ANY, "any hardware includes the others: name one or the other"
        )
    return tuple((typed, read_hardware(typed, catalog)) for typed in hardware)


def _together(inventories: Iterable[Inventory]) -> Inventory:
    from qwen3_planner.inventory.hardware import Inventory  # noqa: PLC0415 - not needed for help

    return Inventory(tuple(group for inventory in inventories for group in inventory.groups))


@contextmanager
def source_named_as_typed(asking: Asking) -> Iterator[None]:
    """Name what is wrong as whoever asks knows it: the planner does not know who that is."""
    try:
        yield
    except SpecError as error:
        if asking.from_resource:
            from qwen3_planner.api.fields import as_field  # noqa: PLC0415 - rare

            raise as_field(error) from None
        if error.field != SOURCE:
            raise
        raise SpecError(f"--{SOURCE}", *error.args[1:]) from None


def _with_own_accelerators(catalog: Catalog, inventory: Inventory) -> Catalog:
    """Add what an inventory file defines itself, so that --accelerators can name it."""
    known = set(catalog.accelerators)
    own = tuple(row for row in inventory.accelerators if row not in known)
    return replace(catalog, accelerators=(*own, *catalog.accelerators)) if own else catalog


def _request_from_resource(
    filename: str, model: str | None, asked: Asked, catalog: Catalog
) -> tuple[PlanRequest, tuple[str, ...]]:
    if model is not None or asked.given:
        extra = asked.given[0] if asked.given else f"MODEL {model}"
        reason = f"the resource asks the whole question; {extra} cannot be given as well"
        raise SpecError("-f", filename, reason)
    from qwen3_planner.api.conversion import parse, plan_request  # noqa: PLC0415 - pydantic

    document = read_yaml(filename, field="-f")
    if not isinstance(document, dict):
        raise SpecError("-f", filename, "is no Qwen3Deployment")
    resource = parse(document)
    return plan_request(resource, catalog), resource.spec.engine.extra_args


def _request_from_options(
    model: str | None, asked: Asked, inventory: Inventory, catalog: Catalog
) -> tuple[PlanRequest, Catalog]:
    if model is None and (asked.from_checkpoint or "").lower().endswith(".gguf"):
        model = asked.from_checkpoint  # its header says what it is
    if model is None:
        names = [row.name for row in catalog.models]
        raise SpecError("MODEL", MISSING, "name a model, or give a resource with -f", names)
    resolved = _resolved(model, asked, catalog)
    quantization = agree_on_quantization(
        resolved,
        asked.quantization or Quantization.AUTO,
        typed_model=model,
        field="--quantization",
    )
    request = PlanRequest(
        model=resolved.name,
        source=asked.source or resolved.source,
        revision=asked.revision,
        served_name=asked.served_name,
        engine=asked.engine or EngineName.AUTO,
        engine_version=asked.engine_version,
        quantization=quantization,
        kv_cache_dtype=asked.kv_cache_dtype or KvCacheDtype.AUTO,
        parallelism=ParallelismWish(asked.tensor, asked.pipeline, asked.data, asked.expert),
        replicas=asked.replicas or 1,
        replicas_are_open=asked.replicas is None,
        targets=Targets(
            asked.ttft_ms,
            asked.tpot_ms,
            asked.output_tokens_per_second,
            asked.requests_per_second,
        ),
        objective=asked.objective or Objective.COST,
        max_model_len=asked.max_model_len,
        workload=Workload(asked.concurrency or 1, asked.input_tokens, asked.output_tokens),
        tuning=_tuning(asked, catalog),
        chat=ChatSettings(asked.thinking, asked.thinking_budget_tokens, asked.tool_calling),
        accelerators=_accelerators(asked.accelerators or (), inventory, resolved.catalog),
        max_gpus=asked.max_gpus,
        max_nodes_per_replica=asked.max_nodes_per_replica,
        adapters=asked.lora or (),
    )
    return request, resolved.catalog


def _resolved(model: str, asked: Asked, catalog: Catalog) -> ResolvedModel:
    """Find the model that is meant, and what the files at hand say of it."""
    place = asked.from_checkpoint or ""
    if not model.lower().endswith(".gguf") and not place.lower().endswith(".gguf"):
        return _with_files(resolve_model(model, catalog), model, asked, catalog)
    from qwen3_planner.checkpoints.gguf_model import (  # noqa: PLC0415 - rare, reads files
        gguf_as_model,
        with_gguf,
    )

    if model.lower().endswith(".gguf"):
        return gguf_as_model(model, catalog)
    named = resolve_model(model, catalog)
    return with_gguf(named, place, asked.source, field="--from-checkpoint")


def _with_files(
    resolved: ResolvedModel, model: str, asked: Asked, catalog: Catalog
) -> ResolvedModel:
    """Read the weights' headers: of a folder that was given as MODEL, or as told."""
    if asked.from_checkpoint is None and resolved.catalog is catalog:
        return resolved
    from qwen3_planner.checkpoints.applying import with_files  # noqa: PLC0415 - rare, reads files

    return with_files(resolved, model, asked.from_checkpoint, asked.source)


def _tuning(asked: Asked, catalog: Catalog) -> EngineTuning:
    draft = asked.draft_model
    return EngineTuning(
        gpu_memory_utilization=asked.gpu_memory_utilization,
        max_num_seqs=asked.max_num_seqs,
        max_num_batched_tokens=asked.max_num_batched_tokens,
        kv_cache_memory_bytes=asked.kv_cache_memory_bytes,
        cpu_offload_gib=asked.cpu_offload_gb,
        enforce_eager=asked.enforce_eager,
        max_loras=asked.max_loras,
        max_lora_rank=asked.max_lora_rank,
        fully_sharded_loras=asked.fully_sharded_loras,
        draft_model=None
        if draft is None
        else resolve_model(draft, catalog, field="--draft-model").name,
        draft_tokens=asked.draft_tokens,
        multi_node=asked.multi_node,
    )


def _accelerators(
    typed: tuple[str, ...], inventory: Inventory, catalog: Catalog
) -> tuple[str, ...]:
    """Resolve names among the hardware at hand first: ``H100`` is clear where there is one kind."""
    return tuple(dict.fromkeys(_accelerator(name, inventory, catalog) for name in typed))


def _accelerator(typed: str, inventory: Inventory, catalog: Catalog) -> str:
    here = inventory.accelerators
    try:
        return resolve_accelerator(typed, here, field=ACCELERATORS).name
    except SpecError:
        pass
    try:
        return resolve_accelerator(typed, catalog.accelerators, field=ACCELERATORS).name
    except SpecError as error:
        choices = dict.fromkeys((*nearest_first(typed, [row.name for row in here]), *error.choices))
        raise SpecError(ACCELERATORS, typed, error.reason, tuple(choices)) from None
