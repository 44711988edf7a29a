"""The real controller of LeaderWorkerSet, with its webhooks, on a test's control plane."""

from .building import Built, find_or_build
from .running import LeaderWorkerSets

__all__ = ["Built", "LeaderWorkerSets", "find_or_build"]
