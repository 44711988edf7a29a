"""HTTP as hubs need it: retries, ranges, and a token that never leaves its host."""

from __future__ import annotations

import json
import ssl
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from qwen3_operator.fetching.problems import (
    FetchError,
    MissingError,
    RefusedError,
    UnreachableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http.client import HTTPMessage

TIMEOUT_S = 60.0
"""Without a byte for so long a connection is taken for dead."""

PAUSES_S = (1.0, 4.0, 15.0, 60.0)
"""Between attempts; the Job's controller makes more of them, further apart."""

TOKEN_HEADERS = ("Authorization", "Cookie")

UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 401, 403, 404

REFUSED = frozenset({UNAUTHORIZED, FORBIDDEN})

SERVER_ERROR = 500

TOO_MANY = 429

BROKEN = (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError, ssl.SSLError)
"""What a connection that fails or breaks off raises."""


class _TokenStaysHome(urllib.request.HTTPRedirectHandler):
    """Follows redirects; to another host without the token: files come from a content network."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - as urllib calls it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and _place(newurl) != _place(req.full_url):
            for name in TOKEN_HEADERS:
                following.remove_header(name)
        return following


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


@dataclass(frozen=True, slots=True)
class Web:
    """Access to one hub.

    Attributes:
        headers: with the token, if there is one.
        pause: waits for seconds; a test waits for nothing.
    """

    headers: Mapping[str, str]
    pause: Callable[[float], None] = time.sleep

    def read_json(self, url: str) -> Any:  # noqa: ANN401 - whatever the hub says
        """Read a JSON document.

        Raises:
            FetchError: one of its kinds; :class:`UnreachableError` after several attempts.
        """

        def read() -> Any:  # noqa: ANN401 - whatever the hub says
            with self.open(url) as answer:
                return json.load(answer)

        return self.attempt(url, read)

    def open(self, url: str, start: int = 0) -> Any:  # noqa: ANN401 - urllib's answer
        """Ask for a file, from a byte on; the answer's status says whether the hub heeds it."""
        headers = dict(self.headers)
        if start:
            headers["Range"] = f"bytes={start}-"
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http or https, checked
        return urllib.request.build_opener(_TokenStaysHome).open(request, timeout=TIMEOUT_S)

    def attempt(self, url: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - as `work` answers
        """Do something with a URL, again after a pause where that may help."""
        for pause_s in (*PAUSES_S, None):
            try:
                return work()
            except FetchError:
                raise
            except BROKEN as error:
                problem = _explain(url, error)
                if pause_s is None or not isinstance(problem, UnreachableError):
                    raise problem from None  # the original may repeat the URL with its signature
            except ValueError:
                if pause_s is None:
                    raise UnreachableError(f"{_host(url)} answers with no JSON.") from None
            self.pause(pause_s)
        raise AssertionError("the last attempt returns or raises")


def _explain(url: str, error: Exception) -> FetchError:
    host = _host(url)
    if isinstance(error, urllib.error.HTTPError):
        error.close()
    else:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        return UnreachableError(f"{host} cannot be reached: {reason}.")
    if error.code in REFUSED:
        return RefusedError(f"{host} answers {error.code} {error.reason}.")
    if error.code == NOT_FOUND:
        return MissingError(f"{host} answers {error.code} {error.reason}.")
    if error.code >= SERVER_ERROR or error.code == TOO_MANY:
        return UnreachableError(f"{host} answers {error.code} {error.reason}.")
    return FetchError(f"{host} answers {error.code} {error.reason}.")


def _host(url: str) -> str:
    return urlsplit(url).netloc
