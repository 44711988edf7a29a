"""What is asked of one replica: how it is spread, what it must hold, how it answers."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from qwen3_planner.api.schema import Flag, Matches, Struct, whole

_MAX_TOKENS = 16_777_216
"""Far above any context of the family; keeps sums of tokens inside 32 bits."""

Tokens: TypeAlias = Annotated[int, whole(1, _MAX_TOKENS)]
GroupSize: TypeAlias = Annotated[int, whole(1, 1024)]


class ParallelismSpec(Struct):
    """How one replica is spread over GPUs. It takes tensor x pipeline x data GPUs."""

    tensor: GroupSize | None = None
    """GPUs that share each layer; must divide the model's attention heads. Default: planned."""

    pipeline: GroupSize | None = None
    """Stages that the layers are cut into. Default: planned."""

    data: GroupSize | None = None
    """Copies of the attention layers inside one replica. Default: 1; use replicas for more."""

    expert: GroupSize | None = None
    """Size of the expert-parallel group of a mixture-of-experts model: 1 is off; vLLM takes
    tensor x data, SGLang any divisor of tensor. Default: planned."""

    @property
    def gpus_at_least(self) -> int:
        """GPUs of one replica as far as they are fixed; groups left to the planner count as 1."""
        return (self.tensor or 1) * (self.pipeline or 1) * (self.data or 1)


class WorkloadSpec(Struct):
    """The load that each replica must hold."""

    concurrency: Annotated[int, whole(1, 1_000_000)] = 1
    """Requests in flight per replica. Default: 1."""

    input_tokens: Tokens | None = None
    """Tokens of one request's prompt. Default: not stated; the KV cache then holds maxModelLen."""

    output_tokens: Tokens | None = None
    """Tokens generated per request, thinking included. Default: not stated, as inputTokens."""

    ttft_ms: Annotated[int, whole(1, 86_400_000)] | None = None
    """Mean time to first token in milliseconds, at most. A plan that is predicted to miss a target
    is refused. Default: none. Example: 500."""

    tpot_ms: Annotated[int, whole(1, 3_600_000)] | None = None
    """Mean time per output token in milliseconds, at most. Default: none. Example: 40."""

    output_tokens_per_second: Annotated[int, whole(1, 1_000_000_000)] | None = None
    """Output tokens per second of all replicas together, at least. Default: none."""

    requests_per_second: (
        Annotated[
            str,
            Field(min_length=1, max_length=16),
            Matches(
                r"[0-9]*[.]?[0-9]*[1-9][0-9]*|[1-9][0-9]*([.]0*)?",
                'must be a number above 0, as a string such as "2.5"',
            ),
        ]
        | None
    ) = None
    """Requests that arrive per second at all replicas together, at random, as a string; ttftMs and
    tpotMs are then about those. Default: none, concurrency says the load. Example: "2.5"."""


class ThinkingSpec(Struct):
    """Reasoning before the answer."""

    default: Flag | None = None
    """Whether answers begin with reasoning when a request does not say. A request says so by
    "chat_template_kwargs": {"enable_thinking": true}. Only hybrid models can do both. Default: the
    model's own way, which is true where it can."""

    budget_tokens: Annotated[int, whole(1, 1_000_000)] | None = None
    """Tokens after which reasoning is ended. Only llamacpp has one for the whole server; vLLM takes
    thinking_token_budget with each request. Default: none."""
