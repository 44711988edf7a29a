"""A client of a model on real nodes: what it asks over the Service, with or without a key."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER_SECONDS = 120.0

QUESTION = {
    "model": "qwen3",
    "messages": [{"role": "user", "content": "How much memory?"}],
    "max_tokens": 8,
    "temperature": 0,
}

CHAT = "/v1/chat/completions"

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
        with self._connected() as to:
            answer = self._asked(to, path, body)
            return answer.status, answer.read().decode()

    def stream(self, **more: object) -> Iterator[dict[str, Any]]:
        """Ask a question; yield the pieces of the answer as they come."""
        with self._connected() as to:
            for line in self._asked(to, CHAT, {**QUESTION, "stream": True, **more}):
                _, found, data = line.decode().strip().partition("data: ")
                if found and data != "[DONE]":
                    yield json.loads(data)

    def _connected(self) -> closing[http.client.HTTPConnection]:
        return closing(http.client.HTTPConnection(self.address, timeout=ANSWER_SECONDS))

    def _asked(
        self, to: http.client.HTTPConnection, path: str, body: object
    ) -> http.client.HTTPResponse:
        headers = {"Content-Type": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        method, data = ("GET", None) if body is None else ("POST", json.dumps(body))
        to.request(method, path, data, headers)
        return to.getresponse()

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
        status, said = self.ask(CHAT, {**QUESTION, **more})
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
        status, said = self.ask(CHAT, {**QUESTION, **more})
        assert status != http.HTTPStatus.OK, said
        return status, said
