"""Reasoning, tools and thinking by default, as ``llama-server`` is told about them.

Tool calls and reasoning are read by the chat template (``--jinja``). It knows nothing of a
checkpoint's generation_config.json, so the family's sampling is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.chatting import (
    HYBRID,
    NO_THINKING,
    NOT_THINKING_SAMPLING,
    THINKING_SAMPLING,
    starts_without_thinking,
)
from qwen3_planner.engines.versions import build
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.request import ChatSettings

KWARGS_SINCE: Final = build(6089)
"""First build that is known to take ``--chat-template-kwargs``. Source: PyPI llama-cpp-python 0.3.9
(2025-05-08, without) and 0.3.16 (2025-08-15, with) vendor/llama.cpp common/arg.cpp."""

BUDGET_SINCE: Final = build(11549)
"""First build that is known to count: in 0.3.16 the budget is on or off. Source: PyPI
llama-cpp-python 0.3.16 and 0.3.36 (2026-10-01) vendor/llama.cpp tools/server/README.md."""


def chat_arguments(model: ModelArchitecture, chat: ChatSettings, version: Version) -> Iterator[str]:
    """Yield the flags: what requests start from, and the budget of reasoning."""
    if model.is_pooling:
        return
    if starts_without_thinking(model, chat):
        yield from ("--chat-template-kwargs", NO_THINKING)
    if chat.thinking_budget_tokens is not None and version >= BUDGET_SINCE:
        yield from ("--reasoning-budget", str(chat.thinking_budget_tokens))
    if model.thinking == HYBRID:
        off = starts_without_thinking(model, chat)
        sampling = NOT_THINKING_SAMPLING if off else THINKING_SAMPLING
        yield from ("--temp", f"{sampling.temperature:g}", "--top-p", f"{sampling.top_p:g}")
        yield from ("--top-k", str(sampling.top_k), "--min-p", f"{sampling.min_p:g}")


def check_chat(model: ModelArchitecture, chat: ChatSettings, version: Version) -> None:
    """Refuse what the build cannot do.

    Raises:
        SpecError: naming the option, the value and what would do.
    """
    if starts_without_thinking(model, chat) and version < KWARGS_SINCE:
        reason = f"llama.cpp {version} has no default for it: take {KWARGS_SINCE} or later"
        raise SpecError("--thinking", "false", reason)
    if chat.thinking_budget_tokens is not None and version < BUDGET_SINCE:
        reason = f"llama.cpp {version} is not known to count: take {BUDGET_SINCE} or later"
        raise SpecError("--thinking-budget-tokens", chat.thinking_budget_tokens, reason)
