"""How ranks in pods of their own talk: over the network, for they share no memory.

vLLM takes ranks that one name stands for to share memory. Through Ray all have the leader's name.
"""

from __future__ import annotations

from vllm.distributed.device_communicators.cpu_communicator import CpuCommunicator


class OverTheNetwork(CpuCommunicator):  # type: ignore[misc]  # vLLM is not installed where this is checked
    """vLLM's communicator of CPUs, which asks nobody whether memory is shared."""

    def _all_group_ranks_share_shm_group_name(self) -> bool:
        return False
