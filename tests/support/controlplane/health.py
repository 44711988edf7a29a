"""Ask a program over HTTP whether it is ready."""

from __future__ import annotations

import http.client
import ssl
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def answers_ok(url: str, *, certificate: Path | None = None, token: str | None = None) -> bool:
    """Say whether a GET of a loopback `url` returns 200; everything else is "not yet"."""
    try:
        trust = ssl.create_default_context(cafile=certificate) if certificate else None
        request = urllib.request.Request(url)  # noqa: S310 - a URL of our own making
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        # No proxy: a proxy for loopback would answer for the program.
        handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
        if trust is not None:
            handlers.append(urllib.request.HTTPSHandler(context=trust))
        with urllib.request.build_opener(*handlers).open(request, timeout=2) as answer:
            return bool(answer.status == http.client.OK)
    except (OSError, http.client.HTTPException):
        # Refused, reset, 4xx, 5xx, a certificate half written: the caller asks again.
        return False
