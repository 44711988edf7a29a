"""What was measured where plans run: rows that correct them, each with its source and its reach.

Written by ``qwen3 calibrate`` (or the operator, from what a running engine reports) into an overlay
file; taken up by :mod:`qwen3_planner.corrections`.
"""

from __future__ import annotations

from dataclasses import dataclass

from qwen3_planner.plan import Layout

ONE_GPU = Layout()


@dataclass(frozen=True, slots=True)
class Setup:
    """How an engine ran when it was measured.

    Attributes:
        engine: ``vllm``, ``sglang`` or ``llamacpp``.
        version: of it, ``A.B.C`` or ``bN``.
        accelerator: catalog name of the card, or the inventory's own.
        variant: catalog name of the model.
        kind: of model, as :func:`qwen3_planner.corrections.subjects.kind_of` names it.
        quantization: of the weights.
        layout: of one replica.
        batch_tokens: of one scheduler step; 0: not known.
        batch_sequences: scheduled at once; 0: not known.
    """

    engine: str
    version: str
    accelerator: str
    variant: str
    kind: str
    quantization: str
    layout: Layout = ONE_GPU
    batch_tokens: int = 0
    batch_sequences: int = 0


@dataclass(frozen=True, slots=True)
class Reach:
    """Which plans a measurement speaks for: same engine, card, kind of model and of layout.

    Attributes:
        engine: name.
        since: first version.
        until: first version that it no longer speaks for; empty: any later one.
        accelerator: catalog name of the card.
        kind: of model.
        layout: kind of layout: ``one``, ``tensor`` or ``pipeline``; empty: any.
        weights: class of the weight format; empty: any.
    """

    engine: str
    since: str
    until: str
    accelerator: str
    kind: str
    layout: str = ""
    weights: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a measurement was read.

    Attributes:
        name: of the file, or what else it was.
        format: how it was written (``vllm-log``, ``llama-bench``, …).
        sha256: of the text, 64 hexadecimal digits.
        date: ISO date on which it was taken up.
    """

    name: str
    format: str
    sha256: str
    date: str

    def __str__(self) -> str:
        """Name it in a plan's provenance.

        >>> str(Origin("vllm.log", "vllm-log", "ab12cd34" + "0" * 56, "2026-11-23"))
        'calibration of 2026-11-23 from vllm.log (sha256 ab12cd34)'
        """
        return f"calibration of {self.date} from {self.name} (sha256 {self.sha256[:8]})"


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure as planned, without any calibration, and as measured.

    Attributes:
        figure: as in a plan's provenance (``memory.kvCacheTokens``), with the load where several.
        unit: of both.
        planned: by this planner.
        measured: as read.
    """

    figure: str
    unit: str
    planned: float
    measured: float

    @property
    def error(self) -> float:
        """How far the plan was off, relative to what was measured; positive: too much."""
        return self.planned / self.measured - 1.0 if self.measured else 0.0

    @property
    def factor(self) -> float:
        """Measured over planned; 1 where nothing was planned."""
        return self.measured / self.planned if self.planned else 1.0


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """What a start of an engine says of the memory beside weights and KV cache.

    Attributes:
        setup: how it ran.
        reach: which plans it speaks for.
        origin: where it was read.
        figures: planned and measured.
        added_bytes: that one GPU takes beyond what is planned; negative where it takes less.
        sigma_bytes: how far that may be off where the very same is started again.
    """

    setup: Setup
    reach: Reach
    origin: Origin
    figures: tuple[Compared, ...]
    added_bytes: int
    sigma_bytes: float


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """What a benchmark says of times.

    Attributes:
        setup: how the server ran.
        reach: which plans it speaks for.
        origin: where it was read.
        figures: planned and measured, of each load.
        decode_factor: measured over planned times of decoding; 1 where not measured.
        prompt_factor: the same of computing prompts.
        sigma: of the logarithm of what is still left after these factors.
        loads: measured.
        has_decode: whether decoding was measured.
        has_prompt: whether prompts were.
    """

    setup: Setup
    reach: Reach
    origin: Origin
    figures: tuple[Compared, ...]
    decode_factor: float
    prompt_factor: float
    sigma: float
    loads: int
    has_decode: bool = True
    has_prompt: bool = True


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """What a card itself was measured to reach, without an engine.

    Attributes:
        accelerator: catalog name.
        origin: where it was measured.
        figures: the data sheet's rate as planned, and what was reached.
        memory_factor: reached over usual share of the memory bandwidth.
        compute_factor: the same of the 16-bit arithmetic.
        attention_factor: the same in attention.
    """

    accelerator: str
    origin: Origin
    figures: tuple[Compared, ...]
    memory_factor: float
    compute_factor: float
    attention_factor: float
