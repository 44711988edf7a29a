"""Builders of a load's history, and a model of servers that have to bear one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from qwen3_operator.decisions.scaling import Situation
from qwen3_operator.decisions.scaling.samples import Call, History, Sample
from qwen3_planner.api.scaling import ScalingSpec

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
"""A Monday."""

NOW_S = NOW.timestamp()

INTERVAL_S = 15


def wish(**fields: Any) -> ScalingSpec:  # noqa: ANN401 - JSON
    """Make spec.scaling from camelCase fields; up to 10 replicas where nothing is said."""
    return ScalingSpec.model_validate({"maxReplicas": 10, **fields}, by_alias=True, by_name=False)


def sample(  # noqa: PLR0913 - a builder names what a test may vary
    age_s: float = 0,
    replicas: int = 1,
    *,
    running: float = 0,
    waiting: float = 0,
    tokens_per_s: float | None = 0,
    kv_cache: float | None = 0,
    ttft_s: float | None = 0,
    tpot_s: float | None = 0,
) -> Sample:
    """Make a sample of so many seconds ago; a load is that of all replicas together."""
    return Sample(
        time_s=NOW_S - age_s,
        replicas=replicas,
        running=running,
        waiting=waiting,
        tokens_per_s=tokens_per_s,
        kv_cache=kv_cache,
        ttft_s=ttft_s,
        tpot_s=tpot_s,
    )


def steady(seconds: float, replicas: int = 1, *, until_s: float = 0, **load: Any) -> list[Sample]:  # noqa: ANN401 - as `sample`
    """Make the samples of a load that stayed the same for so long, up to `until_s` ago."""
    count = int((seconds - until_s) // INTERVAL_S)
    ages = [until_s + INTERVAL_S * number for number in range(count, -1, -1)]
    return [sample(age, replicas, **load) for age in ages]


def calls(seconds: float, value: float = 0) -> tuple[Call, ...]:
    """Make the answers of a wake query that said the same for so long."""
    count = int(seconds // INTERVAL_S)
    return tuple(Call(NOW_S - INTERVAL_S * number, value) for number in range(count, -1, -1))


def situation(
    scaling: ScalingSpec | None = None,
    samples: list[Sample] | None = None,
    *,
    current: int = 1,
    **fields: Any,  # noqa: ANN401 - fields of a Situation
) -> Situation:
    """Make a situation in which everything is well: all replicas are ready and more would fit."""
    scaling = scaling or wish()
    known: dict[str, Any] = {
        "now": NOW,
        "wish": scaling,
        "zones": {"UTC": UTC},
        "current": current,
        "ready": current,
        "fits": 100,
        "max_replicas": scaling.max_replicas,
        "owner": None,
        "history": History(tuple(samples or ())),
        "interval_s": INTERVAL_S,
    }
    return Situation(**{**known, **fields})
