"""Which batch sizes vLLM captures as CUDA graphs, by version.

Source: ``vllm/config/vllm.py`` _set_cudagraph_sizes (``config.py`` before 0.10.1) of each release.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from qwen3_planner.engines.versions import Ruling, Version


@dataclass(frozen=True, slots=True)
class CaptureRule:
    """How the list of sizes is made: 1, 2, 4, then two strides up to a ceiling.

    Attributes:
        strides: below 256, and from there on.
        bound_by_seqs: whether twice the sequences are a ceiling as well.
        ceiling: largest size.
        ceiling_on_blackwell: the same on compute capability 10.x.
        adds_tokens: whether the tokens of a step are a size where they lie below the ceiling.
        adds_seqs: whether the sequences are a size where they lie below the ceiling.
        whole_steps: whether decoding steps are captured whole as well, besides in pieces.
    """

    strides: tuple[int, int]
    bound_by_seqs: bool
    ceiling: int
    ceiling_on_blackwell: int
    adds_tokens: bool
    adds_seqs: bool
    whole_steps: bool


_FIRST: Final = CaptureRule(
    strides=(8, 8),
    bound_by_seqs=False,
    ceiling=512,
    ceiling_on_blackwell=512,
    adds_tokens=False,
    adds_seqs=False,
    whole_steps=False,
)
_BOUND: Final = replace(_FIRST, bound_by_seqs=True)
_WHOLE: Final = replace(_BOUND, whole_steps=True)
_STRIDES: Final = replace(_WHOLE, strides=(8, 16))
_TOKENS: Final = replace(_STRIDES, adds_tokens=True)
_BLACKWELL: Final = replace(_TOKENS, ceiling_on_blackwell=1024)
_SEQS: Final = replace(_BLACKWELL, adds_seqs=True)

CAPTURE_RULES: Final = (
    Ruling(_FIRST, Version(0, 0), "PyPI vllm 0.9.2 vllm/config.py cuda_graph_sizes [512]", "A"),
    Ruling(_BOUND, Version(0, 10), "PyPI vllm 0.10.0 vllm/config.py min(max_num_seqs * 2)", "A"),
    Ruling(
        _WHOLE,
        Version(0, 11),
        "PyPI vllm 0.11.0 vllm/config/__init__.py CUDAGraphMode.FULL_AND_PIECEWISE",
        "A",
    ),
    Ruling(_STRIDES, Version(0, 11, 1), "PyPI vllm 0.11.1 vllm/config/vllm.py", "A"),
    Ruling(_TOKENS, Version(0, 20, 1), "PyPI vllm 0.20.1 vllm/config/vllm.py", "A"),
    Ruling(
        _BLACKWELL,
        Version(0, 28),
        "PyPI vllm 0.28.0 vllm/config/vllm.py is_data_center_blackwell",
        "A",
    ),
    Ruling(
        _SEQS,
        Version(0, 31),
        "PyPI vllm 0.31.0 vllm/config/vllm.py uniform_decode_sizes",
        "A",
    ),
)
"""How the captured sizes follow from the scheduler's."""
