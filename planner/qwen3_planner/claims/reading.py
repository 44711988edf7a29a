"""Claims as a document: those that ship with the package, and what users write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qwen3_planner.catalog.resolving import agree_on_quantization, resolve_model
from qwen3_planner.claims.claim import (
    ArchitectureCheck,
    Claim,
    ExistsCheck,
    FitsCheck,
    FootprintCheck,
)
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.request import (
    EngineName,
    PlanRequest,
    Quantization,
    Workload,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.claims.claim import Check

Count: TypeAlias = Annotated[int, Field(ge=1, le=10**15, strict=True)]
Share: TypeAlias = Annotated[float, Field(ge=0, lt=1)]
Speed: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Text: TypeAlias = Annotated[str, Field(min_length=1, max_length=1000)]


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FitsEntry(_Entry):
    """``fits``: a model runs on some hardware."""

    model: Text
    hardware: Text
    quantization: Quantization = Quantization.AUTO
    engine: EngineName = EngineName.AUTO
    max_model_len: Count | None = None
    concurrency: Count = 1
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    spare_share: Share = 0.0
    ttft_ms: Speed | None = None
    tpot_ms: Speed | None = None
    output_tokens_per_second: Speed | None = None


class FootprintEntry(_Entry):
    """``footprint``: a model takes about the memory of a dense one of some size."""

    model: Text
    like_parameters: Count
    tolerance: Share = 0.25


class ExistsEntry(_Entry):
    """``exists``: there is a dense model of some size."""

    parameters: Count
    tolerance: Share = 0.1


class ArchitectureEntry(_Entry):
    """``architecture``: there is a mixture-of-experts model of such a shape."""

    experts: Count | None = None
    experts_per_token: Count | None = None
    parameters: Count | None = None
    active_parameters: Count | None = None
    tolerance: Share = 0.1


class CheckEntry(_Entry):
    """One check: exactly one of its kinds."""

    fits: FitsEntry | None = None
    footprint: FootprintEntry | None = None
    exists: ExistsEntry | None = None
    architecture: ArchitectureEntry | None = None


class ClaimEntry(_Entry):
    """One claim."""

    id: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9][-._A-Za-z0-9]*$")]
    text: Text
    checks: Annotated[tuple[CheckEntry, ...], Field(min_length=1, max_length=16)]


class ClaimsDocument(_Entry):
    """The document."""

    claims: Annotated[tuple[ClaimEntry, ...], Field(min_length=1, max_length=1000)]


def parse_claims(document: object, catalog: Catalog) -> tuple[Claim, ...]:
    """Read claims; two of one id are an error.

    Raises:
        SpecError: a field is unknown, missing or wrong, or a model does not exist.
    """
    if not isinstance(document, dict):
        kind = "a list" if isinstance(document, list) else "a text or a number"
        raise SpecError("claims", kind, "the document must be a mapping", ["claims"])
    try:
        read = ClaimsDocument.model_validate(document)
    except ValidationError as error:
        raise _spec_error(_most_telling(error.errors(include_url=False)), document) from None
    seen: set[str] = set()
    for index, entry in enumerate(read.claims):
        if entry.id in seen:
            raise SpecError(f"claims[{index}].id", entry.id, "is the id of an earlier claim")
        seen.add(entry.id)
    return tuple(
        Claim(
            entry.id,
            entry.text,
            tuple(
                _check(check, f"claims[{index}].checks[{place}]", catalog)
                for place, check in enumerate(entry.checks)
            ),
        )
        for index, entry in enumerate(read.claims)
    )


def _check(entry: CheckEntry, path: str, catalog: Catalog) -> Check:
    given = [name for name in CheckEntry.model_fields if getattr(entry, name) is not None]
    if len(given) != 1:
        said = ", ".join(given) or "(none)"
        raise SpecError(
            path, said, "takes exactly one kind of check", list(CheckEntry.model_fields)
        )
    if entry.fits is not None:
        return _fits(entry.fits, f"{path}.fits", catalog)
    if entry.footprint is not None:
        model = resolve_model(entry.footprint.model, catalog, field=f"{path}.footprint.model").name
        return FootprintCheck(model, entry.footprint.like_parameters, entry.footprint.tolerance)
    if entry.exists is not None:
        return ExistsCheck(entry.exists.parameters, entry.exists.tolerance)
    assert entry.architecture is not None  # noqa: S101 - the only kind left
    return ArchitectureCheck(**entry.architecture.model_dump())


def _fits(entry: FitsEntry, path: str, catalog: Catalog) -> FitsCheck:
    resolved = resolve_model(entry.model, catalog, field=f"{path}.model")
    request = PlanRequest(
        model=resolved.name,
        source=resolved.source,
        engine=entry.engine,
        quantization=agree_on_quantization(
            resolved,
            entry.quantization,
            typed_model=entry.model,
            field=f"{path}.quantization",
        ),
        max_model_len=entry.max_model_len,
        workload=Workload(entry.concurrency, entry.input_tokens, entry.output_tokens),
    )
    parse_hardware(entry.hardware, catalog, field=f"{path}.hardware")  # while its place is known
    return FitsCheck(
        request,
        entry.hardware,
        entry.spare_share,
        entry.ttft_ms,
        entry.tpot_ms,
        entry.output_tokens_per_second,
    )


def _most_telling(errors: list[ErrorDetails]) -> ErrorDetails:
    """Take an unknown field first: a misspelt name explains the one that is missing."""
    return next((error for error in errors if error["type"] == "extra_forbidden"), errors[0])


def _spec_error(error: ErrorDetails, document: Mapping[str, Any]) -> SpecError:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error["loc"])
    value: Any = document
    for step in error["loc"]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            value = "(missing)"
            break
    typed = value if isinstance(value, str) else json.dumps(value, default=str)
    if error["type"] == "extra_forbidden":
        known = _fields_beside(error["loc"])
        return SpecError(
            path.lstrip("."), typed, "is no field here", nearest_first(str(error["loc"][-1]), known)
        )
    if error["type"] == "enum":
        named = {"quantization": Quantization, "engine": EngineName}[str(error["loc"][-1])]
        choices = nearest_first(typed, [member.value for member in named])
        return SpecError(path.lstrip("."), typed, "is not one of the choices", choices)
    said = error["msg"][:1].lower() + error["msg"][1:]
    return SpecError(path.lstrip("."), typed, _PLAIN_WORDS.get(error["type"], said))


_PLAIN_WORDS = {
    "tuple_type": "must be a list",
    "too_short": "must not be empty",
    "string_pattern_mismatch": "must be letters, digits, dots, dashes and underscores",
    "missing": "is needed here",
}
"""For people who do not know the library that found the mistake."""


def _fields_beside(location: tuple[int | str, ...]) -> list[str]:
    names = [step for step in location[:-1] if isinstance(step, str)]
    entries: dict[str, type[_Entry]] = {
        "claims": ClaimEntry,
        "checks": CheckEntry,
        "fits": FitsEntry,
        "footprint": FootprintEntry,
        "exists": ExistsEntry,
        "architecture": ArchitectureEntry,
    }
    return list((entries[names[-1]] if names else ClaimsDocument).model_fields)
