"""How a quantization holds the weights of the linear layers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.request import Quantization

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import Checkpoint, GgufWeights

HEAD = "lm_head"
"""The output head's name in every checkpoint of the family."""

VISION = "model.visual"
"""The image encoder's name in every checkpoint of the family."""


class WeightKind(StrEnum):
    """Families of storage for a linear layer's weight."""

    PLAIN = "plain"
    FP8_BLOCK = "fp8-block"
    FP8_CHANNEL = "fp8-channel"
    FP8_TENSOR = "fp8-tensor"
    INT8_CHANNEL = "int8-channel"
    INT8_GROUP = "int8-group"
    INT4_GROUP = "int4-group"
    NVFP4_GROUP = "nvfp4-group"
    MXFP4_GROUP = "mxfp4-group"
    GGUF = "gguf"


class FileLayout(StrEnum):
    """Tools whose files differ in what they store beside the weights."""

    FP8 = "fp8"
    AWQ = "awq"
    GPTQ = "gptq"
    COMPRESSED_TENSORS = "compressed-tensors"
    MODELOPT = "modelopt"


@dataclass(frozen=True, slots=True)
class WeightFormat:
    """Storage of the linear layers; embedding, router, gates and norms stay 16 bit in all.

    Attributes:
        quantization: the name users know it by.
        kind: family of storage.
        block_rows: outputs that share one FP8 scale; 0 where there are no blocks.
        block_columns: inputs that share one FP8 scale; 0 where there are no blocks.
        group_size: inputs that share one scale; 0 where there are no groups.
        has_zero_points: whether each group carries a packed zero point.
        online: made while loading from the bf16 checkpoint.
        layout: whose files they are.
        act_order: GPTQ columns are ordered by activation: kernels keep the group index.
        static_activations: the files hold the activations' scales.
        kv_scales: the files hold scales of the KV cache.
        quantizes_head: whether the output head is quantized like the layers.
        quantizes_vision: whether the image encoder is quantized like the layers.
        exceptions: (module, format) of modules stored otherwise; a pattern with ``*`` or the name
            of a module and all below it, as the checkpoint's files name them; the first that
            matches decides.
        file_bytes: of the tensors in the files, where their headers were read; else 0.
        gguf: what the header of a GGUF file says; None where it was not read.
    """

    quantization: Quantization
    kind: WeightKind
    block_rows: int = 0
    block_columns: int = 0
    group_size: int = 0
    has_zero_points: bool = False
    online: bool = False
    layout: FileLayout = FileLayout.COMPRESSED_TENSORS
    act_order: bool = False
    static_activations: bool = False
    kv_scales: bool = False
    quantizes_head: bool = False
    quantizes_vision: bool = False
    exceptions: tuple[tuple[str, WeightFormat], ...] = ()
    file_bytes: int = 0
    gguf: GgufWeights | None = None

    def __hash__(self) -> int:
        """Hash what tells formats apart most often: they are keys of many caches."""
        return hash((self.quantization, self.kind, self.layout, self.file_bytes, self.group_size))

    @property
    def is_quantized(self) -> bool:
        """Whether linear weights are smaller than 16 bit."""
        return self.kind is not WeightKind.PLAIN

    @property
    def bits(self) -> int:
        """Width of one weight without its scales."""
        return _BITS[self.kind]

    def of(self, module: str) -> WeightFormat:
        """Return how one module is stored.

        >>> fmt = WeightFormat(Quantization.FP8, WeightKind.FP8_CHANNEL)
        >>> fmt.of("lm_head").kind.value, fmt.of("model.layers.0.mlp.up_proj").kind.value
        ('plain', 'fp8-channel')
        """
        for pattern, fmt in self.exceptions:
            if _matches(pattern, module):
                return fmt
        is_outside = (module == HEAD and not self.quantizes_head) or (
            not self.quantizes_vision and module.startswith(f"{VISION}.")
        )
        if is_outside and self.is_quantized:
            return BF16
        return self if not self.exceptions else _without_exceptions(self)

    def is_exception(self, module: str) -> bool:
        """Whether a module is named among the exceptions."""
        return any(_matches(pattern, module) for pattern, _ in self.exceptions)


