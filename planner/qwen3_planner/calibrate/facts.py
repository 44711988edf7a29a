"""How an engine ran: what logs say joined with what the user says; contradictions are errors.

Names of facts: ``engine version model gguf method dtype kv_cache_dtype tensor pipeline data expert
utilization max_model_len max_num_seqs max_num_batched_tokens enforce_eager kv_cache_memory_bytes
accelerator device``, and flags of what a log shows at all (``shows_layout``, ``shows_arguments``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qwen3_planner.calibrate.llama_bench import file_type
from qwen3_planner.errors import SpecError
from qwen3_planner.request import EngineName, KvCacheDtype, Quantization

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.calibrate.reading import Reading, Stated
    from qwen3_planner.request import PlanRequest

Facts = dict[str, "Stated"]

_VERSION = re.compile(r"v?(\d+\.\d+(?:\.\d+)?(?:\.post\d+)?|b\d+)")

KV_DTYPES = {
    "bfloat16": KvCacheDtype.BF16,
    "bf16": KvCacheDtype.BF16,
    "float16": KvCacheDtype.FP16,
    "half": KvCacheDtype.FP16,
    "fp8": KvCacheDtype.FP8,
    "fp8_e4m3": KvCacheDtype.FP8,
    "fp8_e5m2": KvCacheDtype.FP8_E5M2,
}
"""How engines call what the cache holds; ``auto`` says nothing."""

METHODS = {
    "fp8": Quantization.FP8,
    "awq": Quantization.AWQ_INT4,
    "awq_marlin": Quantization.AWQ_INT4,
    "gptq": Quantization.GPTQ_INT4,
    "gptq_marlin": Quantization.GPTQ_INT4,
    "modelopt_fp4": Quantization.NVFP4,
    "mxfp4": Quantization.MXFP4,
}
"""Methods that mean one weight format where the model's name says nothing of it."""

BY_NAME = {"compressed-tensors", "modelopt", "auto_awq", "auto_gptq", "inc"}
"""Methods of several weight formats: the model's name must say which."""


def joined(readings: Iterable[Reading]) -> Facts:
    """Join what several inputs say of one engine.

    Raises:
        SpecError: two contradict each other.
    """
    facts: Facts = {}
    for reading in readings:
        for name, stated in reading.facts.items():
            _check_kind(name, stated)
            known = facts.setdefault(name, stated)
            if known.value != stated.value and name not in ("model", "gguf", "card"):
                reason = f"says {stated.value}, but {known.place} says {known.value}"
                raise SpecError("FILE", stated.place, f"{name}: {reason}")
    return facts


DRAFTED = ("EAGLE", "EAGLE3", "STANDALONE")
"""SGLang's ways of speculating that load a model for it."""

WHOLE = (
    "tensor", "pipeline", "data", "expert", "replicas", "max_model_len", "max_num_seqs",
    "max_num_batched_tokens", "kv_cache_memory_bytes", "max_total_tokens",
)  # fmt: skip
NUMBERS = ("utilization", "cpu_offload_gb")
SWITCHES = ("enforce_eager", "expert_parallel", "data_attention", "lora")
GROUPS = ("tensor", "pipeline", "data", "expert", "replicas")
LARGEST_GROUP = 4096
"""GPUs that no replica has more of: a number that was cut or glued."""


def _check_kind(name: str, stated: Stated) -> None:
    """Refuse a value that is not of its name's kind: the line was cut or changed.

    Raises:
        SpecError: naming the place.
    """
    value = stated.value
    is_switch = isinstance(value, bool)
    wrong = (
        (name in WHOLE and (is_switch or not isinstance(value, int)), "a whole number"),
        (name in NUMBERS and (is_switch or not isinstance(value, int | float)), "a number"),
        (name in SWITCHES and not is_switch, "True or False"),
        (name in GROUPS and isinstance(value, int) and not 0 < value <= LARGEST_GROUP, "a size"),
    )
    for is_wrong, wanted in wrong:
        if is_wrong:
            raise SpecError("FILE", stated.place, f"{name}={value} is not {wanted}: is it cut?")


