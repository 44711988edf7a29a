"""Parsers, tools and thinking by default: which flags a model gets from which release."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.engines.chatting import check_model
from qwen3_planner.engines.llamacpp import chat as llamacpp
from qwen3_planner.engines.sglang import chat as sglang
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.engines.vllm import chat as vllm
from qwen3_planner.errors import SpecError
from qwen3_planner.request import ChatSettings

if TYPE_CHECKING:
    from types import ModuleType

PLAIN = ChatSettings()
OFF = ChatSettings(thinking=False)
BUDGET = ChatSettings(thinking_budget_tokens=500)

HYBRID = "Qwen3-8B"
ALWAYS = "Qwen3-4B-Thinking-2507"
NEVER = "Qwen3-4B-Instruct-2507"
CODER = "Qwen3-Coder-30B-A3B-Instruct"
EMBEDDING = "Qwen3-Embedding-8B"


def words(engine: ModuleType, model: str, version: str, chat: ChatSettings = PLAIN) -> list[str]:
    architecture = load_catalog().model(model)
    return list(engine.chat_arguments(architecture, chat, parse_version(version)))


def after(flag: str, arguments: list[str]) -> str | None:
    return arguments[arguments.index(flag) + 1] if flag in arguments else None


@pytest.mark.parametrize(
    ("model", "version", "parser"),
    [
        (HYBRID, "0.8.5", None),
        (HYBRID, "0.9.0", "qwen3"),
        (HYBRID, "0.32.0", "qwen3"),
        (ALWAYS, "0.16.0", "deepseek_r1"),
        (ALWAYS, "0.17.0", "qwen3"),
        (NEVER, "0.32.0", None),
        (CODER, "0.32.0", None),
        (EMBEDDING, "0.32.0", None),
    ],
)
def test_vllm_gets_the_reasoning_parser_that_its_release_reads_the_model_with(
    model: str, version: str, parser: str | None
) -> None:
    assert after("--reasoning-parser", words(vllm, model, version)) == parser


@pytest.mark.parametrize(
    ("model", "version", "parser"),
    [
        (HYBRID, "0.4.6.post1", "qwen3"),
        (ALWAYS, "0.4.9.post3", "deepseek-r1"),
        (ALWAYS, "0.4.9.post4", "qwen3-thinking"),
        (NEVER, "0.5.23", None),
    ],
)
def test_sglang_gets_its_own_reasoning_parser(model: str, version: str, parser: str | None) -> None:
    assert after("--reasoning-parser", words(sglang, model, version)) == parser


@pytest.mark.parametrize(
    ("engine", "model", "version", "parser"),
    [
        (vllm, HYBRID, "0.32.0", "hermes"),
        (vllm, NEVER, "0.32.0", "hermes"),
        (vllm, CODER, "0.9.2", None),
        (vllm, CODER, "0.10.0", "qwen3_coder"),
        (vllm, EMBEDDING, "0.32.0", None),
        (sglang, HYBRID, "0.5.23", "qwen25"),
        (sglang, CODER, "0.4.9.post3", None),
        (sglang, CODER, "0.5.23", "qwen3_coder"),
    ],
)
def test_tool_calls_are_read_in_the_form_of_the_model(
    engine: ModuleType, model: str, version: str, parser: str | None
) -> None:
    assert after("--tool-call-parser", words(engine, model, version)) == parser


def test_vllm_has_to_be_told_to_look_for_tool_calls() -> None:
    assert "--enable-auto-tool-choice" in words(vllm, HYBRID, "0.32.0")


@pytest.mark.parametrize("engine", [vllm, sglang])
def test_tool_calls_are_left_alone_where_nobody_wants_them_read(engine: ModuleType) -> None:
    without = words(engine, HYBRID, "0.32.0", ChatSettings(tool_calling=False))
    assert not [word for word in without if "tool" in word]


@pytest.mark.parametrize(
    ("engine", "version", "template", "sampling"),
    [
        (vllm, "0.32.0", "--default-chat-template-kwargs", "--override-generation-config"),
        (sglang, "0.5.23", "--default-chat-template-kwargs", "--preferred-sampling-params"),
    ],
)
def test_without_thinking_the_template_and_the_sampling_change_together(
    engine: ModuleType, version: str, template: str, sampling: str
) -> None:
    off = words(engine, HYBRID, version, OFF)
    assert json.loads(after(template, off) or "") == {"enable_thinking": False}
    assert json.loads(after(sampling, off) or "") == {
        "temperature": 0.7,
        "top_p": 0.8,
        "top_k": 20,
    }
    for chat in (PLAIN, ChatSettings(thinking=True)):
        on = words(engine, HYBRID, version, chat)
        assert template not in on
        assert sampling not in on


def test_llamacpp_is_told_the_sampling_of_each_mode() -> None:
    on, off = (words(llamacpp, HYBRID, "b11549", chat) for chat in (PLAIN, OFF))
    assert [after(flag, on) for flag in ("--temp", "--top-p", "--top-k")] == ["0.6", "0.95", "20"]
    assert [after(flag, off) for flag in ("--temp", "--top-p", "--top-k")] == ["0.7", "0.8", "20"]
    assert json.loads(after("--chat-template-kwargs", off) or "") == {"enable_thinking": False}
    assert "--chat-template-kwargs" not in on
    assert words(llamacpp, NEVER, "b11549") == []


def test_llamacpp_holds_a_budget_of_its_own() -> None:
    assert after("--reasoning-budget", words(llamacpp, HYBRID, "b11549", BUDGET)) == "500"


@pytest.mark.parametrize(
    ("engine", "model", "version", "chat", "field", "said"),
    [
        (vllm, HYBRID, "0.13.0", OFF, "--thinking", "0.14.0 or later"),
        (sglang, HYBRID, "0.5.15", OFF, "--thinking", "0.5.16 or later"),
        (llamacpp, HYBRID, "b5092", OFF, "--thinking", "b6089 or later"),
        (vllm, HYBRID, "0.32.0", BUDGET, "--thinking-budget-tokens", "thinking_token_budget"),
        (sglang, HYBRID, "0.5.23", BUDGET, "--thinking-budget-tokens", "thinking_budget"),
        (llamacpp, HYBRID, "b9538", BUDGET, "--thinking-budget-tokens", "b11549 or later"),
        (vllm, CODER, "0.9.2", ChatSettings(tool_calling=True), "--tool-calling", "0.10.0"),
        (sglang, CODER, "0.4.7", ChatSettings(tool_calling=True), "--tool-calling", "0.4.10"),
    ],
)
def test_what_a_release_cannot_do_is_refused_with_what_can(  # noqa: PLR0913, PLR0917 - a table
    engine: ModuleType, model: str, version: str, chat: ChatSettings, field: str, said: str
) -> None:
    architecture = load_catalog().model(model)
    with pytest.raises(SpecError) as caught:
        engine.check_chat(architecture, chat, parse_version(version))
    assert caught.value.field == field
    assert said in caught.value.reason


@pytest.mark.parametrize(
    ("model", "chat", "field", "said"),
    [
        (NEVER, ChatSettings(thinking=True), "--thinking", "never thinks"),
        (ALWAYS, OFF, "--thinking", "always thinks"),
        (NEVER, BUDGET, "--thinking-budget-tokens", "never thinks"),
        (EMBEDDING, ChatSettings(tool_calling=True), "--tool-calling", "embeds or scores"),
        (
            HYBRID,
            ChatSettings(thinking_budget_tokens=0),
            "--thinking-budget-tokens",
            "at least 1",
        ),
    ],
)
def test_what_a_model_cannot_do_is_refused(
    model: str, chat: ChatSettings, field: str, said: str
) -> None:
    with pytest.raises(SpecError) as caught:
        check_model(load_catalog().model(model), chat)
    assert caught.value.field == field
    assert said in caught.value.reason


@pytest.mark.parametrize("model", [HYBRID, ALWAYS, NEVER, CODER, EMBEDDING])
def test_what_a_model_does_by_itself_may_be_said(model: str) -> None:
    architecture = load_catalog().model(model)
    own = {HYBRID: True, ALWAYS: True, NEVER: False, CODER: False, EMBEDDING: None}[model]
    check_model(architecture, ChatSettings(thinking=own))
