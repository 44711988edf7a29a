"""Reasoning, tools and thinking by default, as ``vllm serve`` is told about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from qwen3_planner.engines.chatting import (
    HYBRID,
    NO_THINKING,
    NOT_THINKING_SAMPLING,
    is_coder,
    reads_tools,
    refuse_budget,
    refuse_default,
    refuse_tools,
    starts_without_thinking,
    thinks,
)
from qwen3_planner.engines.versions import Version
from qwen3_planner.engines.vllm.flags import takes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.request import ChatSettings

REASONING_SINCE: Final = Version(0, 9)
"""First release with a parser for Qwen3. The one before takes every answer without reasoning for
reasoning. Source: PyPI vllm 0.9.0 vllm/reasoning/qwen3_reasoning_parser.py; github.com/QwenLM/Qwen3
docs/source/deployment/vllm.md."""

UNOPENED_SINCE: Final = Version(0, 17)
"""First release whose parser for Qwen3 takes reasoning that is not opened: the templates of models
that always think open it in the prompt. Source: PyPI vllm 0.16.0 and 0.17.0
vllm/reasoning/qwen3_reasoning_parser.py."""

CODER_TOOLS_SINCE: Final = Version(0, 10)
"""First release that reads Qwen3-Coder's tool calls. Source: PyPI vllm 0.9.2 and 0.10.0
vllm/entrypoints/openai/tool_parsers/."""

KWARGS_FLAG: Final = "--default-chat-template-kwargs"
"""Since 0.14.0. Source: PyPI vllm 0.13.0 and 0.14.0 vllm/entrypoints/openai/cli_args.py."""


def chat_arguments(model: ModelArchitecture, chat: ChatSettings, version: Version) -> Iterator[str]:
    """Yield the flags: parsers that fit model and release, and what requests start from."""
    if model.is_pooling:
        return
    if thinks(model) and version >= REASONING_SINCE:
        closes_only = model.thinking != HYBRID and version < UNOPENED_SINCE
        yield from ("--reasoning-parser", "deepseek_r1" if closes_only else "qwen3")
    if chat.tool_calling is not False and reads_tools(model, version, CODER_TOOLS_SINCE):
        yield "--enable-auto-tool-choice"
        yield from ("--tool-call-parser", "qwen3_coder" if is_coder(model) else "hermes")
    if starts_without_thinking(model, chat):
        yield from (KWARGS_FLAG, NO_THINKING)
        yield from ("--override-generation-config", NOT_THINKING_SAMPLING.as_json())


def check_chat(model: ModelArchitecture, chat: ChatSettings, version: Version) -> None:
    """Refuse what the release cannot do.

    Raises:
        SpecError: naming the option, the value and what would do.
    """
    if starts_without_thinking(model, chat) and not takes(KWARGS_FLAG, version):
        refuse_default("vLLM", version, "0.14.0")
    if chat.tool_calling and not reads_tools(model, version, CODER_TOOLS_SINCE):
        refuse_tools("vLLM", version, model, "0.10.0")
    refuse_budget(chat, "vLLM takes a budget with each request, as thinking_token_budget")
