"""Names of MIG profiles, and of the accelerators that slices are."""

from __future__ import annotations

import re
from typing import NamedTuple

PRODUCT_INFIX = "-MIG-"
"""Stands between the product and the profile, in labels of nodes and in names of accelerators."""

_PROFILE = re.compile(r"(?:\d+c\.)?(\d+)g\.(\d+)gb(?:[.+][a-z.]+)?")


class Profile(NamedTuple):
    """A MIG profile: ``text`` as it is written, its slices of processors, its size in GB."""

    text: str
    compute: int
    gigabytes: int


def profile_of(text: str) -> Profile | None:
    """Read a MIG profile.

    >>> profile_of("1g.10gb"), profile_of("1g.10gb.me").compute, profile_of("10gb")
    (Profile(text='1g.10gb', compute=1, gigabytes=10), 1, None)
    """
    match = _PROFILE.fullmatch(text)
    return Profile(text, int(match[1]), int(match[2])) if match else None
