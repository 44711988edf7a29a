"""Peers' figures beside ours, as JSON and as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_planner.peers.figures import NotCovered, PeerFigures
from qwen3_planner.report.table import render, wrapped
from qwen3_planner.units import GIB

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.plan import Performance, Plan

    Peers = Sequence[PeerFigures | NotCovered]

DIGITS = 4


def peers_document(peers: Peers) -> list[dict[str, Any]]:
    """Say what peers say, one object each; one that says nothing has its reason."""
    return [_document(peer) for peer in peers]


def _document(peer: PeerFigures | NotCovered) -> dict[str, Any]:
    head = {"name": peer.name, "version": peer.version}
    if isinstance(peer, NotCovered):
        return head | {"notCovered": peer.reason}
    return head | {
        "tables": peer.tables,
        "ttftMs": _short(peer.ttft_ms),
        "tpotMs": _short(peer.tpot_ms),
        "outputTokensPerSecond": _short(peer.output_tokens_per_second),
        "memoryBytes": peer.memory_bytes,
        "notes": list(peer.notes),
    }


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _held_bytes(plan: Plan, load: Performance) -> int:
    """Return what one GPU holds under the load, counted as peers count it: no cache beyond it."""
    gpu = max(plan.memory.per_gpu, key=lambda gpu: gpu.weights_bytes)
    tokens = load.concurrency * (load.input_tokens + load.output_tokens) / plan.layout.data
    token_bytes = gpu.kv_cache_bytes / max(1, plan.memory.kv_cache_tokens)
    fixed = gpu.weights_bytes + gpu.activation_bytes + gpu.graph_bytes + gpu.overhead_bytes
    return fixed + round(min(gpu.kv_cache_bytes, tokens * token_bytes))


def peer_lines(plan: Plan, peers: Peers, width: int) -> list[str]:
    """Say peers' figures beside the plan's."""
    lines = ["Beside it, for the same layout and load"]
    told = [peer for peer in peers if isinstance(peer, PeerFigures)]
    ours = plan.performance
    if told and ours is not None:
        held = _held_bytes(plan, ours)
        rows = [
            ("time per token, ms", f"{ours.tpot_ms:,.1f}", [f"{p.tpot_ms:,.1f}" for p in told]),
            ("first token, ms", f"{ours.ttft_ms:,.0f}", [f"{p.ttft_ms:,.0f}" for p in told]),
            (
                "output tokens/s",
                f"{ours.output_tokens_per_second:,.0f}",
                [f"{p.output_tokens_per_second:,.0f}" for p in told],
            ),
            (
                "a GPU holds, GiB",
                f"{held / GIB:,.1f}",
                [f"{p.memory_bytes / GIB:,.1f}" for p in told],
            ),
        ]
        headers = ("  figure", "ours", *(f"{p.name} {p.version}" for p in told))
        cells = [(f"  {name}", mine, *theirs) for name, mine, theirs in rows]
        lines += render(headers, cells, right=headers[1:])
    for peer in peers:
        said = (
            [peer.reason] if isinstance(peer, NotCovered) else [f"from {peer.tables}", *peer.notes]
        )
        lines += wrapped(f"{peer.name} {peer.version}: {'; '.join(said)}.", width, "  ", "    ")
    return lines
