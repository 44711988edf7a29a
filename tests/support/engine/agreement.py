"""What one rank holds, by the planner and by the engine, side by side."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.sizing.allocator import SMALLEST_BLOCK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.plan import Layout
    from qwen3_planner.sizing.linear import Tensor

    from .oracle import HeldTensor

SMALL_BYTES = 1024
"""Up to here a tensor (a scale, a head's norm) is one or two of the allocator's smallest blocks;
such tensors are counted apart, larger ones are matched one by one."""


SMALL_SHARE = 2e-4
"""How much of a rank the small tensors may be apart: a fifth of the error that is promised."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a rank stands in its replica.

    Attributes:
        rank: global, in the order dp, pp, tp.
        stage: pipeline stage.
        expert_rank: in the expert-parallel group.
    """

    rank: int
    stage: int
    expert_rank: int


def places(layout: Layout) -> tuple[Place, ...]:
    """List every rank of a replica."""
    found = []
    for rank in range(layout.gpus_per_replica):
        rest, tensor = divmod(rank, layout.tensor)
        data, stage = divmod(rest, layout.pipeline)
        found.append(Place(rank, stage, data * layout.tensor + tensor))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Difference:
    """Tensors that only one side has.

    Attributes:
        planner_only: (bytes, names) that the engine does not hold.
        engine_only: (bytes, names) that the planner does not count.
        planner_bytes: sum of everything the planner counts.
        engine_bytes: sum of everything the engine holds.
        planner_small: tensors of up to 1 KiB, counted apart.
        engine_small: likewise.
    """

    planner_only: tuple[tuple[int, str], ...]
    engine_only: tuple[tuple[int, str], ...]
    planner_bytes: int
    engine_bytes: int
    planner_small: int
    engine_small: int

    @property
    def agrees(self) -> bool:
        """Whether every tensor of more than 1 KiB is on both sides, and few small ones differ."""
        apart = abs(self.planner_small - self.engine_small) * SMALLEST_BLOCK_BYTES
        return not (self.planner_only or self.engine_only) and (
            apart <= SMALL_SHARE * self.engine_bytes
        )

    def __str__(self) -> str:
        """Show what differs, largest first."""
        sums = f"planner {self.planner_bytes} bytes, engine {self.engine_bytes}"
        lines = [f"{sums}; small ones {self.planner_small} and {self.engine_small}"]
        lines += [f"  planner only: {size} {name}" for size, name in self.planner_only[:8]]
        lines += [f"  engine only:  {size} {name}" for size, name in self.engine_only[:8]]
        return "\n".join(lines)


def difference(planned: Iterable[Tensor], held: Iterable[HeldTensor]) -> Difference:
    """Match tensors by their bytes; the shapes of packed formats are the kernels' own affair."""
    ours: Counter[int] = Counter()
    theirs: Counter[int] = Counter()
    names: dict[tuple[str, int], str] = {}
    for tensor in planned:
        ours[tensor.n_bytes] += tensor.count
        names["ours", tensor.n_bytes] = f"{tensor.name} {tensor.shape}"
    for real in held:
        theirs[real.n_bytes] += 1
        names["theirs", real.n_bytes] = f"{real.name} {real.shape} {real.dtype}"
    return Difference(
        planner_only=_only(ours - theirs, "ours", names),
        engine_only=_only(theirs - ours, "theirs", names),
        planner_bytes=sum(size * count for size, count in ours.items()),
        engine_bytes=sum(size * count for size, count in theirs.items()),
        planner_small=sum(count for size, count in ours.items() if size <= SMALL_BYTES),
        engine_small=sum(count for size, count in theirs.items() if size <= SMALL_BYTES),
    )


def _only(
    rest: Counter[int], side: str, names: dict[tuple[str, int], str]
) -> tuple[tuple[int, str], ...]:
    found = [
        (size, f"{names[side, size]} x{count}")
        for size, count in rest.items()
        if size > SMALL_BYTES
    ]
    return tuple(sorted(found, reverse=True))
