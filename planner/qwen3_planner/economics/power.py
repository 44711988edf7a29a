"""Power that serving draws, from the rating of the device."""

from __future__ import annotations

DRAWN_SHARE = 0.8
"""Of the board power, while serving. Assumed: decoding keeps the memory busy, not the arithmetic;
cards draw 60 to 90 % of their limit then."""

SERVER_FACTOR = 1.2
"""Power of the server for each watt of its GPUs. Assumed: a server with eight H100 (700 W each) is
rated at 10.2 kW, 1.8 of its GPUs, and never draws that."""

DEFAULT_PUE = 1.25
"""Power of the building for each watt of its servers (power usage effectiveness). Assumed: new
halls are built for 1.1 to 1.3, the mean of those that stand is above 1.5."""


def drawn_watts(board_watts: float, gpus: int) -> float:
    """Return what GPUs draw while they serve, their share of the server included.

    >>> drawn_watts(700.0, 8)
    5376.0
    """
    return board_watts * DRAWN_SHARE * SERVER_FACTOR * gpus
