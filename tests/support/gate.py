"""A gate before a server: it lets requests through, keeps them waiting, or answers nonsense."""

from __future__ import annotations

import threading
from enum import StrEnum
from typing import TYPE_CHECKING

import requests

from support.serving_http import Serving, send

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler


class State(StrEnum):
    """What the gate does with a request."""

    OPEN = "open"
    SLOW = "slow"
    SHUT = "shut"
    NONSENSE = "nonsense"


class Gate(Serving):
    """Stands before the server at `behind`; a context manager while it serves."""

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self._state = State.OPEN
        self._changed = threading.Condition()
        self.authorizations: list[str | None] = []
        """What was sent as Authorization, request by request."""

    def turn(self, state: State) -> None:
        """Do so from now on; what waits is let go."""
        with self._changed:
            self._state = state
            self._changed.notify_all()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request, or do not."""
        self.authorizations.append(request.headers.get("Authorization"))
        with self._changed:
            self._changed.wait_for(lambda: self._state is not State.SLOW, timeout=30)
        if self._state is State.SHUT:
            request.close_connection = True
        elif self._state is State.NONSENSE:
            send(request, b"<html>Sign in</html>", "text/html")
        else:
            answer = requests.get(self._behind + request.path, timeout=30)
            request.send_response(answer.status_code)
            request.send_header("Content-Type", answer.headers["Content-Type"])
            request.send_header("Content-Length", str(len(answer.content)))
            request.end_headers()
            request.wfile.write(answer.content)

    def __exit__(self, *about: object) -> None:
        self.turn(State.SHUT)
        super().__exit__(*about)
