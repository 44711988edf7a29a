"""Which rows are fitted together, and what each group tells."""

from __future__ import annotations

from dataclasses import dataclass

ENGINE = (
    "layer_us", "step_us", "sequence_us", "collective_us", "link", "burst", "bunch", "first_ms",
    "first_steps", "kv", "attention",
)  # fmt: skip
LONE = ("layer_us", "step_us", "kv", "attention")
"""What rows with one request at a time can tell."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are fitted together.

    Attributes:
        name: ``engine/device class/kind``.
        shared: unknowns of the whole group.
        own: unknowns of each weight format.
        parent: the group that priors come from; None for the first of an engine.
        newest: first version that the rows say nothing of any more, because the engine's own
            overhead changed; empty where they hold on.
        only_seen: whether its rows contradict others of the engine, and so say nothing of another
            model or card.
    """

    name: str
    shared: tuple[str, ...]
    own: tuple[str, ...]
    parent: str | None
    newest: str = ""
    only_seen: bool = False


GROUPS = (
    Group("vllm/hopper/dense", ENGINE, ("memory", "compute"), None),
    Group(
        "vllm/hopper/moe",
        ("layer_us", "step_us", "bunch", "first_steps", "experts_always"),
        ("memory", "experts", "compute"),
        "vllm/hopper/dense",
        only_seen=True,  # flat in batch: as slow as if every expert were read in every step
    ),
    Group("vllm/ampere/dense", ("step_us",), (), "vllm/hopper/dense", newest="0.10.0"),
    Group(
        "vllm/ampere/moe",
        ("layer_us", "kv"),
        ("experts",),
        "vllm/ampere/dense",
        newest="0.10.0",
    ),
    Group(
        "vllm/ada-gddr/dense",
        ("step_us", "sequence_us", "collective_us", "link"),
        ("memory", "compute"),
        "vllm/hopper/dense",
    ),
    Group("vllm/ada-rtx/dense", ("step_us", "kv"), ("memory",), "vllm/hopper/dense"),
    Group("vllm/blackwell-rtx/moe", ("step_us",), ("experts", "layer_us"), "vllm/hopper/dense"),
    Group("sglang/hopper/dense", ENGINE, ("memory", "compute"), None),
    Group(
        "sglang/hopper-h20/dense",
        LONE[1:],
        ("memory", "compute", "layer_us"),
        "sglang/hopper/dense",
    ),
    Group(
        "sglang/hopper-h20/moe",
        LONE[1:],
        ("memory", "experts", "compute", "layer_us"),
        "sglang/hopper-h20/dense",
    ),
    Group(
        "sglang/hopper/moe",
        ("layer_us", "step_us", "experts_always", "burst", "bunch"),
        ("memory", "experts", "compute"),
        "sglang/hopper/dense",
    ),
    Group("llamacpp/any/dense", LONE, ("memory", "compute"), None),
    Group("llamacpp/any/moe", ("layer_us",), ("experts",), "llamacpp/any/dense"),
    Group("llamacpp/pascal/dense", ("step_us",), ("memory",), "llamacpp/any/dense"),
    Group("llamacpp/rdna/dense", LONE, ("memory", "compute"), "llamacpp/any/dense"),
    Group("llamacpp/rdna/moe", LONE, ("memory", "experts", "compute"), "llamacpp/rdna/dense"),
    Group("llamacpp/apple/dense", ("step_us",), ("memory",), "llamacpp/any/dense"),
    Group("llamacpp/apple/moe", ("layer_us",), ("compute",), "llamacpp/apple/dense"),
    Group("llamacpp/cpu/dense", ("step_us",), ("memory", "compute"), "llamacpp/any/dense"),
    Group("llamacpp/cpu/moe", (), ("experts",), "llamacpp/cpu/dense"),
)

SINCE = {"vllm": "0.8.5", "sglang": "0.4.6", "llamacpp": "b5092"}
"""The first version that serves the family."""
