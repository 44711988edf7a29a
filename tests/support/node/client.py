"""A client of a model on real nodes: what it asks over the Service, with or without a key."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from .team import ANSWER_SECONDS, QUESTION

WITHOUT_THINKING = {"chat_template_kwargs": {"enable_thinking": False}}
WITH_THINKING = {"chat_template_kwargs": {"enable_thinking": True}}


@dataclass(frozen=True, slots=True)
class Client:
    """Whoever asks.

    Attributes:
        address: host:port of the Service.
        key: sent as a bearer token; empty: none is sent.
    """

    address: str
    key: str = ""

    def ask(self, path: str, body: object = None) -> tuple[int, str]:
        """Return status and text of an answer; a body is sent as JSON."""
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        method, data = ("GET", None) if body is None else ("POST", json.dumps(body))
        with closing(http.client.HTTPConnection(self.address, timeout=ANSWER_SECONDS)) as to:
            to.request(method, path, data, headers)
            answer = to.getresponse()
            return answer.status, answer.read().decode()

    def models(self) -> dict[str, dict[str, Any]]:
        """Return what is served, by name."""
        status, said = self.ask("/v1/models")
        assert status == http.HTTPStatus.OK, said
        return {one["id"]: one for one in json.loads(said)["data"]}

    def answer(self, **more: object) -> dict[str, Any]:
        """Ask a question; return the whole answer.

        Raises:
            AssertionError: the engine refuses; the text is its own.
        """
        status, said = self.ask("/v1/chat/completions", {**QUESTION, **more})
        assert status == http.HTTPStatus.OK, said
        document: dict[str, Any] = json.loads(said)
        return document

    def choice(self, **more: object) -> dict[str, Any]:
        """Ask a question; return the answer's only choice."""
        choice: dict[str, Any] = self.answer(**more)["choices"][0]
        return choice

    def text(self, model: str = "qwen3") -> str:
        """Return what a model or an adapter answers without thinking: the likeliest tokens."""
        said = self.choice(model=model, max_tokens=16, **WITHOUT_THINKING)["message"]["content"]
        return str(said)

    def refused(self, **more: object) -> tuple[int, str]:
        """Ask what is not answered; return the status, and why."""
        status, said = self.ask("/v1/chat/completions", {**QUESTION, **more})
        assert status != http.HTTPStatus.OK, said
        return status, said
