"""Settings that slow every step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.performance.load import Load, Server, closed_loop
from qwen3_planner.performance.prediction import predict
from qwen3_planner.performance.tuning import as_tuned
from qwen3_planner.plan import Layout
from support.performance.servers import a_server

ALONE = Load(128, 128, 1)
GIB = 2**30


def tuned(server: Server, **settings: float) -> Server:
    (stage,) = server.stages
    row = as_tuned(
        stage.efficiency,
        stage.work,
        stage.machine.memory,
        bus_bytes_per_s=32e9,
        offload_bytes=settings.get("offload_bytes", 0.0),
        is_eager=bool(settings.get("is_eager")),
    )
    return replace(server, stages=(replace(stage, efficiency=row),), efficiency=row)


def test_weights_on_the_host_come_over_the_bus_in_every_step() -> None:
    server = a_server("Qwen3-32B", "H100-SXM-80GB", layout=Layout())
    here, there = (
        closed_loop(server, ALONE),
        closed_loop(tuned(server, offload_bytes=10 * GIB), ALONE),
    )
    fetched = 10 * GIB / (0.8 * 32e9)
    assert there.tpot_s - here.tpot_s == pytest.approx(fetched, rel=0.05)


def test_no_more_than_all_weights_come_over_the_bus() -> None:
    server = a_server("Qwen3-0.6B", "H100-SXM-80GB", layout=Layout())
    some, more = (tuned(server, offload_bytes=size * GIB) for size in (10, 1000))
    assert closed_loop(some, ALONE) == closed_loop(more, ALONE)


def test_without_graphs_every_layer_is_launched_anew() -> None:
    server = a_server("Qwen3-14B", "A100-SXM-80GB", quantization="awq-int4", layout=Layout())
    here, eager = closed_loop(server, ALONE), closed_loop(tuned(server, is_eager=1), ALONE)
    assert eager.tpot_s - here.tpot_s == pytest.approx(40 * 250e-6, rel=1e-6)


def test_settings_that_are_left_out_change_nothing() -> None:
    server = a_server("Qwen3-8B", "H100-SXM-80GB", layout=Layout())
    assert tuned(server) == server
    assert (
        predict(tuned(server, is_eager=1), ALONE).relative_error
        > predict(server, ALONE).relative_error + 0.1
    )
