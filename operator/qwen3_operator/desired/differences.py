"""Whether a live object still is what we want."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwen3_operator.observed import Manifest


def differs(desired: Manifest, live: Manifest) -> bool:
    """Whether applying ``desired`` would change ``live``.

    What the API server adds, defaults or writes in another notation is no difference.
    """
    raise NotImplementedError
