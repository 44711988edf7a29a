"""The 2208 questions of the first release: 8 variants x 4 weight formats x 69 accelerators.

Named one by one, so that a catalog that grows does not change what is measured.
"""

from __future__ import annotations

MODELS = (
    "Qwen3-0.6B",
    "Qwen3-1.7B",
    "Qwen3-4B",
    "Qwen3-8B",
    "Qwen3-14B",
    "Qwen3-32B",
    "Qwen3-30B-A3B",
    "Qwen3-235B-A22B",
)

QUANTIZATIONS = ("bf16", "fp8", "awq-int4", "gptq-int4")

GPUS = (
    "T4-16GB",
    "L4-24GB",
    "A10G-24GB",
    "L40S-48GB",
    "L40-48GB",
    "RTX-3090-24GB",
    "RTX-4090-24GB",
    "RTX-5090-32GB",
    "RTX-PRO-6000-96GB",
    "A100-SXM-80GB",
    "A100-PCIe-80GB",
    "A100-SXM-40GB",
    "A100-PCIe-40GB",
    "A800-SXM-80GB",
    "H20-96GB",
    "H20-141GB",
    "H100-SXM-80GB",
    "H100-PCIe-80GB",
    "H100-NVL-94GB",
    "H200-SXM-141GB",
    "H800-SXM-80GB",
    "B200-SXM-180GB",
    "GB200-186GB",
    "MI300X-192GB",
    "MI325X-256GB",
)

CHIPS = (
    *(f"Apple-M1-{size}GB" for size in (8, 16)),
    *(f"Apple-M1-Pro-{size}GB" for size in (16, 32)),
    *(f"Apple-M1-Max-{size}GB" for size in (32, 64)),
    *(f"Apple-M1-Ultra-{size}GB" for size in (64, 128)),
    *(f"Apple-M2-{size}GB" for size in (8, 16, 24)),
    *(f"Apple-M2-Pro-{size}GB" for size in (16, 32)),
    *(f"Apple-M2-Max-{size}GB" for size in (32, 64, 96)),
    *(f"Apple-M2-Ultra-{size}GB" for size in (64, 128, 192)),
    *(f"Apple-M3-{size}GB" for size in (8, 16, 24)),
    *(f"Apple-M3-Pro-{size}GB" for size in (18, 36)),
    *(f"Apple-M3-Max-{size}GB" for size in (36, 48, 64, 96, 128)),
    *(f"Apple-M3-Ultra-{size}GB" for size in (96, 256, 512)),
    *(f"Apple-M4-{size}GB" for size in (16, 24, 32)),
    *(f"Apple-M4-Pro-{size}GB" for size in (24, 48, 64)),
    *(f"Apple-M4-Max-{size}GB" for size in (36, 48, 64, 128)),
    *(f"RaspberryPi5-{size}GB" for size in (8, 16)),
)

GPUS_PER_NODE = 8


def hardware() -> tuple[str, ...]:
    """List the short forms: eight of each GPU, one of each chip."""
    return (*(f"{GPUS_PER_NODE}x{name}" for name in GPUS), *(f"1x{name}" for name in CHIPS))
