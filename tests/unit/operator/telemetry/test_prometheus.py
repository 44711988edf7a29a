"""What is made of Prometheus' answers, over real HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from qwen3_operator.telemetry.prometheus import MetricsError, Prometheus, Server
from qwen3_planner.api.reasons import Reason
from support.ports import free_port
from support.serving_http import Serving, send

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from qwen3_operator.telemetry.prometheus import Series

GOOD = {
    "status": "success",
    "data": {
        "resultType": "matrix",
        "result": [{"metric": {"a": "b"}, "values": [[1000, "1.5"], [1015, "NaN"]]}],
    },
}


class Scripted(Serving):
    """Answers every request alike."""

    def __init__(self, body: bytes, status: int = 200) -> None:
        self.requests: list[tuple[str, str | None]] = []
        self._body = body
        self._status = status

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append((request.path, request.headers.get("Authorization")))
        if self._status == 200:
            send(request, self._body, "application/json")
            return
        request.send_response(self._status)
        request.send_header("Content-Length", str(len(self._body)))
        request.end_headers()
        request.wfile.write(self._body)


class Silent(Serving):
    """Takes a request and never answers while it is asked."""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        request.connection.recv(1)


def read(url: str, timeout_s: float = 5.0, **options: str) -> list[Series]:
    server = Server(url, timeout_s, **options)
    return list(Prometheus(server).read("up", 1000, 1015, 15))


def failure(url: str, timeout_s: float = 5.0) -> MetricsError:
    with pytest.raises(MetricsError) as caught:
        read(url, timeout_s)
    return caught.value


def test_series_are_read_with_their_times() -> None:
    with Scripted(json.dumps(GOOD).encode()) as server:
        ((labels, values),) = read(server.url)
    assert labels == {"a": "b"}
    assert values[0] == (1000.0, 1.5)
    assert values[1][1] != values[1][1], "NaN is no number"
    path, _ = server.requests[0]
    assert path.startswith("/api/v1/query_range?query=up&start=1000&end=1015&step=15")


def test_a_proxy_is_asked_instead_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "prometheus.example.com")
    with Scripted(json.dumps(GOOD).encode()) as proxy:
        found = read("http://prometheus.example.com", proxy=proxy.url)
    assert len(found) == 1
    path, _ = proxy.requests[0]
    assert path.startswith("http://prometheus.example.com/api/v1/query_range")


def test_the_token_is_read_again_for_every_question(tmp_path: Path) -> None:
    token = tmp_path / "token"
    with Scripted(json.dumps(GOOD).encode()) as server:
        connection = Prometheus(Server(server.url, 5.0, token_file=str(token)))
        for text in ("first\n", "second\n"):
            token.write_text(text)
            connection.read("up", 1000, 1015, 15)
    assert [sent for _, sent in server.requests] == ["Bearer first", "Bearer second"]


def test_nobody_there_is_told_in_the_same_words_each_time() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    errors = [failure(url) for _ in range(2)]
    assert errors[0].message == errors[1].message
    assert errors[0].reason is Reason.METRICS_UNAVAILABLE
    assert "connection refused" in errors[0].message


def test_an_answer_that_takes_too_long_is_told_as_such() -> None:
    with Silent() as server:
        error = failure(server.url, timeout_s=0.05)
    assert error.reason is Reason.METRICS_TOO_SLOW
    assert "0.05 s" in error.message


@pytest.mark.parametrize(
    ("status", "body", "reason", "said"),
    [
        pytest.param(401, b"", Reason.METRICS_UNAVAILABLE, "answered 401.", id="no token"),
        pytest.param(
            400,
            b'{"status":"error","errorType":"bad_data","error":"parse error: it\'s no PromQL"}',
            Reason.METRICS_UNAVAILABLE,
            "answered 400: parse error: it's no PromQL.",
            id="a query that means nothing",
        ),
        pytest.param(
            503,
            b'{"status":"error","errorType":"timeout","error":"query timed out in evaluation"}',
            Reason.METRICS_TOO_SLOW,
            "needs more than 5 s",
            id="a query that takes too long",
        ),
        pytest.param(
            200, b"<html>Sign in</html>", Reason.METRICS_INVALID, "is no Prometheus", id="a portal"
        ),
        pytest.param(
            200, b'{"status":"success"}', Reason.METRICS_INVALID, "is no Prometheus", id="no data"
        ),
        pytest.param(
            200,
            b'{"data":{"result":[{"metric":{},"values":[[1,"x"]]}]}}',
            Reason.METRICS_INVALID,
            "is no Prometheus",
            id="words where numbers belong",
        ),
    ],
)
def test_what_is_no_answer_is_told(status: int, body: bytes, reason: Reason, said: str) -> None:
    with Scripted(body, status) as server:
        error = failure(server.url)
        assert len(server.requests) == 1, "nothing is tried twice"
    assert error.reason is reason
    assert said in error.message


def test_a_token_that_is_not_there_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "token")
    with pytest.raises(MetricsError) as caught:
        read("http://127.0.0.1:1", token_file=missing)
    assert missing in caught.value.message
