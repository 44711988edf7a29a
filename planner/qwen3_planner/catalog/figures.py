"""Rows of figures that change faster than the world does: fitted efficiencies and prices."""

from __future__ import annotations

from dataclasses import dataclass

ANY = "any"
"""In a row's key: where nothing nearer was measured."""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """One row of fitted efficiencies: an engine from a version on, a device, a weight format.

    Shares are of the catalog's nominal rates, so they may absorb what a data sheet leaves out.

    Attributes:
        engine: ``vllm``, ``sglang`` or ``llamacpp``.
        since: first version that it describes.
        device: device class, or ``any``.
        weights: weight format class, or ``any``.
        kind: ``dense`` or ``moe``.
        memory: share of the memory bandwidth at which weights are read.
        experts: share of it at which routed experts are read.
        experts_always: share of the experts that is read however few a batch visits.
        kv: share of it at which the KV cache is read.
        compute: share of the arithmetic in matrix products.
        attention: share of the 16-bit arithmetic in attention over a prompt.
        tile_rows: rows that a matrix product computes at least, whatever the batch: the height of
            the kernels' tiles. It binds where arithmetic is scarce beside bandwidth (H20).
        expert_tile_rows: the same for each routed expert.
        layer_us: microseconds of each layer in a step beyond reading and computing.
        step_us: of each step.
        sequence_us: of each sequence in a step: sampling, scheduling, detokenizing.
        collective_us: latency of one collective between two ranks.
        link: share of the link's bandwidth in collectives.
        burst: share of the other requests' prompts that a request waits for before its first
            token; the rest slows its decoding.
        bunch: prompts that arrive together by chance, per square root of the other requests.
        first_ms: milliseconds before a request is scheduled: HTTP, tokenizing.
        first_steps: decode steps of others that pass until its prompt is computed.
        tpot_sigma: standard deviation of log(measured / computed) time per output token.
        ttft_sigma: the same of the time to the first token.
        throughput_sigma: the same of output tokens per second.
        rows: how many measured rows it was fitted on; 0 where it was carried over.
        seen: (model, accelerator) pairs among those rows.
        source: where they come from.
        as_of: ISO date of the fit.
        only_seen: whether it holds for the ``seen`` pairs alone: its rows contradict others of the
            engine, so that it says nothing of another model or card.
    """

    engine: str
    since: str
    device: str
    weights: str
    kind: str
    memory: float
    experts: float
    experts_always: float
    kv: float
    compute: float
    attention: float
    tile_rows: float
    expert_tile_rows: float
    layer_us: float
    step_us: float
    sequence_us: float
    collective_us: float
    link: float
    burst: float
    bunch: float
    first_ms: float
    first_steps: float
    tpot_sigma: float
    ttft_sigma: float
    throughput_sigma: float
    rows: int = 0
    seen: tuple[tuple[str, str], ...] = ()
    source: str = ""
    as_of: str = ""
    only_seen: bool = False

    @property
    def is_measured(self) -> bool:
        """Whether rows of this very device and format stand behind it."""
        return self.rows > 0

    def has_seen(self, subject: tuple[str, str]) -> bool:
        """Whether rows of this model, or of one with its shapes, on this accelerator are behind it.

        Later versions of a model have its name and more (``Qwen3-4B-Thinking-2507``).
        """
        model, accelerator = subject
        return any(
            accelerator == card and (model == name or model.startswith(f"{name}-"))
            for name, card in self.seen
        )


@dataclass(frozen=True, slots=True)
class GpuPrice:
    """What a provider asks for one GPU for one hour.

    Attributes:
        accelerator: catalog name.
        provider: who asks it.
        tier: as the provider calls it (``on-demand``, ``community``).
        usd_per_hour: of one GPU, the share of its node included.
        source: where it was read.
        as_of: ISO date; empty where the page has none.
        note: what a reader should know.
        market: ``on-demand``, ``spot`` (may be taken away) or ``reserved`` (for a term).
    """

    accelerator: str
    provider: str
    tier: str
    usd_per_hour: float
    source: str
    as_of: str
    note: str = ""
    market: str = "on-demand"


@dataclass(frozen=True, slots=True)
class PurchasePrice:
    """What one accelerator costs to buy, without a server.

    Attributes:
        accelerator: catalog name.
        usd_low: lower end of what is asked.
        usd_high: upper end; the same where one price is stated.
        condition: ``new`` or ``used``.
        source: where it was read.
        as_of: ISO date.
        note: what a reader should know.
    """

    accelerator: str
    usd_low: float
    usd_high: float
    condition: str
    source: str
    as_of: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ApiPrice:
    """What a host asks for tokens of a model.

    Attributes:
        model: as the host calls it.
        provider: who asks it.
        usd_per_million_input: tokens.
        usd_per_million_output: tokens.
        source: where it was read.
        as_of: ISO date; empty where the page has none.
        usd_per_million_reasoning: of output in thinking mode, where that costs more.
        note: what a reader should know.
        variant: catalog name of what is served; empty where it is a fine-tune or unclear.
    """

    model: str
    provider: str
    usd_per_million_input: float
    usd_per_million_output: float
    source: str
    as_of: str
    usd_per_million_reasoning: float | None = None
    note: str = ""
    variant: str = ""

    def usd_per_million_generated(self, *, is_thinking: bool) -> float:
        """Return what generated tokens cost, in a mode that may have a price of its own."""
        if is_thinking and self.usd_per_million_reasoning is not None:
            return self.usd_per_million_reasoning
        return self.usd_per_million_output
