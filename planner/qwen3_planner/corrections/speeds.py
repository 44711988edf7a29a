"""Measured times in a plan: efficiencies scaled to what was reached, and the error that is left."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log, sqrt
from typing import TYPE_CHECKING, NamedTuple

from qwen3_planner.corrections.combining import Joined, Observation, join
from qwen3_planner.corrections.subjects import Nearness, nearness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.catalog.calibration import Calibration
    from qwen3_planner.catalog.figures import Efficiency
    from qwen3_planner.catalog.measurements import DeviceRow, SpeedRow
    from qwen3_planner.corrections.subjects import Subject

TRANSFER = {Nearness.SAME: 0.06, Nearness.SAME_MODEL: 0.06, Nearness.MODEL: 0.10}
"""How far a factor that was measured on a server may be off on a like one (of its logarithm): in
the measured runs of tests/unit/planner/accuracy/performance, pairs of the same model and layout
differ by 0.06, of the same model in another layout by 0.05, of two models of a kind by 0.10 (root
mean square of 2684, 5551 and 846 pairs, 2026-11-23)."""

UNMEASURED_SIGMA = 0.3
"""Of an efficiency that no run stands behind. Assumed; only weighs factors against each other."""


class Scaled(NamedTuple):
    """Efficiencies after what was measured.

    Attributes:
        efficiency: scaled, with smaller errors.
        sources: that were taken up, in words; empty where nothing was.
    """

    efficiency: Efficiency
    sources: tuple[str, ...] = ()


def scaled(row: Efficiency, calibration: Calibration, subject: Subject) -> Scaled:
    """Scale fitted efficiencies to what was measured on servers like this one, or on its card.

    Runs of a server say more than rates of the card alone, which count only where no run does and
    the efficiencies themselves rest on no run of such a device.
    """
    found = [(each, nearness(each.reach, each.setup, subject)) for each in calibration.speed]
    used = [(each, near) for each, near in found if near is not Nearness.OTHER]
    if used:
        return _from_runs(row, used, subject)
    card = subject.setup.accelerator.lower()
    devices = [each for each in calibration.devices if each.accelerator.lower() == card]
    if devices and not row.is_measured:
        return _from_device(row, devices[-1])
    return Scaled(row)


def _from_runs(
    row: Efficiency, used: Sequence[tuple[SpeedRow, Nearness]], subject: Subject
) -> Scaled:
    same = [pair for pair in used if pair[1] is Nearness.SAME]
    chosen = same or used
    decode = [pair for pair in chosen if pair[0].has_decode]
    prompt = [pair for pair in chosen if pair[0].has_prompt]
    decoding = _joined(row.tpot_sigma, [(e.decode_factor, e.sigma, n) for e, n in decode])
    prompts = _joined(row.ttft_sigma, [(e.prompt_factor, e.sigma, n) for e, n in prompt])
    told = dict.fromkeys(str(each.origin) for each, _ in chosen)
    pairs = dict.fromkeys((each.setup.variant, each.setup.accelerator) for each, _ in decode)
    changed = times(row, exp(decoding.value), exp(prompts.value))
    if (subject.setup.variant, subject.setup.accelerator) in pairs:
        changed = replace(
            changed, seen=(*row.seen, *(pair for pair in pairs if pair not in row.seen))
        )
    changed = replace(
        changed,
        tpot_sigma=decoding.sigma,
        ttft_sigma=prompts.sigma,
        throughput_sigma=min(row.throughput_sigma, decoding.sigma)
        if decode
        else row.throughput_sigma,
        rows=row.rows + sum(each.loads for each, _ in chosen),
        source=_source(row, told),
    )
    return Scaled(changed, tuple(told))


def _joined(prior: float, found: Sequence[tuple[float, float, Nearness]]) -> Joined:
    """Join the factors that were measured; what was planned has the factor 1."""
    seen = [
        Observation(
            log(factor), sqrt(TRANSFER[near] ** 2 + sigma**2), is_same=near is Nearness.SAME
        )
        for factor, sigma, near in found
    ]
    if not seen:
        return Joined(0.0, prior)
    floor = min(TRANSFER[near] for _, _, near in found)  # like servers are off together
    return join(prior or UNMEASURED_SIGMA, seen, floor)


def _source(row: Efficiency, told: dict[str, None]) -> str:
    runs = "; ".join(told)
    return f"{row.source}; {runs}" if row.source else runs


def times(row: Efficiency, decode: float, prompt: float) -> Efficiency:
    """Stretch the times of decoding and of prompts by factors (2: twice as long).

    Shares of the hardware's rates fall as much as times grow, so every law of the model holds on.
    """
    return replace(
        row,
        memory=row.memory / decode,
        experts=row.experts / decode,
        kv=row.kv / decode,
        link=row.link / decode,
        layer_us=row.layer_us * decode,
        step_us=row.step_us * decode,
        sequence_us=row.sequence_us * decode,
        collective_us=row.collective_us * decode,
        compute=row.compute / prompt,
        attention=row.attention / prompt,
        first_ms=row.first_ms * prompt,
    )


def _from_device(row: Efficiency, device: DeviceRow) -> Scaled:
    """Scale to the rates that the card itself reached; the engine's own errors stay."""
    told = str(device.origin)
    changed = replace(
        row,
        memory=row.memory * device.memory_factor,
        experts=row.experts * device.memory_factor,
        kv=row.kv * device.memory_factor,
        compute=row.compute * device.compute_factor,
        attention=row.attention * device.attention_factor,
        source=_source(row, {told: None}),
    )
    return Scaled(changed, (told,))
