"""Scheduler sizes that vLLM takes by default: tokens of a step, sequences at once.

Source: ``vllm/engine/arg_utils.py`` of each release (get_batch_defaults and what stood there
before it). The sizes are those of the API server; the offline ``LLM`` class takes more tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from qwen3_planner.engines.versions import Ruling, Version
from qwen3_planner.units import GIB


@dataclass(frozen=True, slots=True)
class BatchTier:
    """API-server defaults of one class of devices.

    Attributes:
        at_least_bytes: device memory from which it holds.
        except_products: words in the product's name that keep it out of this tier.
        max_num_batched_tokens: tokens of one scheduler step.
        max_num_seqs: sequences scheduled at once.
        only_products: words of which one must be in the product's name; empty: any product.
        except_capabilities: CUDA capabilities that are kept out of this tier.
    """

    at_least_bytes: int
    except_products: tuple[str, ...]
    max_num_batched_tokens: int
    max_num_seqs: int
    only_products: tuple[str, ...] = ()
    except_capabilities: tuple[tuple[int, int], ...] = ()

    def takes(self, device_bytes: int, product: str, capability: tuple[int, int] | None) -> bool:
        """Whether a device belongs to this tier or to a larger one."""
        name = product.lower()
        return (
            device_bytes >= self.at_least_bytes
            and not any(word in name for word in self.except_products)
            and (not self.only_products or any(word in name for word in self.only_products))
            and capability not in self.except_capabilities
        )


_SMALL: Final = BatchTier(0, (), 2048, 256)
_NAMED: Final = BatchTier(0, (), 8192, 1024, only_products=("h100", "h200"))
_LARGE_WITH_A100: Final = BatchTier(70 * GIB, (), 8192, 1024)
_LARGE: Final = BatchTier(70 * GIB, ("a100",), 8192, 1024)
_LARGE_WITHOUT_GB10: Final = BatchTier(
    70 * GIB, ("a100",), 8192, 1024, except_capabilities=((12, 1),)
)
_HUGE: Final = BatchTier(160 * GIB, (), 16384, 1024)

_ARG_UTILS: Final = "vllm/engine/arg_utils.py"

BATCH_TIERS: Final[tuple[Ruling[tuple[BatchTier, ...]], ...]] = (
    Ruling((_NAMED, _SMALL), Version(0, 0), f"PyPI vllm 0.8.4 {_ARG_UTILS}: by name", "A"),
    Ruling(
        (_LARGE_WITH_A100, _SMALL),
        Version(0, 8, 5),
        f"PyPI vllm 0.8.5 {_ARG_UTILS}: by memory, no product excepted",
        "A",
    ),
    Ruling(
        (_LARGE, _SMALL),
        Version(0, 9),
        f"PyPI vllm 0.9.0 {_ARG_UTILS}: A100 excepted",
        "A",
    ),
    Ruling(
        (_HUGE, _LARGE, _SMALL),
        Version(0, 28),
        f"PyPI vllm 0.28.0 {_ARG_UTILS}: a tier from 160 GiB",
        "A",
    ),
    Ruling(
        (_HUGE, _LARGE_WITHOUT_GB10, _SMALL),
        Version(0, 33),
        f"PyPI vllm 0.33.0 {_ARG_UTILS}: compute capability 12.1 (GB10) excepted",
        "A",
    ),
)
"""Default scheduler sizes of the API server, largest tier first."""


@dataclass(frozen=True, slots=True)
class BatchBounds:
    """How the defaults bound each other.

    Attributes:
        seqs_within_tokens: sequences by default are no more than the tokens of a step.
        tokens_within_load: tokens by default are no more than all sequences at full length.
    """

    seqs_within_tokens: bool
    tokens_within_load: bool


BATCH_BOUNDS: Final = (
    Ruling(
        BatchBounds(seqs_within_tokens=False, tokens_within_load=False),
        Version(0, 0),
        f"PyPI vllm 0.10.0 {_ARG_UTILS}",
        "A",
    ),
    Ruling(
        BatchBounds(seqs_within_tokens=True, tokens_within_load=False),
        Version(0, 10, 1),
        f"PyPI vllm 0.10.1 {_ARG_UTILS}",
        "A",
    ),
    Ruling(
        BatchBounds(seqs_within_tokens=True, tokens_within_load=True),
        Version(0, 11, 1),
        f"PyPI vllm 0.11.1 {_ARG_UTILS}",
        "A",
    ),
)
"""Bounds on the sizes that the user left open."""

CPU_BATCH: Final = (
    Ruling((2048, 256), Version(0, 0), f"PyPI vllm 0.9.1 {_ARG_UTILS}: as a small GPU", "A"),
    Ruling((2048, 32), Version(0, 9, 2), f"PyPI vllm 0.9.2 {_ARG_UTILS}", "A"),
    Ruling((2048, 128), Version(0, 10), f"PyPI vllm 0.10.0 {_ARG_UTILS}: times the ranks", "A"),
)
"""(tokens, sequences) of the CPU build's API server, each times the tensor and pipeline ranks
since 0.10.0."""


def default_tier(
    tiers: tuple[BatchTier, ...],
    device_bytes: int,
    product: str,
    capability: tuple[int, int] | None = None,
) -> BatchTier:
    """Return the first tier that takes a device.

    >>> tiers = BATCH_TIERS[-1].value
    >>> default_tier(tiers, 119 * GIB, "GB10-128GB", (12, 1)).max_num_batched_tokens
    2048
    >>> default_tier(tiers, 79 * GIB, "H100-SXM-80GB", (9, 0)).max_num_batched_tokens
    8192
    """
    taken = (tier for tier in tiers if tier.takes(device_bytes, product, capability))
    return next(taken, _SMALL)