_BITS = {
    WeightKind.PLAIN: 16,
    WeightKind.FP8_BLOCK: 8,
    WeightKind.FP8_CHANNEL: 8,
    WeightKind.FP8_TENSOR: 8,
    WeightKind.INT8_CHANNEL: 8,
    WeightKind.INT8_GROUP: 8,
    WeightKind.INT4_GROUP: 4,
    WeightKind.NVFP4_GROUP: 4,
    WeightKind.MXFP4_GROUP: 4,
}


def _matches(pattern: str, module: str) -> bool:
    if "*" in pattern:
        return fnmatchcase(module, pattern)
    return module == pattern or module.startswith(f"{pattern}.")


@lru_cache(maxsize=256)
def _without_exceptions(fmt: WeightFormat) -> WeightFormat:
    return replace(fmt, exceptions=(), file_bytes=0)


BF16 = WeightFormat(Quantization.BF16, WeightKind.PLAIN)

ONLINE_FP8 = WeightFormat(
    Quantization.FP8, WeightKind.FP8_CHANNEL, online=True, quantizes_vision=True
)
"""vLLM ``--quantization fp8`` on a bf16 checkpoint: fp8 weights with a handful of scales."""


@lru_cache(maxsize=512)
def format_of(checkpoint: Checkpoint) -> WeightFormat:
    """Read the weight format off a catalog row."""
    quantization = Quantization(checkpoint.quantization)
    if quantization in (Quantization.BF16, Quantization.FP16):
        kind = WeightKind.PLAIN
    elif quantization.is_gguf:
        kind = WeightKind.GGUF
    else:
        kind = _kind_of(quantization, checkpoint.block_size)
    rows, columns = checkpoint.block_size
    return WeightFormat(
        quantization,
        kind,
        block_rows=rows,
        block_columns=columns,
        group_size=checkpoint.group_size,
        has_zero_points=checkpoint.has_zero_points,
        layout=_layout_of(quantization, checkpoint.method),
        act_order=checkpoint.act_order,
        static_activations=checkpoint.static_activations,
        kv_scales=bool(checkpoint.kv_cache_dtype),
        quantizes_head=checkpoint.quantizes_head,
        quantizes_vision=checkpoint.quantizes_vision,
        exceptions=tuple(_exceptions(checkpoint)) if kind is not WeightKind.PLAIN else (),
        file_bytes=checkpoint.tensor_bytes,
        gguf=checkpoint.gguf,
    )


def _kind_of(quantization: Quantization, block_size: tuple[int, int]) -> WeightKind:
    if quantization is Quantization.FP8:
        return WeightKind.FP8_CHANNEL if block_size == (0, 0) else WeightKind.FP8_BLOCK
    return _KINDS[quantization]


_KINDS = {
    Quantization.FP8_STATIC: WeightKind.FP8_TENSOR,
    Quantization.INT8: WeightKind.INT8_CHANNEL,
    Quantization.GPTQ_INT8: WeightKind.INT8_GROUP,
    Quantization.AWQ_INT4: WeightKind.INT4_GROUP,
    Quantization.GPTQ_INT4: WeightKind.INT4_GROUP,
    Quantization.NVFP4: WeightKind.NVFP4_GROUP,
    Quantization.MXFP4: WeightKind.MXFP4_GROUP,
}


def _layout_of(quantization: Quantization, method: str) -> FileLayout:
    """Say whose files they are; rows without a method have their quantization's usual one."""
    if method in set(FileLayout):
        return FileLayout(method)
    usual = {
        Quantization.FP8: FileLayout.FP8,
        Quantization.AWQ_INT4: FileLayout.AWQ,
        Quantization.GPTQ_INT4: FileLayout.GPTQ,
        Quantization.GPTQ_INT8: FileLayout.GPTQ,
        Quantization.FP8_STATIC: FileLayout.MODELOPT,
        Quantization.NVFP4: FileLayout.MODELOPT,
    }
    return usual.get(quantization, FileLayout.COMPRESSED_TENSORS)


def _exceptions(checkpoint: Checkpoint) -> Iterator[tuple[str, WeightFormat]]:
    """Yield the modules that are stored otherwise: found ones first, then listed ones."""
    for module, storage in checkpoint.stored:
        row = replace(
            checkpoint,
            quantization=storage.quantization,
            block_size=storage.block_size,
            group_size=storage.group_size,
            has_zero_points=storage.has_zero_points,
            stored=(),
            unquantized=(),
        )
        yield module, replace(format_of(row), exceptions=(), file_bytes=0)
    for pattern in checkpoint.unquantized:
        yield pattern, BF16
