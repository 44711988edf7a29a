"""A plugin of vLLM (`vllm.platform_plugins`): names the platform below, and imports nothing yet."""

from __future__ import annotations


def platform() -> str:
    """Return the name of the platform's class; vLLM imports it."""
    return "ray_on_cpu_platform.RayOnCpu"
