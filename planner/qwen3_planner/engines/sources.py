"""Where an engine in a container finds its weights, and its leader where a replica spans nodes."""

from __future__ import annotations

from typing import Final

from qwen3_planner.errors import SpecError

MODEL_MOUNT_PATH: Final = "/models"
"""Where a volume with weights is mounted; a ``pvc://claim/path`` is served from below it."""

LEADER_ADDRESS: Final = "$(LEADER_ADDRESS)"
"""Address of rank 0 where a replica spans nodes; whoever starts the ranks fills it in."""


def model_argument(source: str) -> str:
    """Turn the URL of the weights into what an engine takes as model.

    >>> model_argument("hf://Qwen/Qwen3-32B"), model_argument("pvc://weights/Qwen3-32B")
    ('Qwen/Qwen3-32B', '/models/Qwen3-32B')
    >>> model_argument("file:///home/me/tuned")  # a folder on the machine that plans
    '/home/me/tuned'

    Raises:
        SpecError: the scheme is not one that this release serves from.
    """
    scheme, separator, rest = source.partition("://")
    if separator and scheme == "hf" and rest.strip("/"):
        return rest
    if separator and scheme == "file" and rest.startswith("/"):
        return rest
    if separator and scheme == "pvc":
        claim, _, path = rest.partition("/")
        if claim:
            return f"{MODEL_MOUNT_PATH}/{path}".rstrip("/")
    reason = "is not a source of weights that this release serves from"
    raise SpecError("source", source, reason, ("hf://organization/name", "pvc://claim/path"))