@dataclass(frozen=True, slots=True)
class Field:
    """A value that a log may state and a user may give.

    Attributes:
        fact: its name among the facts.
        option: of the command line.
        part: of the request that has it; empty: the request itself.
        name: of the field there.
    """

    fact: str
    option: str
    part: str
    name: str


FIELDS = (
    Field("tensor", "--tensor", "parallelism", "tensor"),
    Field("pipeline", "--pipeline", "parallelism", "pipeline"),
    Field("data", "--data", "parallelism", "data"),
    Field("expert", "--expert", "parallelism", "expert"),
    Field("utilization", "--gpu-memory-utilization", "tuning", "gpu_memory_utilization"),
    Field("max_num_seqs", "--max-num-seqs", "tuning", "max_num_seqs"),
    Field("max_num_batched_tokens", "--max-num-batched-tokens", "tuning", "max_num_batched_tokens"),
    Field("kv_cache_memory_bytes", "--kv-cache-memory-bytes", "tuning", "kv_cache_memory_bytes"),
    Field("cpu_offload_gb", "--cpu-offload-gb", "tuning", "cpu_offload_gib"),
    Field("max_model_len", "--max-model-len", "", "max_model_len"),
    Field("version", "--engine-version", "", "engine_version"),
)


def with_facts(request: PlanRequest, facts: Facts) -> PlanRequest:
    """Fill in what the inputs say of how the engine ran.

    Raises:
        SpecError: what the user gave contradicts them.
    """
    known = _in_our_words(facts)
    request = _with_engine(request, known)
    for field in FIELDS:
        stated = known.get(field.fact)
        if stated is None:
            continue
        holder: Any = getattr(request, field.part) if field.part else request
        given = getattr(holder, field.name)
        if given is not None and not _agree(given, stated.value):
            reason = f"contradicts {stated.place}, which says {stated.value}"
            raise SpecError(field.option, given, reason)
        changed = replace(holder, **{field.name: stated.value})
        request = replace(request, **{field.part: changed}) if field.part else changed
    if "enforce_eager" in known and known["enforce_eager"].value is True:
        if request.tuning.enforce_eager is False:
            reason = f"contradicts {known['enforce_eager'].place}, where graphs are off"
            raise SpecError("--no-enforce-eager", "(given)", reason)
        request = replace(request, tuning=replace(request.tuning, enforce_eager=True))
    return _with_formats(_with_additions(request, known), known)


def _with_additions(request: PlanRequest, known: Facts) -> PlanRequest:
    """Count adapters and a drafting model, which take memory of their own.

    Raises:
        SpecError: a model drafts tokens and nobody says which; or the pool's size was given.
    """
    lora, drafting, fixed = (
        known.get(name) for name in ("lora", "speculative", "max_total_tokens")
    )
    if lora is not None and lora.value is True and request.tuning.max_loras is None:
        request = replace(request, tuning=replace(request.tuning, max_loras=1))
    if (
        drafting is not None
        and request.tuning.draft_model is None
        and ("model" in str(drafting.value) or str(drafting.value) in DRAFTED)
    ):
        reason = f"{drafting.place}: a model drafts tokens ({drafting.value}): say which"
        raise SpecError("--draft-model", "(missing)", reason)
    if fixed is not None:
        reason = f"{fixed.place}: the size of the KV cache was given (max_total_tokens)"
        raise SpecError("FILE", fixed.place.rpartition(" line ")[0], reason)
    return request


def _in_our_words(facts: Facts) -> Facts:
    """Say engines' own values as ours: versions without build marks, sizes of groups as planned."""
    known = dict(facts)
    if "version" in known:
        stated = known["version"]
        found = _VERSION.match(str(stated.value))
        if found is None:
            raise SpecError("FILE", stated.place, f"{stated.value} is no version")
        known["version"] = replace(stated, value=found[1])
    _fill_layout(known)
    _split_attention(known)
    for name in ("utilization", "cpu_offload_gb"):
        if name in known:
            known[name] = replace(known[name], value=float(known[name].value))
    if "cpu_offload_gb" in known and not known["cpu_offload_gb"].value:
        del known["cpu_offload_gb"]
    batch = known.get("max_num_batched_tokens")
    if batch is not None and int(batch.value) < 1:
        del known["max_num_batched_tokens"]  # SGLang's -1: prompts are not cut
    return known


