"""Rows of the catalog: facts about the world, each with its source and date."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class ModelArchitecture:
    """One Qwen3 variant, as its ``config.json`` states it.

    Attributes:
        name: catalog name (``Qwen3-235B-A22B``).
        hidden_size: width of the residual stream.
        layers: decoder layers.
        attention_heads: query heads.
        kv_heads: key and value heads.
        head_dim: by config; NOT hidden_size / attention_heads.
        intermediate_size: MLP inner size of dense layers; unused where every layer is sparse.
        moe_intermediate_size: inner size of one expert; 0 for dense models.
        experts: routed experts per layer; 0 for dense models.
        experts_per_token: experts that one token visits; 0 for dense models.
        vocab_size: rows of the embedding.
        tied_embeddings: whether the output head is the embedding.
        stores_lm_head: whether the checkpoint files hold an output head although it is tied.
        max_position_embeddings: native context in tokens.
        rope_theta: base of the rotary embedding.
        torch_dtype: native element type.
        thinking: ``hybrid``, ``always`` or ``never``.
        source: where the figures come from.
        as_of: ISO date on which they were read.
    """

    name: str
    hidden_size: int
    layers: int
    attention_heads: int
    kv_heads: int
    head_dim: int
    intermediate_size: int
    moe_intermediate_size: int
    experts: int
    experts_per_token: int
    vocab_size: int
    tied_embeddings: bool
    stores_lm_head: bool
    max_position_embeddings: int
    rope_theta: float
    torch_dtype: str
    thinking: str
    source: str
    as_of: str

    @property
    def is_moe(self) -> bool:
        """Whether the layers route to experts."""
        return self.experts > 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One published set of weights of a variant.

    Attributes:
        variant: catalog name of the architecture.
        quantization: value of :class:`qwen3_planner.request.Quantization`.
        uri: ``hf://Qwen/Qwen3-32B-FP8``.
        block_size: rows and columns that share one FP8 scale; (0, 0) otherwise.
        group_size: weights that share one int4 scale; 0 otherwise.
        has_zero_points: whether groups carry zero points (AWQ) .
        official: published by the Qwen team.
        source: where its existence and format were read.
        as_of: ISO date.
    """

    variant: str
    quantization: str
    uri: str
    block_size: tuple[int, int]
    group_size: int
    has_zero_points: bool
    official: bool
    source: str
    as_of: str


class AcceleratorClass(StrEnum):
    """What kind of device it is; engines run on some."""

    GPU = "gpu"
    SOC = "soc"
    CPU = "cpu"


@dataclass(frozen=True, slots=True)
class Accelerator:
    """One accelerator product.

    Attributes:
        name: catalog name, ``<Product>[-Form]-<GB>GB``.
        vendor: ``nvidia``, ``amd``, ``apple``, ``raspberrypi`` or ``generic``.
        device_class: GPU, system on chip, or CPU.
        architecture: ``hopper``, ``ada``, ``cdna3`` …
        compute_capability: CUDA (major, minor); None elsewhere.
        resource: Kubernetes extended resource (``nvidia.com/gpu``); empty where none.
        product_labels: values of the node label that name this product, matched by prefix.
        memory_mib: of one device, as nvidia-smi or the node label shows it.
        usable_memory_mib: of one device, as CUDA reports it to a process.
        usable_relative_error: how far the usable figure may be off.
        usable_source: where the usable figure comes from ("derived: …" where no log states it).
        memory_gb_per_s: bandwidth of the device memory, 1e9 bytes per second.
        bf16_tflops: dense; None where the device has no such unit.
        fp16_tflops: dense.
        fp8_tflops: dense.
        int8_tops: dense.
        fp4_tflops: dense.
        link_gb_per_s: GPU to GPU, one direction, inside a node; 0 without a link.
        pcie_gb_per_s: one direction.
        tdp_w: board power; None where unknown.
        confidence: A best, C worst.
        source: where the figures come from.
        as_of: ISO date on which they were read.
    """

    name: str
    vendor: str
    device_class: AcceleratorClass
    architecture: str
    compute_capability: tuple[int, int] | None
    resource: str
    product_labels: tuple[str, ...]
    memory_mib: int
    usable_memory_mib: int
    usable_relative_error: float
    usable_source: str
    memory_gb_per_s: float
    bf16_tflops: float | None
    fp16_tflops: float | None
    fp8_tflops: float | None
    int8_tops: float | None
    fp4_tflops: float | None
    link_gb_per_s: float
    pcie_gb_per_s: float | None
    tdp_w: float | None
    confidence: str
    source: str
    as_of: str


@dataclass(frozen=True, slots=True)
class EngineRelease:
    """What the catalog knows of an engine.

    Attributes:
        name: ``vllm``.
        default_version: the newest whose own argument parser the tests run.
        newest_known_version: the newest whose rules were read; newer ones warn.
        minimum_version: the first that serves the family.
        images: (vendor, image with ``{version}``) pairs.
        source: where this was read.
        as_of: ISO date.
    """

    name: str
    default_version: str
    newest_known_version: str
    minimum_version: str
    images: tuple[tuple[str, str], ...]
    source: str
    as_of: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything the planner knows about the world; two rows of one name are an error on loading.

    Look-ups by exact name raise KeyError; resolving what a user typed is
    :mod:`qwen3_planner.catalog.resolving`.
    """

    models: tuple[ModelArchitecture, ...]
    checkpoints: tuple[Checkpoint, ...]
    accelerators: tuple[Accelerator, ...]
    engines: tuple[EngineRelease, ...]

    def model(self, name: str) -> ModelArchitecture:
        """Return the variant of that exact catalog name."""
        for row in self.models:
            if row.name == name:
                return row
        raise KeyError(name)

    def accelerator(self, name: str) -> Accelerator:
        """Return the accelerator of that exact catalog name."""
        for row in self.accelerators:
            if row.name == name:
                return row
        raise KeyError(name)

    def engine(self, name: str) -> EngineRelease:
        """Return the engine of that exact name."""
        for row in self.engines:
            if row.name == name:
                return row
        raise KeyError(name)

    def checkpoints_of(self, variant: str) -> tuple[Checkpoint, ...]:
        """Return the known checkpoints of one variant, official ones first."""
        rows = [row for row in self.checkpoints if row.variant == variant]
        return tuple(sorted(rows, key=lambda row: not row.official))
