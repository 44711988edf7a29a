"""Where own GPUs and a host cost the same: laws that hold for every price."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qwen3_planner.economics.staircase import Staircase, corners, crossing

STAIRS = st.builds(
    Staircase,
    st.floats(0.5, 5000.0),
    st.integers(1, 5_000_000),
)
ASKED = st.floats(1e-6, 0.5)
VOLUMES = st.integers(0, 20_000_000)


@given(STAIRS, ASKED)
def test_own_gpus_are_cheaper_from_the_crossing_on_and_not_before(
    stairs: Staircase, usd_per_request: float
) -> None:
    found = crossing(stairs, usd_per_request).cheaper_from
    if found is None:
        return
    assert stairs.usd(found) < found * usd_per_request
    assert stairs.usd(found - 1) >= (found - 1) * usd_per_request


@given(STAIRS, ASKED, VOLUMES)
def test_never_means_that_no_volume_is_cheaper(
    stairs: Staircase, usd_per_request: float, volume: int
) -> None:
    if crossing(stairs, usd_per_request).cheaper_from is None:
        edge = stairs.replicas(volume) * stairs.requests_per_day
        for requests in (volume, edge):
            assert stairs.usd(requests) >= requests * usd_per_request * (1 - 1e-12)


@given(STAIRS, ASKED, st.integers(0, 5_000_000))
def test_a_lasting_advantage_lasts(stairs: Staircase, usd_per_request: float, more: int) -> None:
    found = crossing(stairs, usd_per_request).always_from
    if found is None:
        return
    next_step = stairs.replicas(found) * stairs.requests_per_day + 1
    for requests in (found, found + more, next_step):
        assert stairs.usd(requests) < requests * usd_per_request


@given(STAIRS, ASKED)
def test_before_a_lasting_advantage_the_host_is_cheaper_once_more(
    stairs: Staircase, usd_per_request: float
) -> None:
    found = crossing(stairs, usd_per_request)
    if found.always_from is None or found.always_from == found.cheaper_from:
        return
    before = found.always_from - 1
    assert stairs.usd(before) >= before * usd_per_request


@given(STAIRS, VOLUMES, st.integers(0, 1_000_000))
def test_more_volume_never_costs_less(stairs: Staircase, volume: int, more: int) -> None:
    assert stairs.usd(volume) <= stairs.usd(volume + more)


@given(STAIRS, ASKED, ASKED)
def test_a_dearer_host_is_beaten_no_later(stairs: Staircase, one: float, other: float) -> None:
    cheap, dear = (crossing(stairs, usd) for usd in sorted((one, other)))
    if cheap.cheaper_from is not None:
        assert dear.cheaper_from is not None
        assert dear.cheaper_from <= cheap.cheaper_from


def test_a_replica_that_is_dearer_even_when_full_never_pays() -> None:
    assert crossing(Staircase(24.0, 1000), 0.024).cheaper_from is None
    assert crossing(Staircase(24.0, 1000), 0.0241).cheaper_from == 996


def test_corners_are_the_last_request_of_a_step_and_the_first_of_the_next() -> None:
    assert list(corners(Staircase(1.0, 10), 30)) == [10, 11, 20, 21, 30]
