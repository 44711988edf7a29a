"""Reasoning, tools and thinking by default, as SGLang's server is told about them."""

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
from qwen3_planner.engines.sglang.flags import takes
from qwen3_planner.engines.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.request import ChatSettings

ALWAYS_THINKING_SINCE: Final = Version(0, 4, 9, 4)
"""First release with a parser for models that always think. Source: PyPI sglang 0.4.9.post3 and
0.4.9.post4 sglang/srt/reasoning_parser.py."""

CODER_TOOLS_SINCE: Final = Version(0, 4, 9, 4)
"""First release that reads Qwen3-Coder's tool calls. Source: PyPI sglang 0.4.9.post3 and
0.4.9.post4 sglang/srt/function_call/function_call_parser.py."""

KWARGS_FLAG: Final = "--default-chat-template-kwargs"
"""Since 0.5.16. Source: PyPI sglang 0.5.15.post1 and 0.5.16 sglang/srt/server_args.py."""

SAMPLING_FLAG: Final = "--preferred-sampling-params"


def chat_arguments(model: ModelArchitecture, chat: ChatSettings, version: Version) -> Iterator[str]:
    """Yield the flags: parsers that fit model and release, and what requests start from."""
    if model.is_pooling:
        return
    if thinks(model):
        yield from ("--reasoning-parser", _reasoning_parser(model, version))
    if chat.tool_calling is not False and reads_tools(model, version, CODER_TOOLS_SINCE):
        yield from ("--tool-call-parser", "qwen3_coder" if is_coder(model) else "qwen25")
    if starts_without_thinking(model, chat):
        yield from (KWARGS_FLAG, NO_THINKING)
        if takes(SAMPLING_FLAG, version):
            yield from (SAMPLING_FLAG, NOT_THINKING_SAMPLING.as_json())


def check_chat(model: ModelArchitecture, chat: ChatSettings, version: Version) -> None:
    """Refuse what the release cannot do.

    Raises:
        SpecError: naming the option, the value and what would do.
    """
    if starts_without_thinking(model, chat) and not takes(KWARGS_FLAG, version):
        refuse_default("SGLang", version, "0.5.16")
    if chat.tool_calling and not reads_tools(model, version, CODER_TOOLS_SINCE):
        refuse_tools("SGLang", version, model, "0.4.10")
    refuse_budget(
        chat,
        "SGLang takes a budget with each request, as custom_params.thinking_budget, where"
        " --enable-strict-thinking is on",
    )


def _reasoning_parser(model: ModelArchitecture, version: Version) -> str:
    if model.thinking == HYBRID:
        return "qwen3"
    return "qwen3-thinking" if version >= ALWAYS_THINKING_SINCE else "deepseek-r1"
