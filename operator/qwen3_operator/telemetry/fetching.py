"""Read the figures of one pod over HTTP: metrics, or the numbers of a JSON document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from qwen3_planner.engines.samples import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMEOUT_S = 5.0
"""An engine under load answers late; one that does not answer at all is asked again later."""

MAX_BYTES = 4 * 1024 * 1024
"""An engine's exposition has 100 to 300 kB."""


class FetchError(Exception):
    """The pod did not answer with metrics; the text says why."""


async def fetch(session: aiohttp.ClientSession, url: str) -> tuple[Sample, ...]:
    """Return the samples of an exposition, or the numbers of a JSON object by their paths.

    Raises:
        FetchError: nobody answers in time, something else than 200, or neither of the two.
    """
    try:
        async with session.get(
            url, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), allow_redirects=False
        ) as answer:
            if answer.status != 200:  # noqa: PLR2004 - HTTP's OK
                raise FetchError(f"{url} answered {answer.status}")
            text = await answer.content.read(MAX_BYTES)
            while len(text) < MAX_BYTES and (more := await answer.content.read(MAX_BYTES)):
                text += more
            if len(text) >= MAX_BYTES:
                raise FetchError(f"{url} answered more than {MAX_BYTES} bytes")
        read = _numbers_of if text.lstrip().startswith(b"{") else samples_in
        return tuple(read(text.decode()))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise FetchError(f"{url}: {error or type(error).__name__}") from error
    except ValueError as error:
        raise FetchError(f"{url} is neither metrics nor JSON: {error}") from error


def samples_in(text: str) -> Iterator[Sample]:
    """Yield the samples of an exposition.

    Raises:
        ValueError: it is none.
    """
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield Sample(sample.name, sample.labels, sample.value)


def _numbers_of(text: str) -> Iterator[Sample]:
    return _numbers(json.loads(text), "")


def _numbers(value: object, path: str) -> Iterator[Sample]:
    """Yield every number, named as ``data.0.meta.n_ctx``."""
    if isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in parts:
            yield from _numbers(part, f"{path}.{name}" if path else str(name))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield Sample(path, {}, float(value))
