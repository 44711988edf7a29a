"""Prometheus, asked over HTTP: the only module that imports prometheus_api_client.

The client blocks, so nothing here may run on the event loop (:mod:`.load` uses threads). It tries
nothing twice by itself: whoever asks does so again anyway, and waits no longer than it says.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests
from prometheus_api_client.exceptions import PrometheusApiClientException
from prometheus_api_client.prometheus_connect import PrometheusConnect
from urllib3.util.retry import Retry

from qwen3_operator.errors import TelemetryError
from qwen3_planner.api.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

Series = tuple["Mapping[str, str]", tuple[tuple[float, float], ...]]
"""Labels, and (Unix time, value) in order."""

MAX_SAID = 200
"""Characters of Prometheus' own words in a message."""

ONCE = Retry(total=0, read=False)
"""Read being False, an answer that takes too long is told as such, and not as a lost connection."""

_STATUS = re.compile(r"HTTP Status Code (\d+) \((.*)\)", re.DOTALL)


class MetricsError(TelemetryError):
    """Prometheus did not answer with metrics.

    Attributes:
        reason: for the condition.
        message: for people; the same words for the same failure.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason = reason
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Server:
    """Where Prometheus is, and how it is asked.

    Attributes:
        url: of its HTTP API, without ``/api/v1``.
        timeout_s: for one answer.
        token_file: holds a bearer token, read again for every question; empty: none is sent.
        ca_file: certificate authorities to trust; empty: the system's.
        proxy: URL of the proxy through which it is reached; empty: as the environment says.
    """

    url: str
    timeout_s: float
    token_file: str = ""
    ca_file: str = ""
    proxy: str = ""


class Prometheus:
    """One connection, for one thread."""

    def __init__(self, server: Server) -> None:
        self._server = server
        session = requests.Session()
        session.verify = server.ca_file or True
        if server.proxy:
            session.trust_env = False  # requests would let the environment's proxies win
            session.proxies = {"http": server.proxy, "https": server.proxy}
        self._client = PrometheusConnect(
            server.url,
            retry=ONCE,
            session=session,
            timeout=server.timeout_s,  # type: ignore[arg-type]  # it hands it on to requests
        )

    def read(self, query: str, start_s: int, end_s: int, step_s: int) -> list[Series]:
        """Evaluate a query from `start_s` to `end_s`, every `step_s` seconds.

        Raises:
            MetricsError: no answer, none in time, a refusal, or something else than Prometheus'
                answer.
        """
        server = self._server
        try:
            self._client.headers = self._headers()
            found = self._client.custom_query_range(
                query,
                datetime.fromtimestamp(start_s, UTC),
                datetime.fromtimestamp(end_s, UTC),
                str(step_s),
                params={"timeout": f"{server.timeout_s:g}"},
            )
            return [_series(one) for one in found]
        except requests.Timeout:
            message = f"Prometheus at {server.url} does not answer within {server.timeout_s:g} s."
            raise MetricsError(Reason.METRICS_TOO_SLOW, message) from None
        except PrometheusApiClientException as error:
            raise self._refusal(str(error)) from None
        except (ValueError, LookupError, TypeError):  # requests.JSONDecodeError is a ValueError
            message = f"What answers at {server.url} is no Prometheus."
            raise MetricsError(Reason.METRICS_INVALID, message) from None
        except (requests.RequestException, OSError) as error:
            message = f"Prometheus at {server.url} cannot be reached: {_why(error)}."
            raise MetricsError(Reason.METRICS_UNAVAILABLE, message) from None

    def _headers(self) -> dict[str, str]:
        if not self._server.token_file:
            return {}
        token = Path(self._server.token_file).read_text(encoding="utf-8").strip()
        return {"Authorization": f"Bearer {token}"}

    def _refusal(self, text: str) -> MetricsError:
        """Say what Prometheus, or a proxy before it, refused."""
        match = _STATUS.search(text)
        status, body = match.groups() if match else ("an error", "")
        said = _own_words(body)
        if status in ("422", "503") and "timed out" in said:
            limit = f"{self._server.timeout_s:g} s"
            message = f"Prometheus at {self._server.url} needs more than {limit} for its answer."
            return MetricsError(Reason.METRICS_TOO_SLOW, message)
        message = f"Prometheus at {self._server.url} answered {status}" + (
            f": {said}." if said else "."
        )
        return MetricsError(Reason.METRICS_UNAVAILABLE, message)


def _series(found: Mapping[str, Any]) -> Series:
    return found["metric"], tuple((float(time), float(value)) for time, value in found["values"])


def _own_words(body: str) -> str:
    """Return the error of an answer, given as the client repeats it.

    >>> _own_words(str(b'{"status":"error","error":"parse error"}'))
    'parse error'
    """
    try:
        answer = json.loads(ast.literal_eval(body))
        return str(answer["error"])[:MAX_SAID]
    except (ValueError, LookupError, TypeError, SyntaxError):
        return ""


def _why(error: Exception) -> str:
    """Say why there is no connection, without the addresses of objects that requests repeats."""
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, requests.ConnectionError):
        text = str(error)
        known = ("Connection refused", "Name or service not known", "No route to host")
        return next((words.lower() for words in known if words in text), "there is no connection")
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return type(error).__name__
