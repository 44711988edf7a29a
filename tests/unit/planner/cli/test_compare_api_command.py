from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[..., tuple[int, str, str]]

BASE = ("compare-api", "Qwen3-32B", "--hardware", "2xH100-SXM-80GB")
IN_JULY = str(1783000000)  # 2 July 2026


@pytest.fixture(autouse=True)
def on_a_day_in_july(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", IN_JULY)


def test_the_document_has_both_modes_their_hosts_and_the_curve(qwen3: Command) -> None:
    status, out, err = qwen3(
        *BASE, "--thinking-tokens", "1500", "--tokens-per-day", "10000000", "-o", "json"
    )
    document = json.loads(out)
    assert (status, err, document["schema"]) == (0, "", "compare-api/v1")
    plain, thinking = document["modes"]
    assert (plain["name"], thinking["name"]) == ("non-thinking", "thinking")
    for mode in document["modes"]:
        assert len(mode["curve"]) > 40
        assert {len(point["hostUsdPerDay"]) for point in mode["curve"]} == {len(mode["hosts"])}
        assert all(host["price"]["source"] and host["price"]["asOf"] for host in mode["hosts"])
        assert mode["at"]["cheapest"] != "own"
    alibaba = next(h for h in thinking["hosts"] if h["price"]["provider"] == "alibaba")
    assert alibaba["price"]["usdPerMillionThinking"] == 8.4
    assert isinstance(alibaba["ownCheaperFromRequestsPerDay"], int)
    assert thinking["hosts"][0]["ownCheaperFromRequestsPerDay"] == "never"
    assert document["price"]["sources"]
    assert document["price"]["asOf"]


def test_the_table_fits_a_terminal_of_eighty_columns(qwen3: Command) -> None:
    status, out, _ = qwen3(*BASE, "--thinking-tokens", "1500", "--requests-per-day", "200000")
    lines = out.splitlines()
    assert status == 0
    assert max(map(len, lines)) <= 80
    assert any(line.split()[:1] == ["alibaba"] and "8.4" in line for line in lines)
    assert any("buying is cheaper" in line or "buying is" in line for line in lines)


def test_old_prices_warn_and_young_ones_do_not(
    qwen3: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, young, _ = qwen3(*BASE, "--api", "alibaba")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(IN_JULY) + 200 * 86_400))
    _, old, _ = qwen3(*BASE, "--api", "alibaba")
    assert "days old" not in young
    assert "alibaba are of 2026-07-02, 200 days old" in " ".join(old.split())


def test_a_price_of_your_own_stands_alone_and_is_never_stale(qwen3: Command) -> None:
    status, out, _ = qwen3(
        *BASE,
        *("--usd-per-million-input", "0.10", "--usd-per-million-output", "0.30"),
        *("--usd-per-gpu-hour", "2", "-o", "json"),
    )
    document = json.loads(out)
    (host,) = document["modes"][0]["hosts"]
    assert status == 0
    assert host["price"]["provider"] == "as given"
    assert document["price"] == {"usdPerGpuHour": 2.0, "source": "as given"}
    assert not any("days old" in text for text in document["warnings"])


def test_embeddings_are_compared_by_their_input(qwen3: Command) -> None:
    here = ("compare-api", "Qwen3-Embedding-8B", "--hardware", "1xL40S-48GB")
    status, out, _ = qwen3(*here, "--input-tokens", "512", "-o", "json")
    (mode,) = json.loads(out)["modes"]
    assert (status, mode["name"], mode["outputTokens"]) == (0, "reading", 0)
    assert mode["own"]["usdPerMillionInputTokensWhenFull"] > 0
    assert len(mode["hosts"]) > 3
    status, out, _ = qwen3(*here, "--usd-per-million-input", "0.05")
    assert status == 0
    assert "Reading, 1,024 tokens a request" in out
    status, _, err = qwen3(*here, "--output-tokens", "5")
    assert (status, "--output-tokens: 5" in err) == (2, True)


def test_a_market_that_nobody_is_known_to_serve_names_those_that_are(qwen3: Command) -> None:
    here = ("compare-api", "Qwen3-8B", "--hardware", "1xRTX-4090-24GB")
    status, out, err = qwen3(*here, "--pricing", "reserved")
    assert (status, out) == (2, "")
    assert "--pricing: reserved: no such price of RTX-4090-24GB" in err
    assert "choices: on-demand" in err


def test_a_term_is_cheaper_than_the_going_rate(qwen3: Command) -> None:
    rates = {
        market: json.loads(qwen3(*BASE, "--pricing", market, "-o", "json")[1])["price"]
        for market in ("on-demand", "reserved", "spot", "purchase")
    }
    assert {rate["market"] for rate in rates.values()} == set(rates)
    usd = {market: rate["usdPerGpuHour"] for market, rate in rates.items()}
    assert usd["reserved"] < usd["on-demand"]
    assert all(rate["asOf"] and rate["sources"] for rate in rates.values())


def test_a_model_that_does_not_fit_is_exit_three_with_the_reason(qwen3: Command) -> None:
    status, out, _ = qwen3(
        *("compare-api", "Qwen3-235B-A22B", "--hardware", "1xL40S-48GB", "-o", "json")
    )
    assert status == 3
    assert json.loads(out)["refusals"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (("--api", "alibabba"), "--api: alibabba"),
        (("--thinking-tokens", "many"), "--thinking-tokens: many"),
        (("--pricing", "rservd"), "--pricing: rservd"),
        (("--pricing", "spot", "--purchase-usd", "9"), "--purchase-usd: 9"),
        (("--usd-per-gpu-hour", "2", "--pricing", "spot"), "--usd-per-gpu-hour: 2"),
        (("--pue", "0.9"), "--pue: 0.9"),
        (("--peak", "0.5"), "--peak: 0.5"),
        (("--utilization", "1.5"), "--utilization: 1.5"),
        (("--usd-per-million-input", "0.1"), "--usd-per-million-output: (missing)"),
        (("--requests-per-day", "5", "--tokens-per-day", "7"), "--tokens-per-day: 7"),
        (("--replicas", "3"), "--replicas: 3"),
        (("--tpot-ms", "0.1"), "--tpot-ms: 0.1"),
        (("--hardware", "1xL4-24GB"), "--hardware: 2xH100-SXM-80GB, 1xL4-24GB"),
    ],
)
def test_wrong_options_are_named_with_their_value(
    qwen3: Command, options: tuple[str, ...], field: str
) -> None:
    status, out, err = qwen3(*BASE, *options)
    assert (status, out) == (2, "")
    assert field in err
