"""Speeds that anybody who runs these models knows roughly: no device may be far from them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.performance.load import Load, Server, alone_seconds, closed_loop
from qwen3_planner.performance.prediction import predict
from qwen3_planner.plan import Layout
from support.performance.servers import FORMATS, a_gguf_server, a_server, gpus

CHAT = Load(1024, 256, 1)

SERVED = (
    "T4-16GB", "L4-24GB", "A10G-24GB", "RTX-3090-24GB", "RTX-4090-24GB", "L40S-48GB",
    "RTX-5090-32GB", "RTX-PRO-6000-96GB", "A100-SXM-80GB", "H100-PCIe-80GB", "H100-SXM-80GB",
    "H200-SXM-141GB", "H20-96GB", "MI300X-192GB", "B200-SXM-180GB", "GB200-186GB",
)  # fmt: skip

EDGE = (
    "RaspberryPi5-8GB", "Apple-M1-16GB", "Apple-M2-Pro-32GB", "Apple-M1-Max-64GB",
    "Apple-M3-Max-64GB", "Apple-M4-16GB", "Apple-M4-Pro-48GB", "Apple-M4-Max-128GB",
    "Apple-M3-Ultra-256GB",
)  # fmt: skip

MODELS = ("Qwen3-0.6B", "Qwen3-1.7B", "Qwen3-4B", "Qwen3-8B", "Qwen3-14B", "Qwen3-32B")


def tokens_per_s(server: Server) -> float:
    return 1.0 / closed_loop(server, CHAT).tpot_s


@pytest.mark.parametrize(
    ("card", "low", "high"),
    [
        ("T4-16GB", 12, 19),
        ("L4-24GB", 12, 18),
        ("A10G-24GB", 24, 38),
        ("RTX-3090-24GB", 42, 58),
        ("RTX-4090-24GB", 50, 63),
        ("L40S-48GB", 36, 54),
        ("RTX-5090-32GB", 75, 112),
        ("RTX-PRO-6000-96GB", 75, 112),
        ("A100-SXM-80GB", 70, 110),
        ("H100-SXM-80GB", 110, 150),
        ("H200-SXM-141GB", 140, 210),
        ("H20-96GB", 55, 110),
        ("MI300X-192GB", 90, 200),
        ("B200-SXM-180GB", 150, 330),
        ("GB200-186GB", 150, 340),
    ],
)
@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_one_request_of_8b_in_16_bit(engine: str, card: str, low: float, high: float) -> None:
    assert low <= tokens_per_s(a_server("Qwen3-8B", card, engine=engine, layout=Layout())) <= high


@pytest.mark.parametrize(
    ("device", "low", "high"),
    [
        ("RaspberryPi5-8GB", 1.5, 3.5),
        ("Apple-M1-16GB", 8, 16),
        ("Apple-M2-Pro-32GB", 25, 40),
        ("Apple-M1-Max-64GB", 40, 72),
        ("Apple-M3-Max-64GB", 40, 72),
        ("Apple-M4-16GB", 15, 26),
        ("Apple-M4-Pro-48GB", 36, 54),
        ("Apple-M4-Max-128GB", 55, 100),
        ("Apple-M3-Ultra-256GB", 70, 145),
        ("RTX-3060-12GB", 45, 70),
        ("RTX-3090-24GB", 100, 150),
        ("RTX-4090-24GB", 110, 165),
        ("RTX-5090-32GB", 170, 260),
    ],
)
def test_one_request_of_8b_q4_in_llama_cpp(device: str, low: float, high: float) -> None:
    assert low <= tokens_per_s(a_gguf_server("Qwen3-8B", device)) <= high


@pytest.mark.parametrize(
    ("device", "low", "high"),
    [
        ("RaspberryPi5-8GB", 4, 20),
        ("Apple-M2-Pro-32GB", 150, 450),
        ("Apple-M4-Max-128GB", 500, 1300),
        ("RTX-4090-24GB", 5000, 15000),
    ],
)
def test_prompts_of_8b_q4_in_llama_cpp(device: str, low: float, high: float) -> None:
    assert low <= 512 / alone_seconds(a_gguf_server("Qwen3-8B", device), 512) <= high


def floor_seconds(server: Server) -> float:
    """Return what reading one token's weights takes at the data sheet's bandwidth."""
    return sum(
        (s.work.dense_bytes + s.work.head_bytes + s.work.experts_hit(1) * s.work.expert_bytes)
        / s.machine.memory
        for s in server.stages
    )


@pytest.mark.parametrize("card", gpus())
@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_every_model_format_and_card_is_bounded_by_its_bandwidth_and_not_far_below(
    engine: str, card: str
) -> None:
    for model, quantization in product(
        (*MODELS, "Qwen3-30B-A3B", "Qwen3-235B-A22B"), sorted(FORMATS)
    ):
        server = a_server(model, card, engine=engine, quantization=quantization, layout=Layout())
        found, floor = closed_loop(server, CHAT), floor_seconds(server)
        fixed = 1e-6 * (6000.0 + 800.0 * server.stages[0].work.layers)
        assert floor < found.tpot_s < 4.0 * floor + fixed, (model, quantization)
        prompt = 1024 * server.stages[0].work.token_flops / server.stages[0].machine.flops
        assert prompt < found.ttft_s < 8.0 * prompt + 2.0 * floor * 20 + 0.2, (model, quantization)


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_a_larger_dense_model_is_never_faster(engine: str) -> None:
    for card in SERVED:
        speeds = [tokens_per_s(a_server(m, card, engine=engine, layout=Layout())) for m in MODELS]
        assert all(small > large for small, large in pairwise(speeds)), card


@pytest.mark.parametrize("device", EDGE)
def test_a_larger_model_is_never_faster_on_the_edge(device: str) -> None:
    speeds = [tokens_per_s(a_gguf_server(model, device)) for model in MODELS]
    assert all(small > large for small, large in pairwise(speeds))
    assert tokens_per_s(a_gguf_server("Qwen3-30B-A3B", device)) > speeds[-2]


@pytest.mark.parametrize(
    "slow_to_fast",
    [
        ("L4-24GB", "A10G-24GB", "L40S-48GB", "A100-SXM-80GB", "H100-SXM-80GB", "H200-SXM-141GB"),
        ("RTX-3090-24GB", "RTX-4090-24GB", "RTX-5090-32GB", "H100-SXM-80GB", "B200-SXM-180GB"),
        ("T4-16GB", "A10G-24GB", "A100-SXM-80GB", "MI300X-192GB", "GB200-186GB"),
        ("A100-SXM-80GB", "H200-SXM-141GB", "B200-SXM-180GB", "GB200-186GB"),
    ],
)
@pytest.mark.parametrize("quantization", sorted(FORMATS))
@pytest.mark.parametrize("model", ["Qwen3-8B", "Qwen3-32B", "Qwen3-30B-A3B", "Qwen3-235B-A22B"])
def test_a_better_card_is_faster_alone_and_under_load(
    model: str, quantization: str, slow_to_fast: tuple[str, ...]
) -> None:
    for engine, clients in (("vllm", 1), ("sglang", 1), ("vllm", 64)):
        load = replace(CHAT, concurrency=clients)
        servers = [
            a_server(model, card, engine=engine, quantization=quantization, layout=Layout())
            for card in slow_to_fast
        ]
        speeds = [
            closed_loop(server, load).output_tokens_per_s
            for server in servers
            if not server.efficiency.only_seen  # measured, and slower than any other card's rows
        ]
        assert len(speeds) >= len(servers) - 1
        assert all(slow < fast for slow, fast in pairwise(speeds)), (engine, clients, speeds)


@pytest.mark.parametrize("card", ["H100-SXM-80GB", "RTX-4090-24GB", "B200-SXM-180GB"])
def test_fewer_bits_are_faster_for_one_request(card: str) -> None:
    for model, engine in product(("Qwen3-8B", "Qwen3-32B"), ("vllm", "sglang")):
        bf16, fp8, four = (
            tokens_per_s(a_server(model, card, engine=engine, quantization=q, layout=Layout()))
            for q in ("bf16", "fp8", "awq-int4")
        )
        assert bf16 < fp8 < four


def test_what_nobody_measured_says_so_by_its_interval() -> None:
    """Factor between the upper and the lower end of the time of a token."""
    widths = {
        card: predict(a_server("Qwen3-32B", card, layout=Layout(2)), CHAT).tpot_s
        for card in ("H100-SXM-80GB", "H200-SXM-141GB", "MI300X-192GB")
    }
    spans = [told.high / told.low for told in widths.values()]
    assert spans[0] < 1.2 < spans[1] < 1.8 < spans[2]


def test_every_device_of_the_catalog_that_may_serve_has_a_speed() -> None:
    for row in load_catalog().accelerators:
        if row.device_class != "gpu":
            assert tokens_per_s(a_gguf_server("Qwen3-0.6B", row.name)) > 5
