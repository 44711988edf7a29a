"""Ten lines of YAML become a model that answers, on a real node."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.controlplane import ControlPlane

pytestmark = pytest.mark.e2e


def chat(address: str, **more: object) -> dict[str, Any]:
    """Ask a question over the Service and return the answer's message."""
    body = {
        "model": "qwen3",
        "messages": [{"role": "user", "content": "How much memory?"}],
        "max_tokens": 8,
        "temperature": 0,
        **more,
    }
    with closing(http.client.HTTPConnection(address, timeout=120)) as connection:
        connection.request(
            "POST",
            "/v1/chat/completions",
            json.dumps(body),
            {"Content-Type": "application/json"},
        )
        answer = json.load(connection.getresponse())
    message: dict[str, Any] = answer["choices"][0]["message"]
    return message


def address_of(cluster: ControlPlane, namespace: str, name: str) -> str:
    asked = ("get", "service", name, f"--namespace={namespace}")
    return cluster.kubectl(*asked, "--output=jsonpath={.spec.clusterIP}:{.spec.ports[0].port}")


def test_a_model_answers_over_its_service(
    installed: ControlPlane,
    team: str,
    tiny: dict[str, Any],
    ready: Callable[..., dict[str, Any]],
) -> None:
    installed.kubectl("apply", f"--namespace={team}", "-f", "-", input=json.dumps(tiny))

    status = ready("tiny")

    assert status["plan"]["layout"]["gpusPerReplica"] == 1
    address = address_of(installed, team, "tiny")
    thought = chat(address)
    assert thought.get("reasoning") or thought.get("reasoning_content")
    assert not thought.get("content")
    answered = chat(address, chat_template_kwargs={"enable_thinking": False})
    assert answered["content"]
