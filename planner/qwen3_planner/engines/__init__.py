"""What each engine does, by version: memory semantics, flags, image, probes.

For whoever runs a plan: :func:`engine_of` (port, health path, shutdown flags, mount path, metric
names), :func:`image_of`, and :class:`Version`.
"""

from qwen3_planner.engines.profiles import EngineProfile, engine_of, image_of
from qwen3_planner.engines.versions import Version, parse_version

__all__ = ["EngineProfile", "Version", "engine_of", "image_of", "parse_version"]
