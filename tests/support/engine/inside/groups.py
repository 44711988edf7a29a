"""Parallel groups of one rank among ranks that do not exist.

vLLM's own `initialize_model_parallel` forms the groups over torch's fake process group, so which
ranks share what is vLLM's decision; only the talking is left out.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import MagicMock

import torch.distributed
from torch.testing._internal.distributed.fake_pg import FakeStore
from vllm.config import set_current_vllm_config
from vllm.distributed import parallel_state
from vllm.distributed.device_communicators import shm_broadcast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vllm.config import VllmConfig


class SilentCommunicator(MagicMock):
    """Takes every call and does nothing."""


def silence() -> None:
    """Let groups be formed without another process."""
    real_new_group = torch.distributed.new_group

    def new_group(ranks: list[int] | None = None, *_args: Any, **_options: Any) -> Any:  # noqa: ANN401
        return real_new_group(ranks, backend="fake")

    torch.distributed.new_group = new_group
    shm_broadcast.MessageQueue.create_from_process_group = staticmethod(
        lambda *_args, **_options: None
    )


@contextmanager
def as_rank(config: VllmConfig, rank: int) -> Iterator[None]:
    """Be one rank of the replica that the configuration describes, in the order dp, pp, tp."""
    parallel = config.parallel_config
    world = parallel.world_size_across_dp
    torch.distributed.init_process_group(
        backend="fake", store=FakeStore(), rank=rank, world_size=world
    )
    try:
        parallel_state._WORLD = parallel_state.init_world_group(list(range(world)), 0, "fake")
        parallel_state._NODE_COUNT = 1
        with set_current_vllm_config(config):
            parallel_state.initialize_model_parallel(
                parallel.tensor_parallel_size, parallel.pipeline_parallel_size, backend="fake"
            )
            yield
    finally:
        parallel_state.destroy_model_parallel()
        parallel_state._WORLD = None
        torch.distributed.destroy_process_group()
