"""Which rows are fitted together, and what each group tells."""

from __future__ import annotations

ENGINE = (
    "layer_us", "step_us", "sequence_us", "collective_us", "link", "burst", "bunch", "first_ms",
    "first_steps", "kv", "attention",
)  # fmt: skip
LONE = ("layer_us", "step_us", "kv", "attention")
"""What rows with one request at a time can tell."""

GROUPS: tuple[tuple[str, tuple[str, ...], tuple[str, ...], str | None], ...] = (
    ("vllm/hopper/dense", ENGINE, ("memory", "compute"), None),
    (
        "vllm/hopper/moe",
        ("layer_us", "step_us", "bunch", "first_steps", "experts_always"),
        ("memory", "experts", "compute"),
        "vllm/hopper/dense",
    ),
    (
        "vllm/ada/dense",
        ("step_us", "sequence_us", "collective_us", "link"),
        ("memory", "compute"),
        "vllm/hopper/dense",
    ),
    ("vllm/blackwell/moe", ("step_us",), ("experts", "layer_us"), "vllm/hopper/dense"),
    ("sglang/hopper/dense", ENGINE, ("memory", "compute"), None),
    ("sglang/hopper-h20/dense", LONE[1:], ("memory", "compute", "layer_us"), "sglang/hopper/dense"),
    (
        "sglang/hopper-h20/moe",
        LONE[1:],
        ("memory", "experts", "compute", "layer_us"),
        "sglang/hopper-h20/dense",
    ),
    (
        "sglang/hopper/moe",
        ("layer_us", "step_us", "experts_always"),
        ("memory", "experts", "compute"),
        "sglang/hopper/dense",
    ),
    ("llamacpp/any/dense", LONE, ("memory", "compute"), None),
    ("llamacpp/any/moe", LONE, ("memory", "experts", "compute"), "llamacpp/any/dense"),
    ("llamacpp/pascal/dense", ("step_us",), ("memory",), "llamacpp/any/dense"),
    ("llamacpp/rdna/dense", LONE, ("memory", "compute"), "llamacpp/any/dense"),
    ("llamacpp/rdna/moe", LONE, ("memory", "experts", "compute"), "llamacpp/rdna/dense"),
    ("llamacpp/apple/dense", ("step_us",), ("memory",), "llamacpp/any/dense"),
    ("llamacpp/apple/moe", ("step_us",), ("experts", "compute"), "llamacpp/apple/dense"),
    ("llamacpp/cpu/dense", ("step_us",), ("memory", "compute"), "llamacpp/any/dense"),
    ("llamacpp/cpu/moe", (), ("experts",), "llamacpp/cpu/dense"),
)
"""Group, unknowns it shares, unknowns of each weight format, and the group its priors come from."""

SINCE = {"vllm": "0.8.5", "sglang": "0.4.6", "llamacpp": "b5092"}
"""The first version that serves the family; no engine has two ranges of one device yet."""
