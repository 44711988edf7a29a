"""The wiring of scaling: from settings to what reads the load and what decides on it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from qwen3_operator.cluster.autoscalers import Autoscalers
from qwen3_operator.scaling import Scaling
from qwen3_operator.telemetry.load import Loads
from qwen3_operator.telemetry.prometheus import Server

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from qwen3_operator.cluster.applying import Writer
    from qwen3_operator.cluster.requests import Api
    from qwen3_operator.ledger import Ledger
    from qwen3_operator.observed import Key
    from qwen3_operator.settings import Settings

AUTOSCALERS_FRESH = 2.0
"""Readings of the load for which the list of other autoscalers counts."""


def make_loads(
    settings: Settings, now: Callable[[], datetime], tell: Callable[[Key], None]
) -> Loads | None:
    """Return what reads loads; None where no Prometheus is known."""
    if settings.prometheus_url is None:
        return None
    server = Server(
        url=settings.prometheus_url,
        timeout_s=settings.prometheus_timeout_s,
        token_file=settings.prometheus_token_file or "",
        ca_file=settings.prometheus_ca_file or "",
        proxy=settings.prometheus_proxy or "",
    )
    return Loads(server, settings.scaling_interval_s, now, tell)


def make_scaling(  # noqa: PLR0913 - what it is made of, once
    settings: Settings,
    api: Api,
    *,
    writer: Writer,
    ledger: Ledger,
    loads: Loads | None,
    now: Callable[[], datetime],
) -> Scaling:
    """Return what decides how many replicas there are."""
    clock = asyncio.get_running_loop().time
    fresh_s = AUTOSCALERS_FRESH * settings.scaling_interval_s
    return Scaling(
        writer=writer,
        autoscalers=Autoscalers(api, clock, fresh_s),
        ledger=ledger,
        loads=loads,
        matchers=settings.prometheus_labels,
        now=now,
    )
