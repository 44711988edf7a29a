"""From what a user applied to what the planner is asked: body -> model -> request.

Pure. Errors are :class:`qwen3_planner.errors.SpecError` with the path of the field as the user
writes it, the value as typed and the choices, nearest first.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from qwen3_planner.api.schema import RULE_ERROR, Struct
from qwen3_planner.api.status import NOT_SEEN, Qwen3DeploymentStatus
from qwen3_planner.api.v1alpha1 import Qwen3Deployment
from qwen3_planner.catalog.profiles import PRODUCT_INFIX, profile_of
from qwen3_planner.catalog.resolving import MAX_CHOICES, resolve_accelerator
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.request import (
    MODEL_MOUNT_PATH,
    Adapter,
    ChatSettings,
    EngineTuning,
    ParallelismWish,
    PlanRequest,
    Targets,
    Workload,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from qwen3_planner.api.adapters import LoraSpec
    from qwen3_planner.api.caching import CacheSpec
    from qwen3_planner.api.loads import ParallelismSpec, WorkloadSpec
    from qwen3_planner.api.model_server import EngineSpec
    from qwen3_planner.api.v1alpha1 import Qwen3DeploymentSpec
    from qwen3_planner.catalog.rows import Catalog


def parse(body: Mapping[str, Any]) -> Qwen3Deployment:
    """Read a resource as the API server or a YAML file gives it; its status is left aside.

    Raises:
        SpecError: a field is unknown, missing, or its value not allowed. Where several are wrong,
            an unknown field comes first: a misspelt name explains the one that is missing.
    """
    wanted = {key: value for key, value in body.items() if key != "status"}
    try:
        return Qwen3Deployment.model_validate(wanted, by_alias=True, by_name=False)
    except ValidationError as error:
        raise _most_telling(error.errors(include_url=False), wanted) from None


def parse_status(body: Mapping[str, Any]) -> Qwen3DeploymentStatus:
    """Read the status the operator wrote earlier; one it cannot read is as good as none.

    The operator derives status from what it observes, so an unreadable one (written by another
    version) costs one more write, never a failure.
    """
    status = body.get("status") or {}
    if status.get("observedGeneration") == NOT_SEEN:  # the API server's default
        return Qwen3DeploymentStatus()
    try:
        return Qwen3DeploymentStatus.model_validate(status, by_alias=True, by_name=False)
    except ValidationError:
        return Qwen3DeploymentStatus()


def plan_request(resource: Qwen3Deployment, catalog: Catalog) -> PlanRequest:
    """Say the resource as a question to the planner.

    Zero replicas are planned as one: the plan then shows what would run. Where the load decides how
    many there are, their number changes no plan: it is made for the least of them.

    Raises:
        SpecError: an accelerator is unknown to the catalog or ambiguous.
    """
    spec = resource.spec
    return PlanRequest(
        model=spec.model.variant.value,
        source=spec.model.source,
        revision=spec.model.revision,
        served_name=spec.model.served_name,
        engine=spec.engine.name,
        engine_version=spec.engine.version,
        quantization=spec.quantization,
        kv_cache_dtype=spec.kv_cache_dtype,
        parallelism=_parallelism(spec.parallelism),
        replicas=_replicas(spec),
        max_model_len=spec.max_model_len,
        workload=Workload(
            concurrency=spec.workload.concurrency,
            input_tokens=spec.workload.input_tokens,
            output_tokens=spec.workload.output_tokens,
        ),
        tuning=_tuning(spec.engine, spec.lora),
        chat=_chat(spec),
        targets=_targets(spec.workload),
        objective=spec.objective,
        accelerators=_accelerators(spec, catalog),
        max_gpus=spec.max_gpus,
        weights_at=_weights_at(spec.cache),
        **_adapters(spec),
    )


def _replicas(spec: Qwen3DeploymentSpec) -> int:
    """Say for how many replicas to plan; a rate is one of all together, so it needs them all."""
    load = spec.workload
    rates = load.output_tokens_per_second is not None or load.requests_per_second is not None
    if spec.scaling is None or rates:
        return max(1, spec.replicas)
    return max(1, min(spec.replicas, spec.scaling.min_replicas))


def _weights_at(cache: CacheSpec | None) -> str | None:
    """Say where in the container a cache brings the weights; None where pods fetch them."""
    if cache is not None and cache.persistent_volume_claim is not None:
        return f"{MODEL_MOUNT_PATH}/"
    if cache is not None and cache.image is not None:
        return f"{MODEL_MOUNT_PATH}/{cache.image.folder or ''}".rstrip("/")
    return None


def _parallelism(wish: ParallelismSpec | None) -> ParallelismWish:
    if wish is None:
        return ParallelismWish()
    return ParallelismWish(
        tensor=wish.tensor, pipeline=wish.pipeline, data=wish.data, expert=wish.expert
    )


def _adapters(spec: Qwen3DeploymentSpec) -> dict[str, Any]:
    """Say the adapters; a claim that caches weights brings them, too."""
    if spec.lora is None:
        return {}
    is_claim = spec.cache is not None and spec.cache.persistent_volume_claim is not None
    return {
        "adapters": tuple(
            Adapter(one.name, one.source, one.revision, one.rank) for one in spec.lora.adapters
        ),
        "adapters_at": f"{MODEL_MOUNT_PATH}/" if is_claim else None,
        "loads_adapters": spec.lora.runtime_loading,
    }


def _tuning(engine: EngineSpec, lora: LoraSpec | None) -> EngineTuning:
    utilization, offload = engine.gpu_memory_utilization, engine.cpu_offload_gib
    return EngineTuning(
        gpu_memory_utilization=None if utilization is None else float(utilization),
        max_num_seqs=engine.max_num_seqs,
        max_num_batched_tokens=engine.max_num_batched_tokens,
        kv_cache_memory_bytes=engine.kv_cache_memory_bytes,
        cpu_offload_gib=None if offload is None else float(offload),
        enforce_eager=engine.enforce_eager,
        max_loras=lora.max_loras if lora else None,
        max_lora_rank=lora.max_lora_rank if lora else None,
        fully_sharded_loras=lora.fully_sharded if lora else None,
        draft_model=None if engine.draft_model is None else engine.draft_model.value,
        draft_tokens=engine.draft_tokens,
        multi_node=engine.multi_node,
    )


def _targets(workload: WorkloadSpec) -> Targets:
    rate = workload.requests_per_second
    return Targets(
        ttft_ms=workload.ttft_ms,
        tpot_ms=workload.tpot_ms,
        output_tokens_per_second=workload.output_tokens_per_second,
        requests_per_second=None if rate is None else float(rate),
    )


def _chat(spec: Qwen3DeploymentSpec) -> ChatSettings:
    thinking = spec.thinking
    return ChatSettings(
        thinking=thinking.default if thinking else None,
        thinking_budget_tokens=thinking.budget_tokens if thinking else None,
        tool_calling=spec.tool_calling,
    )


def _accelerators(spec: Qwen3DeploymentSpec, catalog: Catalog) -> tuple[str, ...]:
    names = (
        _accelerator(typed, f"spec.accelerators[{index}]", catalog)
        for index, typed in enumerate(spec.accelerators)
    )
    return tuple(dict.fromkeys(names))


def _accelerator(typed: str, field: str, catalog: Catalog) -> str:
    """Return the name of an accelerator, or of a MIG slice of one (``H100-SXM-80GB-MIG-1g.10gb``).

    Raises:
        SpecError: it is unknown to the catalog, or ambiguous.
    """
    whole, infix, profile = typed.partition(PRODUCT_INFIX)
    name = resolve_accelerator(whole, catalog.accelerators, field=field).name
    if infix and profile_of(profile) is None:
        raise SpecError(field, typed, "must end in a MIG profile", (f"{name}{infix}1g.10gb",))
    return f"{name}{infix}{profile}"


def _most_telling(errors: list[ErrorDetails], body: Mapping[str, Any]) -> SpecError:
    first = next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])
    return _spec_error(first, body)


MISSING = "(missing)"
"""Stands for the value where none was given."""

_QUOTED = re.compile(r"'([^']*)'")


def _spec_error(error: ErrorDetails, body: Mapping[str, Any]) -> SpecError:
    """Turn one of pydantic's errors into ours."""
    context = error.get("ctx", {})
    location = [*error["loc"]]
    if context.get("field"):  # a rule over several fields says which of them it is about
        parts = context["field"].split(".")
        location.extend(int(part) if part.isdecimal() else part for part in parts)
    value = _as_typed(_look_up(body, location))
    choices: tuple[str, ...] = ()
    match error["type"]:
        case "missing":
            reason = "is required"
        case "extra_forbidden":
            reason = "is not a field of this resource"
            choices = nearest_first(str(location[-1]), _fields_beside(location))
        case "enum" | "literal_error":
            reason = "is not one of the choices"
            choices = nearest_first(value, _QUOTED.findall(str(context["expected"])))[:MAX_CHOICES]
        case _:
            reason = _in_plain_words(error)
    return SpecError(_path(location), value, reason, choices)


