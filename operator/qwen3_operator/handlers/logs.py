"""Log lines that say which resource they are about, as text or as JSON."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from qwen3_operator.settings import LogFormat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from qwen3_operator.observed import Key

_current: ContextVar[str] = ContextVar("current", default="")

QUIET_LIBRARIES = {"kopf": logging.WARNING, "aiohttp": logging.WARNING, "asyncio": logging.WARNING}
"""Their everyday lines say nothing a cluster's administrator needs, and cost time per event."""


@contextmanager
def working_on(key: Key) -> Iterator[None]:
    """Name the resource in every line logged meanwhile by this task."""
    token = _current.set(str(key))
    try:
        yield
    finally:
        _current.reset(token)


def set_up(level: str, form: LogFormat) -> None:
    """Write log lines to stderr from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if form is LogFormat.JSON else _TextLines())
    handler.addFilter(_name_the_key)
    handler.addFilter(_call_a_retry_a_warning)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in QUIET_LIBRARIES.items():
        logging.getLogger(name).setLevel(max(least, root.level))


def _name_the_key(record: logging.LogRecord) -> bool:
    record.key = _current.get()
    return True


def _call_a_retry_a_warning(record: logging.LogRecord) -> bool:
    """Lower what kopf calls an error although it goes on: a request that it will send again."""
    if record.name.startswith("kopf") and "will retry" in str(record.msg):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
    return True


class _TextLines(logging.Formatter):
    """``2026-11-23 10:00:00,000 INFO [default/qwen3-32b] planned …``."""

    def format(self, record: logging.LogRecord) -> str:
        key = getattr(record, "key", "")
        about = f" [{key}]" if key else ""
        line = f"{self.formatTime(record)} {record.levelname}{about} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class _JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, key, and error if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}",
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if key := getattr(record, "key", ""):
            entry["key"] = key
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)
