"""Rows of the catalog: facts about the world, each with its source and date."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

from qwen3_planner.catalog.calibration import NOTHING_MEASURED, Calibration

if TYPE_CHECKING:
    from qwen3_planner.catalog.figures import Efficiency, GpuPrice


@dataclass(frozen=True, slots=True)
class VisionEncoder:
    """The image encoder of a VL model, as ``vision_config`` states it.

    Attributes:
        depth: transformer blocks.
        hidden_size: width of the blocks.
        heads: attention heads.
        intermediate_size: MLP inner size.
        patch_size: pixels of a patch's side.
        temporal_patch_size: frames of a patch.
        in_channels: colours.
        spatial_merge_size: patches per side that one token of the language model stands for.
        position_embeddings: learned positions.
        out_hidden_size: width of the language model.
        deepstack_layers: blocks whose output feeds the first layers of the language model.
    """

    depth: int
    hidden_size: int
    heads: int
    intermediate_size: int
    patch_size: int
    temporal_patch_size: int
    in_channels: int
    spatial_merge_size: int
    position_embeddings: int
    out_hidden_size: int
    deepstack_layers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LinearAttention:
    """The Gated DeltaNet layers of a hybrid model: a state of fixed size instead of a KV cache.

    Attributes:
        key_heads: heads of queries and keys.
        value_heads: heads of values.
        key_head_dim: width of a key head.
        value_head_dim: width of a value head.
        conv_kernel: taps of the causal convolution.
    """

    key_heads: int
    value_heads: int
    key_head_dim: int
    value_head_dim: int
    conv_kernel: int

    @property
    def conv_width(self) -> int:
        """Channels that the convolution runs over: queries, keys and values."""
        return 2 * self.key_heads * self.key_head_dim + self.value_heads * self.value_head_dim


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
        runner: ``generate`` (tokens) or ``pooling`` (embeddings, scores).
        vision: the image encoder of a VL model; None elsewhere.
        full_attention_interval: every so many layers one has full attention, the last of them; 1:
            all have.
        linear_attention: of the other layers; None where there are none.
        attention_output_gate: whether the query projection also yields a gate, doubling it.
        rotary_share: share of a head's width that is rotated.
        shared_expert_intermediate_size: inner size of the expert that every token visits; 0
            without one.
        prediction_layers: further layers in the files that predict tokens ahead (MTP); an engine
            loads them only where it speculates with them.
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
    runner: str = "generate"
    vision: VisionEncoder | None = None
    full_attention_interval: int = 1
    linear_attention: LinearAttention | None = None
    attention_output_gate: bool = False
    rotary_share: float = 1.0
    shared_expert_intermediate_size: int = 0
    prediction_layers: int = 0

    def __hash__(self) -> int:
        """Hash the name: rows are keys of many caches, and two of one name are rare."""
        return hash(self.name)

    @property
    def is_moe(self) -> bool:
        """Whether the layers route to experts."""
        return self.experts > 0

    @property
    def is_hybrid(self) -> bool:
        """Whether some layers keep a state of fixed size instead of keys and values."""
        return self.full_attention_interval > 1

    @property
    def is_pooling(self) -> bool:
        """Whether it yields vectors or scores: no output head is held, no token sampled."""
        return self.runner == "pooling"

    def has_full_attention(self, layer: int) -> bool:
        """Whether this layer, counted from 0, keeps keys and values."""
        return (layer + 1) % self.full_attention_interval == 0

    def full_attention_layers(self, first: int = 0, end: int | None = None) -> int:
        """Count the layers with a KV cache among those from ``first`` up to ``end`` (all)."""
        last = self.layers if end is None else end
        return last // self.full_attention_interval - first // self.full_attention_interval


@dataclass(frozen=True, slots=True)
class Storage:
    """How one module of a checkpoint is stored where it differs from the others.

    Attributes:
        quantization: value of :class:`qwen3_planner.request.Quantization`; ``bf16`` for 16 bit.
        block_size: rows and columns that share one FP8 scale; (0, 0) otherwise.
        group_size: weights that share one scale; 0 otherwise.
        has_zero_points: whether groups carry zero points.
    """

    quantization: str
    block_size: tuple[int, int] = (0, 0)
    group_size: int = 0
    has_zero_points: bool = False


@dataclass(frozen=True, slots=True)
class GgufWeights:
    """What the tensors of one GGUF file take, from its header, by where they can be placed.

    Attributes:
        embedding: bytes of the embedding.
        norm: of the last norm, and whatever else is in no layer.
        head: of the output matrix; 0 where the embedding stands for it.
        layers: of each layer (all its tensors, its routed experts among them, its gate or the
            largest of its experts).
        file_bytes: of the file, or of all parts of a split one.
    """

    embedding: int
    norm: int
    head: int
    layers: tuple[tuple[int, int, int], ...]
    file_bytes: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One published set of weights of a variant.

    Attributes:
        variant: catalog name of the architecture.
        quantization: value of :class:`qwen3_planner.request.Quantization`.
        uri: ``hf://Qwen/Qwen3-32B-FP8``.
        block_size: rows and columns that share one FP8 scale; (0, 0) otherwise.
        group_size: weights that share one scale (int4, int8, fp4); 0 otherwise.
        has_zero_points: whether groups carry zero points (AWQ) .
        official: published by the Qwen team.
        source: where its existence and format were read.
        as_of: ISO date.
        method: how the files say it (``fp8``, ``awq``, ``gptq``, ``compressed-tensors``,
            ``modelopt``, ``mxfp4``); empty for 16 bit and GGUF.
        unquantized: modules whose linear layers stay 16 bit besides embedding, router, norms and
            head: name patterns with ``*`` (``model.layers.*.self_attn.*``).
        quantizes_head: whether the output head is quantized like the layers.
        quantizes_vision: whether the image encoder of a VL model is quantized like the layers.
        act_order: GPTQ columns are ordered by activation, so kernels keep the group index.
        static_activations: activation scales are in the files.
        kv_cache_dtype: that the checkpoint asks the engine for (``fp8``); empty: none.
        file: of the repository, where it holds several (GGUF); empty: all.
        stored: modules that are stored otherwise than the row says, as the headers of the files
            show them; empty where they were not read.
        tensor_bytes: of all tensors together, from the headers; 0 where they were not read.
        gguf: what a GGUF file's header says; None where it was not read.
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
    method: str = ""
    unquantized: tuple[str, ...] = ()
    quantizes_head: bool = False
    quantizes_vision: bool = False
    act_order: bool = False
    static_activations: bool = False
    kv_cache_dtype: str = ""
    file: str = ""
    stored: tuple[tuple[str, Storage], ...] = ()
    tensor_bytes: int = 0
    gguf: GgufWeights | None = None

    def __hash__(self) -> int:
        """Hash what tells checkpoints apart, as of :class:`ModelArchitecture`."""
        return hash((self.uri, self.quantization, self.file))


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
        slice_of: name of the whole GPU, of a MIG slice; empty elsewhere.
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
    slice_of: str = ""

    def __hash__(self) -> int:
        """Hash the name, as of :class:`ModelArchitecture`."""
        return hash(self.name)


@dataclass(frozen=True, slots=True)
class EngineRelease:
    """What the catalog knows of an engine.

    Attributes:
        name: ``vllm``.
        default_version: the newest whose own argument parser the tests run.
        newest_known_version: the newest whose rules were read; newer ones warn.
        minimum_version: the first that serves the family.
        images: (vendor, image with ``{version}``) pairs.
        images_since: (vendor, first version with such an image) where not every version has one.
        image_builds: (vendor, first version, ``{build}`` of the image from there on), the oldest
            first, where images are built against something with a version of its own.
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
    images_since: tuple[tuple[str, str], ...] = ()
    image_builds: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything the planner knows about the world; two rows of one name are an error on loading.

    Look-ups by exact name raise KeyError; resolving what a user typed is
    :mod:`qwen3_planner.catalog.resolving`. ``calibration`` is what was measured where the plan is
    to run; the catalog that ships has none.
    """

    models: tuple[ModelArchitecture, ...]
    checkpoints: tuple[Checkpoint, ...]
    accelerators: tuple[Accelerator, ...]
    engines: tuple[EngineRelease, ...]
    efficiencies: tuple[Efficiency, ...] = ()
    prices: tuple[GpuPrice, ...] = ()
    calibration: Calibration = NOTHING_MEASURED

    def __hash__(self) -> int:
        """Hash the sizes: a process knows few catalogs, and caches tell them apart by identity."""
        return hash((len(self.models), len(self.checkpoints), len(self.prices)))

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
        return _checkpoints_of(self, variant)


@lru_cache(maxsize=512)
def _checkpoints_of(catalog: Catalog, variant: str) -> tuple[Checkpoint, ...]:
    rows = [row for row in catalog.checkpoints if row.variant == variant]
    return tuple(sorted(rows, key=lambda row: not row.official))
