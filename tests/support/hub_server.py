"""A hub on loopback: lists and serves files as Hugging Face and ModelScope do, and misbehaves."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType


@dataclass
class Hub:
    """One repository, ``org/model``, on both hubs' paths; a context manager while it serves.

    Attributes:
        files: contents by path.
        token: that requests must carry; empty: none.
        commit: what every branch is at.
        breaks: answers to break off after so many bytes, once each, by path.
        failures: HTTP statuses to answer with, one after the other, before it works.
        content_network: URL of another hub that files are redirected to; empty: none.
        ignores_ranges: whether a Range is answered with the whole file.
        host: address to listen at; pods of a real node do not reach loopback.
    """

    files: Mapping[str, bytes]
    token: str = ""
    commit: str = "c0ffee"
    breaks: dict[str, int] = field(default_factory=dict)
    failures: list[int] = field(default_factory=list)
    content_network: str = ""
    ignores_ranges: bool = False
    host: str = "127.0.0.1"
    requests: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    def __enter__(self) -> Self:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((self.host, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self._server.server_port}"

    def fetched(self) -> list[str]:
        """Return the paths of the files that were asked for, in order."""
        return [path for url, _ in self.requests if (path := self._path(url)) is not None]

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        self.requests.append((request.path, dict(request.headers)))
        if self.failures:
            request.send_error(self.failures.pop(0))
        elif self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            request.send_error(401)
        elif (path := self._path(request.path)) is not None:
            self._send_file(request, path)
        elif "org/model" in request.path:
            self._send_list(request)
        else:
            request.send_error(404)

    def _path(self, url: str) -> str | None:
        parts = urlsplit(url)
        if "/resolve/" in parts.path:
            return unquote(parts.path.partition("/resolve/")[2].partition("/")[2])
        named = parse_qs(parts.query).get("FilePath")
        return named[0] if named else None

    def _send_file(self, request: BaseHTTPRequestHandler, path: str) -> None:
        if self.content_network:
            request.send_response(302)
            request.send_header("Location", self.content_network + request.path)
            request.end_headers()
            return
        body = self.files[path]
        asked = request.headers.get("Range", "")
        start = 0 if self.ignores_ranges else int(asked.removeprefix("bytes=").rstrip("-") or 0)
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(body) - start))
        request.end_headers()
        request.wfile.write(body[start : self.breaks.pop(path, len(body))])

    def _send_list(self, request: BaseHTTPRequestHandler) -> None:
        digests = {path: hashlib.sha256(body).hexdigest() for path, body in self.files.items()}
        if request.path.startswith("/api/models/"):
            siblings = [
                {"rfilename": path, "size": len(body), "lfs": {"sha256": digests[path]}}
                for path, body in self.files.items()
            ]
            document: object = {"sha": self.commit, "siblings": siblings}
        else:
            entries = [
                {"Path": path, "Size": len(body), "Sha256": digests[path], "Type": "blob"}
                for path, body in self.files.items()
            ]
            document = {"Data": {"Files": [{"Path": "folder", "Type": "tree"}, *entries]}}
        body = json.dumps(document).encode()
        request.send_response(200)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
