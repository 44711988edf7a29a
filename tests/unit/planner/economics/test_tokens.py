"""What tokens cost at a load."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.economics.tokens import energy, token_cost
from qwen3_planner.performance.load import Load, closed_loop
from support.performance.servers import a_server

LOAD = Load(1024, 256, 32)


def test_an_hour_pays_for_the_tokens_of_an_hour() -> None:
    server = a_server()
    service = closed_loop(server, LOAD)
    cost = token_cost(7.0, server, LOAD, service)
    tokens_per_hour = 3600 * service.output_tokens_per_s
    assert cost.per_million_output == pytest.approx(7.0 / tokens_per_hour * 1e6)


def test_input_and_output_together_are_all_that_is_paid() -> None:
    server = a_server()
    service = closed_loop(server, LOAD)
    cost = token_cost(7.0, server, LOAD, service)
    per_request = (cost.per_million_input * 1024 + cost.per_million_output_only * 256) / 1e6
    assert per_request * service.requests_per_s * 3600 == pytest.approx(7.0)


def test_input_is_cheaper_than_output() -> None:
    server = a_server()
    cost = token_cost(7.0, server, LOAD, closed_loop(server, LOAD))
    assert 0 < cost.per_million_input < cost.per_million_output_only


def test_replicas_share_the_bill_of_all() -> None:
    server = a_server()
    service = closed_loop(server, LOAD)
    one, four = token_cost(7.0, server, LOAD, service), token_cost(28.0, server, LOAD, service, 4)
    assert four.per_million_output == pytest.approx(one.per_million_output)


def test_a_prompt_is_never_charged_more_than_all() -> None:
    server = a_server(kv_tokens=1000)
    load = replace(LOAD, input_tokens=100_000, output_tokens=1)
    cost = token_cost(7.0, server, load, closed_loop(server, load))
    assert cost.per_million_output_only >= 0


def test_energy_grows_with_gpus_and_falls_with_speed() -> None:
    one = energy(700, 1, 1000)
    assert energy(700, 2, 1000).kwh_per_million_output == pytest.approx(
        2 * one.kwh_per_million_output
    )
    assert energy(700, 1, 2000).kwh_per_million_output == pytest.approx(
        one.kwh_per_million_output / 2
    )
    assert one.usd_per_million_output(0.3) == pytest.approx(0.3 * one.kwh_per_million_output)
