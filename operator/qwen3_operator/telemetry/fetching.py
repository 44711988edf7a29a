"""Read the metrics of one pod over HTTP."""

from __future__ import annotations

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
    """Return the samples of an exposition.

    Raises:
        FetchError: nobody answers in time, something else than 200, or no exposition.
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
        return tuple(_samples(text.decode()))
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise FetchError(f"{url}: {error or type(error).__name__}") from error
    except ValueError as error:
        raise FetchError(f"{url} is no Prometheus exposition: {error}") from error


def _samples(text: str) -> Iterator[Sample]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield Sample(sample.name, sample.labels, sample.value)