_PLAIN_WORDS: dict[str, str] = {
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "bool_type": "must be true or false",
    "string_type": "must be text; put it in quotes",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries",
    "too_long": "must have at most {max_length} entries",
    "tuple_type": "must be a list",
    "dict_type": "must be an object with fields",
    "model_type": "must be an object with fields",
    RULE_ERROR: "{message}",
}


def _in_plain_words(error: ErrorDetails) -> str:
    template = _PLAIN_WORDS.get(error["type"])
    return error["msg"] if template is None else template.format(**error.get("ctx", {}))


def _look_up(body: object, location: list[int | str]) -> object:
    """Return what the document holds at that place, MISSING where it holds nothing."""
    value: Any = body
    for step in location:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return MISSING
    return value


def _as_typed(value: object) -> str:
    """Write a value as the document has it.

    >>> _as_typed("0.9"), _as_typed(0.9), _as_typed(True), _as_typed(["a"])
    ('0.9', '0.9', 'true', '["a"]')
    """
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _path(location: list[int | str]) -> str:
    """Write a path as users do.

    >>> _path(["spec", "engine", "env", 0, "name"])
    'spec.engine.env[0].name'
    """
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def _fields_beside(location: list[int | str]) -> list[str]:
    """Name the fields that exist where an unknown one was given."""
    struct: type[Struct] = Qwen3Deployment
    for step in location[:-1]:
        if isinstance(step, str):
            fields = {field.alias: field for field in struct.model_fields.values()}
            struct = _struct_in(fields[step].annotation) or struct
    return [field.alias or name for name, field in struct.model_fields.items()]


def _struct_in(annotation: object) -> type[Struct] | None:
    """Find the struct inside ``Struct | None`` or ``tuple[Struct, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        return annotation
    inner = (_struct_in(part) for part in get_args(annotation))
    return next((struct for struct in inner if struct is not None), None)
