"""Which batch sizes are captured, by version, and how many graphs that makes."""

from __future__ import annotations

import pytest

from qwen3_planner.engines.versions import parse_version, ruling_at
from qwen3_planner.engines.vllm.capture import CAPTURE_RULES, CaptureRule
from qwen3_planner.sizing.graphs import graph_bytes, graph_count, graph_sizes
from qwen3_planner.units import GIB


def rule(version: str) -> CaptureRule:
    return ruling_at(CAPTURE_RULES, parse_version(version)).value


@pytest.mark.parametrize(
    ("version", "seqs", "tokens", "capability", "count", "largest"),
    [
        ("0.9.2", 256, 2048, (8, 0), 67, 512),  # logged: 67/67
        ("0.9.2", 1, 2048, (8, 0), 67, 512),
        ("0.11.0", 256, 2048, (9, 0), 67, 512),  # logged: 67/67
        ("0.19.0", 256, 2048, (8, 0), 51, 512),  # logged: 51/51
        ("0.32.0", 1024, 8192, (9, 0), 51, 512),
        ("0.27.1", 1024, 8192, (10, 0), 51, 512),
        ("0.28.0", 1024, 8192, (10, 0), 83, 1024),
        ("0.19.0", 32, 8192, (12, 0), 11, 64),  # logged for 32 sequences: 11 pieces
        ("0.20.1", 1024, 100, (9, 0), 16, 100),
        ("0.20.0", 1024, 100, (9, 0), 15, 96),
        ("0.31.0", 3, 2048, (8, 9), 4, 4),
    ],
)
def test_sizes_follow_the_release(  # noqa: PLR0913, PLR0917 - a row of the table
    version: str,
    seqs: int,
    tokens: int,
    capability: tuple[int, int],
    count: int,
    largest: int,
) -> None:
    sizes = graph_sizes(seqs, tokens, rule(version), capability)
    assert (len(sizes), sizes[-1]) == (count, largest)


def test_sequences_become_a_size_of_their_own() -> None:
    assert 100 in graph_sizes(100, 2048, rule("0.31.0"), (9, 0))
    assert 100 not in graph_sizes(100, 2048, rule("0.30.0"), (9, 0))


def test_drafting_makes_decoding_steps_longer() -> None:
    assert graph_sizes(8, 2048, rule("0.32.0"), (9, 0), 4)[-1] == 64
    assert graph_sizes(8, 2048, rule("0.32.0"), (9, 0))[-1] == 16


@pytest.mark.parametrize(
    ("version", "graphs"), [("0.10.2", 67), ("0.11.0", 67 + 35), ("0.19.0", 51 + 35)]
)
def test_decoding_steps_are_captured_whole_as_well(version: str, graphs: int) -> None:
    sizes = graph_sizes(256, 2048, rule(version), (9, 0))
    assert graph_count(sizes, 256, rule(version)) == graphs


def test_memory_lies_within_the_logs() -> None:
    assert 0.23 * GIB < graph_bytes(86, 32) < 0.73 * GIB
    assert 0.1 * GIB < graph_bytes(18, 94) < 0.4 * GIB
