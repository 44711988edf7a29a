"""vLLM's CPU platform, but for what it is called in Ray, and how ranks talk there.

vLLM puts one worker into each bundle of Ray's that has a device, and its CPU platform names none.
Here a device is a "GPU" that a Ray node says it has: a word, as `nvidia.com/gpu` is one to the
kubelet of these tests. All else, the launch, the workers and what they compute, is vLLM's own.
"""

from __future__ import annotations

from vllm.platforms.cpu import CpuPlatform


class RayOnCpu(CpuPlatform):  # type: ignore[misc]  # vLLM is not installed where this is checked
    """A CPU that Ray places workers on."""

    ray_device_key = "GPU"

    @classmethod
    def get_device_communicator_cls(cls) -> str:
        """Return the name of the class by which ranks talk."""
        return "ray_on_cpu_network.OverTheNetwork"
