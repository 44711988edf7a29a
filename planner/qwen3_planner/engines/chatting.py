"""How answers are made, whatever the engine: what a model can, and what the family recommends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import ModelArchitecture
    from qwen3_planner.engines.versions import Version
    from qwen3_planner.request import ChatSettings

HYBRID, ALWAYS, NEVER = "hybrid", "always", "never"
"""Values of a model's ``thinking``: as each request says; in any case; in no case."""

NO_THINKING: Final = '{"enable_thinking":false}'
"""Arguments of the hybrid models' chat template. Source: github.com/QwenLM/Qwen3 @7a2f61f
docs/source/deployment/vllm.md; a request's own ``chat_template_kwargs`` come after it."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Settings under which the family samples well; ``min_p`` only llama.cpp has to be told."""

    temperature: float
    top_p: float
    top_k: int
    min_p: float

    def as_json(self) -> str:
        """Say it as the engines that read JSON want it.

        >>> NOT_THINKING_SAMPLING.as_json()
        '{"temperature":0.7,"top_p":0.8,"top_k":20}'
        """
        settings = {"temperature": self.temperature, "top_p": self.top_p, "top_k": self.top_k}
        return json.dumps(settings, separators=(",", ":"))


THINKING_SAMPLING: Final = Sampling(temperature=0.6, top_p=0.95, top_k=20, min_p=0.0)
"""What the checkpoints' generation_config.json says too. Source: github.com/QwenLM/Qwen3 @7a2f61f
docs/source/deployment/vllm.md and docs/source/run_locally/llama.cpp.md, 2026-11-23."""

NOT_THINKING_SAMPLING: Final = Sampling(temperature=0.7, top_p=0.8, top_k=20, min_p=0.0)
"""The checkpoints do not say it. Source: as above."""


def is_coder(model: ModelArchitecture) -> bool:
    """Whether a model writes tool calls in the form of Qwen3-Coder."""
    return "Coder" in model.name


def thinks(model: ModelArchitecture) -> bool:
    """Whether answers of a model may begin with reasoning."""
    return not model.is_pooling and model.thinking != NEVER


def starts_without_thinking(model: ModelArchitecture, chat: ChatSettings) -> bool:
    """Whether the server shall answer without reasoning unless a request asks for it."""
    return model.thinking == HYBRID and chat.thinking is False


def check_model(model: ModelArchitecture, chat: ChatSettings) -> None:
    """Refuse what the model cannot do.

    Raises:
        SpecError: naming the option, the value and what would do.
    """
    if model.is_pooling:
        for option, value in chat.given:
            raise SpecError(option, as_typed(value), f"is for chat: {model.name} embeds or scores")
    if chat.thinking and model.thinking == NEVER:
        reason = f"{model.name} never thinks: take a hybrid or a Thinking model"
        _refuse("--thinking", chat.thinking, reason)
    if chat.thinking is False and model.thinking == ALWAYS:
        reason = f"{model.name} always thinks: take a hybrid or an Instruct model"
        _refuse("--thinking", chat.thinking, reason)
    if chat.thinking_budget_tokens is not None:
        if not thinks(model):
            reason = f"{model.name} never thinks"
            _refuse("--thinking-budget-tokens", chat.thinking_budget_tokens, reason)
        if chat.thinking_budget_tokens < 1:
            reason = "must be at least 1; --no-thinking switches thinking off"
            _refuse("--thinking-budget-tokens", chat.thinking_budget_tokens, reason)


def refuse_budget(chat: ChatSettings, how: str) -> None:
    """Refuse a budget that the engine knows per request only.

    Args:
        chat: the settings.
        how: what a request says instead.

    Raises:
        SpecError: a budget is given.
    """
    budget = chat.thinking_budget_tokens
    if budget is not None:
        reason = f"{how}; a server with a budget of its own is --engine llamacpp"
        _refuse("--thinking-budget-tokens", budget, reason)


def refuse_default(engine: str, version: Version, since: str) -> NoReturn:
    """Refuse to answer without thinking by default: the release has no flag for it.

    Raises:
        SpecError: always.
    """
    reason = (
        f"{engine} {version} has no default for it: take {since} or later, or have each request say"
        ' "chat_template_kwargs": {"enable_thinking": false}'
    )
    _refuse("--thinking", False, reason)  # noqa: FBT003 - the value that was asked for


def reads_tools(model: ModelArchitecture, version: Version, coder_since: Version) -> bool:
    """Whether a release reads the tool calls of a model: Qwen3-Coder's have a form of their own."""
    return not is_coder(model) or version >= coder_since


def refuse_tools(engine: str, version: Version, model: ModelArchitecture, since: str) -> NoReturn:
    """Refuse to read tool calls that the release has no parser for.

    Raises:
        SpecError: always.
    """
    reason = f"{engine} {version} cannot read the tool calls of {model.name}: take {since} or later"
    _refuse("--tool-calling", True, reason)  # noqa: FBT003 - as above


def _refuse(option: str, value: bool | int, reason: str) -> NoReturn:  # noqa: FBT001 - a value
    raise SpecError(option, as_typed(value), reason)


def as_typed(value: bool | int) -> str:  # noqa: FBT001 - a value, no switch
    """Write a setting as YAML has it.

    >>> as_typed(False), as_typed(5)
    ('false', '5')
    """
    return str(value).lower()
