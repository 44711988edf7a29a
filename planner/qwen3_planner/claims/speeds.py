"""Is a plan as fast as a claim says: the means count, the interval is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.claims.claim import FitsCheck
    from qwen3_planner.plan import Plan


def slower_than_said(check: FitsCheck, found: Plan) -> list[str]:
    """Return the conditions under which the speed of a plan is as good as claimed."""
    speed = found.performance
    promised = (check.ttft_ms, check.tpot_ms, check.output_tokens_per_second)
    if all(value is None for value in promised):
        return []
    if speed is None:
        return ["its speed there, which cannot be predicted, is as claimed"]
    missed = []
    if check.ttft_ms is not None and speed.ttft_ms > check.ttft_ms:
        missed.append(f"{speed.ttft_ms:g} ms to the first token will do for {check.ttft_ms:g}")
    if check.tpot_ms is not None and speed.tpot_ms > check.tpot_ms:
        missed.append(f"{speed.tpot_ms:g} ms a token will do for {check.tpot_ms:g}")
    wanted, rate = check.output_tokens_per_second, speed.output_tokens_per_second
    if wanted is not None and rate < wanted:
        missed.append(f"{rate:g} tokens a second will do for {wanted:g}")
    return missed


def speed_line(found: Plan) -> Iterator[str]:
    """Say the speed of a plan in one line; nothing where it cannot be predicted."""
    speed = found.performance
    if speed is None:
        return
    each = "1 request" if speed.concurrency == 1 else f"{speed.concurrency:,} requests"
    yield (
        f"{each} of {speed.input_tokens:,} + {speed.output_tokens:,} tokens at once:"
        f" {speed.tpot_ms:g} ms a token ({speed.tpot_ms_low:g} to {speed.tpot_ms_high:g}),"
        f" first after {speed.ttft_ms:g} ms, {speed.output_tokens_per_second:g} tokens a second"
    )
