"""Architectures that the tests of GGUF sizes add to those of the catalog."""

from __future__ import annotations

from dataclasses import replace

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.rows import LinearAttention, ModelArchitecture

EIGHT = ("0.6B", "1.7B", "4B", "8B", "14B", "32B", "30B-A3B", "235B-A22B")


def a_model(name: str) -> ModelArchitecture:
    return load_catalog().model(name)


CODER_480B = replace(
    a_model("Qwen3-235B-A22B"),
    name="Coder-480B",
    hidden_size=6144,
    layers=62,
    attention_heads=96,
    kv_heads=8,
    moe_intermediate_size=2560,
    experts=160,
)

NEXT_80B = replace(
    a_model("Qwen3-30B-A3B"),
    name="Next-80B",
    attention_heads=16,
    kv_heads=2,
    head_dim=256,
    moe_intermediate_size=512,
    experts=512,
    experts_per_token=10,
    full_attention_interval=4,
    linear_attention=LinearAttention(16, 32, 128, 128, 4),
    attention_output_gate=True,
    rotary_share=0.25,
    shared_expert_intermediate_size=512,
)

NARROW = replace(
    a_model("Qwen3-0.6B"),
    name="Narrow",
    hidden_size=320,
    layers=16,
    attention_heads=4,
    kv_heads=2,
    head_dim=64,
    intermediate_size=800,
    vocab_size=2048,
)
"""Rows that no block of 256 divides: every K type falls back."""

NARROW_EXPERTS = replace(
    NARROW,
    name="Narrow-MoE",
    tied_embeddings=False,
    layers=9,
    attention_heads=8,
    kv_heads=1,
    intermediate_size=96,
    moe_intermediate_size=96,
    experts=6,
    experts_per_token=2,
)

ODD = replace(NARROW, name="Odd", hidden_size=72, intermediate_size=40, layers=3)
"""Rows that not even a block of 32 divides: F16."""

GEOMETRIES: tuple[ModelArchitecture, ...] = (
    *(a_model(f"Qwen3-{size}") for size in EIGHT),
    CODER_480B,
    NEXT_80B,
    NARROW,
    NARROW_EXPERTS,
    ODD,
)
