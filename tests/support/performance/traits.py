"""How classes of devices differ from Hopper: what carries figures over to those nobody measured.

Rates of the catalog are those of data sheets. How much of them kernels reach depends on the board:
one that is held at 72 W cannot keep its clocks, one without error correction reads more.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trait:
    """A class of devices beside Hopper.

    Attributes:
        memory: share of the memory bandwidth that kernels reach, in Hopper's.
        compute: the same of the arithmetic.
        layer: time to launch a layer's kernels, in Hopper's.
        tile_rows: at least so many rows are multiplied; None as for the format.
        source: why.
    """

    memory: float = 1.0
    compute: float = 1.0
    layer: float = 1.0
    tile_rows: float | None = None
    source: str = ""


MMA_ROWS = 16.0
"""Rows of a tile where products are made by warps (mma.sync, MFMA), not by groups of warps."""

POWER = "power is the limit: 0.5 of the arithmetic on an L4 of 72 W (measured rows)"

TRAITS: dict[str, Trait] = {
    "hopper": Trait(source="measured"),
    "hopper-h20": Trait(source="measured"),
    "ampere": Trait(
        compute=1.1,
        tile_rows=MMA_ROWS,
        source=(
            "A100: 0.61 of the arithmetic in 32,000-token prompts of vLLM 0.11 (gpustack/gpustack"
            "@10e9444 docs/performance-lab/qwen3-14b/a100.md); an H100 reaches 0.55 there"
        ),
    ),
    "ampere-rtx": Trait(1.1, 1.2, tile_rows=MMA_ROWS, source="as ada-rtx"),
    "ampere-gddr": Trait(0.97, 0.85, tile_rows=MMA_ROWS, source=POWER),
    "ada-gddr": Trait(0.97, 0.85, tile_rows=MMA_ROWS, source=POWER),
    "ada-rtx": Trait(
        1.1,
        1.25,
        tile_rows=MMA_ROWS,
        source="RTX 4090: 0.94 of the bandwidth in 16 bit (measured rows); arithmetic assumed",
    ),
    "blackwell": Trait(
        0.82,
        1.0,
        source=(
            "8 TB/s need more reads in flight than 3.35; two B200 with Qwen3-32B in SGLang take 1.4"
            " times what Hopper's shares give (https://github.com/sgl-project/sglang/pull/21736)"
        ),
    ),
    "blackwell-rtx": Trait(1.08, 1.1, tile_rows=MMA_ROWS, source="as ada-rtx"),
    "cdna3": Trait(
        0.7,
        0.5,
        1.5,
        tile_rows=MMA_ROWS,
        source=(
            "MI300X: 45 % of peak arithmetic where an H100 has up to 93 %, 81 % of the bandwidth"
            " (https://aiweekly.co/alerts/amd-mi300x-hits-only-45-of-peak-flops-in-practice); less"
            " in vLLM (https://github.com/vllm-project/vllm/pull/17530)"
        ),
    ),
    "volta": Trait(0.95, 1.0, 1.2, tile_rows=MMA_ROWS, source="assumed"),
    "turing": Trait(0.95, 0.7, 1.2, tile_rows=MMA_ROWS, source="assumed; " + POWER),
}
"""By device class. Ratios are of the same engine and format on Hopper."""

NONE = Trait()


def trait_of(device: str) -> Trait:
    """Return the trait of a device class; that of Hopper where it is unknown.

    >>> trait_of("apple") is NONE
    True
    """
    return TRAITS.get(device, NONE)
