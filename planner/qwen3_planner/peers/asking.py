"""aiconfigurator asked in this process: imported only here, and only when somebody asks.

Each question is a call of its own: a backend object that is used for another tensor-parallel size
goes on answering for the first.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen3_planner.errors import SpecError
from qwen3_planner.peers.coverage import (
    BUNDLED_FP8,
    FP8_BLOCKS,
    NAME,
    arguments_of,
    bundled_like,
    config_of,
    reason_not_covered,
)
from qwen3_planner.peers.figures import NotCovered, PeerFigures, PeerQuestion
from qwen3_planner.units import GIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.plan import Plan

SUPPORTED = ("0.12",)
"""Releases whose way of being asked was read."""

FIX = "pip install 'qwen3-operator[aic]' (850 MB; x86-64 Linux, Python 3.11 to 3.13)"

WHOSE_TTFT = "its time to the first token leaves waiting for a place out"


def question_of(plan: Plan, catalog: Catalog) -> PeerQuestion | None:
    """Say a plan as any planner would be asked; None where it predicts no speed itself."""
    if plan.performance is None:
        return None
    return PeerQuestion(
        model=catalog.model(plan.variant),
        engine=plan.engine,
        accelerator=plan.placement.accelerator,
        quantization=plan.quantization,
        kv_cache_dtype=plan.kv_cache_dtype,
        layout=plan.layout,
        input_tokens=plan.performance.input_tokens,
        output_tokens=plan.performance.output_tokens,
        concurrency=plan.performance.concurrency,
    )


def ask(question: PeerQuestion, catalog: Catalog) -> PeerFigures | NotCovered:
    """Ask aiconfigurator what it says.

    Raises:
        SpecError: it is not installed, or a release that is not known.
    """
    estimate, version = _estimator()
    reason = reason_not_covered(question)
    if reason is not None:
        return NotCovered(NAME, version, reason)
    with _model(question, catalog) as path, _quietly():
        try:
            said = estimate(**arguments_of(question, path))
        except Exception as error:  # noqa: BLE001 - whatever it stumbles over is no defect of ours
            return NotCovered(NAME, version, _first_line(error))
    notes = [WHOSE_TTFT]
    if said.kv_cache_warning:
        notes.append(str(said.kv_cache_warning).splitlines()[0])
    return PeerFigures(
        name=NAME,
        version=version,
        tables=f"{said.backend_name} {said.backend_version}",
        ttft_ms=float(said.ttft),
        tpot_ms=float(said.tpot),
        output_tokens_per_second=float(said.tokens_per_second),
        memory_bytes=round(float(said.memory) * GIB),
        notes=tuple(notes),
    )


def _estimator() -> tuple[Callable[..., Any], str]:
    """Import it, or say how to get it."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - 20 ms, rare

    try:
        found = version(NAME)
    except PackageNotFoundError:
        raise SpecError("--compare", "aic", f"{NAME} is not installed: {FIX}") from None
    if not found.startswith(SUPPORTED):
        reason = f"{NAME} {found} is installed, {SUPPORTED[0]} is needed: {FIX}"
        raise SpecError("--compare", "aic", reason)
    try:
        with _quietly():
            api = import_module(f"{NAME}.cli.api")  # 2 s and 300 MB
    except ImportError as error:
        raise SpecError("--compare", "aic", f"{NAME} cannot be imported: {error}; {FIX}") from None
    return api.cli_estimate, found


@contextlib.contextmanager
def _model(question: PeerQuestion, catalog: Catalog) -> Iterator[str]:
    """Name a model that it ships, or write a folder that tells it one: it asks no network then."""
    name = bundled_like(question.model, catalog.models)
    is_fp8 = question.quantization == "fp8"
    if name is not None and not is_fp8:
        yield f"Qwen/{name}"
        return
    if name in BUNDLED_FP8:
        yield f"Qwen/{name}-FP8"
        return
    with tempfile.TemporaryDirectory(prefix="qwen3-peer-") as folder:
        config = config_of(question.model)
        if is_fp8:
            config["quantization_config"] = FP8_BLOCKS
        Path(folder, "config.json").write_text(json.dumps(config), "utf-8")
        yield folder


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep what it prints off stdout, which holds our document, and its log to itself."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        logging.disable(before)


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:300] if text else type(error).__name__
