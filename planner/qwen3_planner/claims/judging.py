"""Judging a claim: the worst of its checks decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from qwen3_planner.claims.claim import (
    ArchitectureCheck,
    Claim,
    ExistsCheck,
    Finding,
    FitsCheck,
    FootprintCheck,
    Verdict,
)
from qwen3_planner.claims.fitting import judge_fit
from qwen3_planner.sizing.tensors import active_parameters, parameters

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Catalog, ModelArchitecture
    from qwen3_planner.claims.claim import Check

BILLION = 1e9

_ORDER = tuple(Verdict)


def judge_claim(claim: Claim, catalog: Catalog) -> Finding:
    """Say how true a claim is. Pure.

    Raises:
        SpecError: it names a model or hardware that does not exist.
    """
    findings = [judge_check(check, catalog) for check in claim.checks]
    verdict = max((finding.verdict for finding in findings), key=_ORDER.index)
    telling = [finding for finding in findings if finding.verdict is verdict]
    lines = (line for finding in findings for line in finding.arithmetic)
    return Finding(verdict, " ".join(finding.why for finding in telling), tuple(lines))


def judge_check(check: Check, catalog: Catalog) -> Finding:
    """Judge one part of a claim."""
    match check:
        case FitsCheck():
            return judge_fit(check, catalog)
        case FootprintCheck():
            return _judge_footprint(check, catalog)
        case ExistsCheck():
            return _judge_existence(check, catalog)
        case ArchitectureCheck():
            return _judge_architecture(check, catalog)
        case _:
            assert_never(check)


def _judge_footprint(check: FootprintCheck, catalog: Catalog) -> Finding:
    model = catalog.model(check.model)
    count, active = parameters(model), active_parameters(model)
    ratio = count / check.like_parameters
    alike = abs(ratio - 1) <= check.tolerance
    like = f"{check.like_parameters / BILLION:g}B"
    sums = (
        f"{model.name}: {count:,} parameters, all of them in memory; {active:,} for one token",
        f"{count:,} / {check.like_parameters:,} = {ratio:.1f} times the memory of {like}",
    )
    if alike:
        return Finding(Verdict.TRUE, f"{model.name} takes about the memory of {like}.", sums)
    why = f"{model.name} takes {ratio:.1f} times the memory of a {like} model at equal precision"
    if model.is_moe:
        why += (
            f": which of its {model.experts} experts a token visits is known only then, so all are"
            f" held; only the {active / BILLION:.1f}B that a token uses resemble it, in speed"
        )
    return Finding(Verdict.FALSE, f"{why}.", sums)


def _judge_existence(check: ExistsCheck, catalog: Catalog) -> Finding:
    dense = sorted(
        {(parameters(row), row.name) for row in catalog.models if not row.is_moe and _is_plain(row)}
    )
    size = f"{check.parameters / BILLION:g}B"
    sums = tuple(f"{name}: {count:,} parameters" for count, name in dense)
    near = [name for count, name in dense if abs(count / check.parameters - 1) <= check.tolerance]
    if near:
        return Finding(Verdict.TRUE, f"{', '.join(near)} is of that size.", sums)
    nearest = min(dense, key=lambda row: abs(row[0] - check.parameters))
    why = (
        f"No dense Qwen3 has {size} parameters; the nearest is {nearest[1]} with"
        f" {nearest[0] / BILLION:.2f}B."
    )
    return Finding(Verdict.FALSE, why, sums)


def _is_plain(model: ModelArchitecture) -> bool:
    return model.vision is None and not model.is_pooling


def _judge_architecture(check: ArchitectureCheck, catalog: Catalog) -> Finding:
    sparse: dict[tuple[int, int, int, int], ModelArchitecture] = {}
    for row in catalog.models:
        if row.is_moe and _is_plain(row):
            sparse.setdefault(_shape(row), row)
    sums = tuple(
        f"{row.name}: {row.experts} experts, {row.experts_per_token} per token,"
        f" {parameters(row) / BILLION:.1f}B parameters, {active_parameters(row) / BILLION:.1f}B"
        " active"
        for row in sparse.values()
    )
    found = [row for row in sparse.values() if _has_shape(row, check)]
    if found:
        return Finding(Verdict.TRUE, f"{found[0].name} has that shape.", sums)
    said = _said(check)
    have = sorted({(row.experts, row.experts_per_token) for row in sparse.values()})
    real = " or ".join(f"{per_token} of {experts}" for experts, per_token in have)
    why = f"No Qwen3 has {said}; those with experts use {real} per token."
    return Finding(Verdict.FALSE, why, sums)


def _shape(model: ModelArchitecture) -> tuple[int, int, int, int]:
    return model.experts, model.experts_per_token, parameters(model), active_parameters(model)


def _has_shape(model: ModelArchitecture, check: ArchitectureCheck) -> bool:
    exact = ((check.experts, model.experts), (check.experts_per_token, model.experts_per_token))
    about = (
        (check.parameters, parameters(model)),
        (check.active_parameters, active_parameters(model)),
    )
    return all(said is None or said == real for said, real in exact) and all(
        said is None or abs(real / said - 1) <= check.tolerance for said, real in about
    )


def _said(check: ArchitectureCheck) -> str:
    parts = []
    if check.experts is not None:
        parts.append(f"{check.experts} experts")
    if check.experts_per_token is not None:
        parts.append(f"{check.experts_per_token} per token")
    if check.parameters is not None:
        parts.append(f"{check.parameters / BILLION:g}B parameters")
    if check.active_parameters is not None:
        parts.append(f"{check.active_parameters / BILLION:g}B active parameters")
    return ", ".join(parts)
