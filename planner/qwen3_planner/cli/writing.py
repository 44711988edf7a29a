"""The document goes to stdout, and nothing else does."""

from __future__ import annotations

import os
import shutil
import sys
from enum import StrEnum
from typing import Any

PLAIN_WIDTH = 80
_WIDEST = 120
"""Lines longer than that are hard to read, however wide the terminal."""
_NARROWEST = 72
"""Narrower, the tables no longer fit, and a terminal wraps better than we would."""


class Output(StrEnum):
    """Forms of the document."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    HTML = "html"
    MANIFEST = "manifest"


class Listing(StrEnum):
    """Forms of a listing."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class ReaderLeftError(Exception):
    """Whoever read our output has closed it (``qwen3 … | head``); not an error of ours."""


def write(text: str) -> None:
    """Write to stdout; what its encoding cannot say is written as an escape.

    Raises:
        ReaderLeftError: nobody reads any more. Click would end the process with status 1.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise ReaderLeftError from error


def as_json(document: Any) -> str:  # noqa: ANN401 - any JSON
    """Say a document as JSON that people can read, too."""
    import json  # noqa: PLC0415 - the table does without

    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_yaml(document: Any) -> str:  # noqa: ANN401 - any JSON
    """Say a document as YAML, keys in their order."""
    import yaml  # noqa: PLC0415 - 10 ms that the other forms do without

    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=PLAIN_WIDTH)


def can_say(characters: str) -> bool:
    """Whether the encoding of the output has these characters."""
    try:
        characters.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def is_terminal() -> bool:
    """Whether the output may be styled: a terminal that wants it (https://no-color.org)."""
    return (
        sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM", "") not in ("", "dumb")
    )


def width() -> int:
    """Return the columns to write in."""
    if not sys.stdout.isatty():
        return PLAIN_WIDTH
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size().columns))
