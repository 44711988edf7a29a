"""What an engine must say of itself so that a candidate can be judged and told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.candidates import Candidate, Pool
    from qwen3_planner.catalog.rows import Accelerator
    from qwen3_planner.plan import Layout, Provenance
    from qwen3_planner.question import Question, WeightChoice
    from qwen3_planner.request import KvCacheDtype
    from qwen3_planner.serving.verdicts import Fit
    from qwen3_planner.sizing.stages import Setting, StageMemory


@dataclass(frozen=True, slots=True)
class Launch:
    """How a plan is started.

    Attributes:
        command: argument vector of the leader of one replica; the first word is the program.
        env: environment the engine needs, as (name, value), sorted by name.
        kv_cache_dtype: what the cache really holds, never auto.
    """

    command: tuple[str, ...]
    env: tuple[tuple[str, str], ...]
    kv_cache_dtype: str


class Serving(Protocol):
    """One engine. Every method is pure."""

    def runs_on(self, accelerator: Accelerator) -> bool:
        """Whether this engine is planned on such a device at all."""
        ...

    def setting(self, question: Question, pool: Pool) -> Setting:
        """Resolve the engine's settings on a pool: the user's, else the version's defaults."""
        ...

    def kv_cache(self, question: Question, choice: WeightChoice) -> KvCacheDtype:
        """Return what the KV cache of these weights holds; never auto."""
        ...

    def layouts(self, question: Question, pool: Pool, gpu_limit: int) -> tuple[Layout, ...]:
        """List the layouts of one replica that are worth asking about, smallest first.

        Args:
            question: what is planned; what it fixes is in every layout.
            pool: where it would run.
            gpu_limit: GPUs of one replica that the request allows.
        """
        ...

    def stages(
        self, question: Question, candidate: Candidate, setting: Setting
    ) -> tuple[StageMemory, ...]:
        """Compute the tightest rank of each stage of a candidate.

        Of the requests in flight it depends on the setting alone: questions that differ in no more
        than those, and have equal settings, have equal stages.
        """
        ...

    def rank_weights(self, question: Question, fit: Fit, stage: int, expert_rank: int) -> int:
        """Return the weights of one GPU, in bytes, by its stage and place among expert ranks."""
        ...

    def needed_blocks(self, question: Question, layout: Layout, context: int) -> int:
        """Return the KV blocks of one rank that hold the load, what is reserved included."""
        ...

    def longest_context(self, question: Question, layout: Layout, blocks: int) -> int:
        """Return the longest context that the load leaves room for in so many blocks; 0 if none."""
        ...

    def logged_tokens(self, question: Question, layout: Layout, blocks: int, context: int) -> int:
        """Return what the engine logs as the size of a KV pool, in tokens."""
        ...

    def pool_blocks(self, fit: Fit) -> tuple[int, int, int]:
        """Return the KV blocks that the engine will allocate, between the ends of the interval.

        In the order (lower end, expected, upper end); the interval holds 90 %.
        """
        ...

    def checkpoint_bytes(self, question: Question, choice: WeightChoice) -> int:
        """Return the bytes of the files of the whole model."""
        ...

    def least_bytes(self, question: Question, choice: WeightChoice) -> int:
        """Return a bound: the devices of a replica never hold less than this together.

        0 where there is none, because the host may hold weights. It is for leaving out what
        surely does not fit before it is judged, so it must be sure and need not be close.
        """
        ...

    def error_bytes(
        self,
        question: Question,
        candidate: Candidate,
        setting: Setting,
        stages: tuple[StageMemory, ...],
    ) -> float:
        """Return how far the KV memory of one GPU may be off: one standard deviation."""
        ...

    def host_bytes(self, question: Question, fit: Fit) -> int:
        """Return the host memory that the pods of one replica ask for."""
        ...

    def adapter_bytes(self, question: Question, fit: Fit) -> int:
        """Return what one GPU holds for LoRA adapters, where it is most; 0 without."""
        ...

    def launch(self, question: Question, fit: Fit, served_name: str) -> Launch:
        """Render the command line and environment of a plan."""
        ...

    def warnings(self, question: Question, fit: Fit) -> Iterator[str]:
        """Yield what the user should know about this engine's way of serving the plan."""
        ...

    def provenance(self, question: Question, fit: Fit) -> tuple[Provenance, ...]:
        """Tell basis, error and source of each figure of a plan."""
        ...