def _fill_layout(known: Facts) -> None:
    """Take groups that a log would have shown, and did not, for groups of one."""
    shown = known.get("shows_layout")
    for name in ("tensor", "pipeline", "data") if shown else ():
        known.setdefault(name, replace(known["shows_layout"], value=1))
    spread = known.get("expert_parallel")
    if spread is not None and spread.value is True:
        ranks = 1
        for name in ("tensor", "data"):
            ranks *= int(known[name].value) if name in known else 1
        known["expert"] = replace(spread, value=ranks)
    elif shown is not None:
        known.setdefault("expert", replace(shown, value=1))


def _split_attention(known: Facts) -> None:
    """Tell SGLang's ranks apart: its tp-size is our tensor x data where attention is copied."""
    copies = known.get("replicas")
    if known.get("data_attention") is not None and known["data_attention"].value is True and copies:
        known["data"] = copies
    if known.get("engine") is not None and known["engine"].value == "sglang" and "data" in known:
        data = int(known["data"].value)
        if data > 1:
            known["tensor"] = replace(known["tensor"], value=int(known["tensor"].value) // data)


def _agree(given: object, stated: object) -> bool:
    if isinstance(given, float) or isinstance(stated, float):
        return abs(float(str(given)) - float(str(stated))) < 1e-4  # noqa: PLR2004 - as logs round
    return str(given) == str(stated)


def _with_engine(request: PlanRequest, known: Facts) -> PlanRequest:
    stated = known.get("engine")
    if stated is None:
        return request
    engine = EngineName(str(stated.value))
    if request.engine not in (EngineName.AUTO, engine):
        reason = f"contradicts {stated.place}, which is of {engine.value}"
        raise SpecError("--engine", request.engine.value, reason, (engine.value,))
    return replace(request, engine=engine)


def _with_formats(request: PlanRequest, known: Facts) -> PlanRequest:
    stated = known.get("kv_cache_dtype")
    if stated is not None and str(stated.value) != "auto":
        dtype = KV_DTYPES.get(str(stated.value).rpartition(".")[2])
        if dtype is None:
            reason = "is what no plan's KV cache holds"
            raise SpecError("FILE", stated.place, f"kv_cache_dtype={stated.value} {reason}")
        if request.kv_cache_dtype not in (KvCacheDtype.AUTO, dtype):
            reason = f"contradicts {stated.place}, which says {stated.value}"
            raise SpecError("--kv-cache-dtype", request.kv_cache_dtype.value, reason)
        request = replace(request, kv_cache_dtype=dtype)
    wished = _quantization(request, known)
    return request if wished is None else replace(request, quantization=wished)


def _quantization(request: PlanRequest, known: Facts) -> Quantization | None:
    """Return the weight format that the inputs mean; None where they do not say."""
    gguf, method = known.get("gguf"), known.get("method")
    stated = gguf or method
    if gguf is not None:
        name = file_type(str(gguf.value))
        meant = next((q for q in Quantization if q.value == name), None)
        if meant is None and request.quantization is Quantization.AUTO:
            reason = f"({gguf.place}) is no file type that is planned"
            raise SpecError("--quantization", gguf.value, reason)
    elif method is not None:
        meant = METHODS.get(str(method.value))
        if meant is None and str(method.value) not in BY_NAME:
            raise SpecError("FILE", method.place, f"quantization={method.value} is not planned")
        if meant is None and request.quantization is Quantization.AUTO:
            reason = f"{method.place} says {method.value}, which is several weight formats"
            raise SpecError("--quantization", "(missing)", reason, ("awq-int4", "int8", "nvfp4"))
    elif "shows_layout" in known and request.quantization is Quantization.AUTO:
        is_half = str(known["dtype"].value).endswith("float16") if "dtype" in known else False
        plain = is_half and not str(known["dtype"].value).endswith("bfloat16")
        return Quantization.FP16 if plain else Quantization.BF16
    else:
        return None
    if request.quantization is not Quantization.AUTO:
        if gguf is not None and meant not in (None, request.quantization) and stated is not None:
            reason = f"contradicts {stated.place}, which says {stated.value}"
            raise SpecError("--quantization", request.quantization.value, reason)
        return None
    return meant
