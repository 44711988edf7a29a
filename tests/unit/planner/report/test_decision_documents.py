"""What decisions say as JSON is what the reference page says that they say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_planner.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "decisions-json.md"

QUESTIONS = {
    "compare-api/v1": (
        *("compare-api", "Qwen3-32B", "--hardware", "2xH100-SXM-80GB", "--pricing", "purchase"),
        *("--thinking-tokens", "900", "--requests-per-day", "1000", "-o", "json"),
    ),
    "recommend/v1": (
        *("recommend", "--hardware", "2xH100-SXM-80GB,1xRTX-3090-24GB", "--region", "CN"),
        *("--budget-usd-per-hour", "5", "-o", "json"),
    ),
}


def keys(document: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield every key but those of plans, which have a page of their own."""
    if isinstance(document, list):
        for part in document:
            yield from keys(part)
    elif isinstance(document, dict):
        for key, value in document.items():
            yield key
            if key != "plan":
                yield from keys(value)


@pytest.mark.parametrize("schema", list(QUESTIONS))
def test_every_field_is_on_the_page(
    schema: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795392000")
    main(QUESTIONS[schema])
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == schema

    page = PAGE.read_text("utf-8")
    words = set(re.findall(r"[A-Za-z]+", page))
    stems = {key.removesuffix("Low").removesuffix("High") for key in keys(document)}
    prefixed = {key for key in stems if key.startswith("usdPerMillion") and key not in words}
    assert {key.removeprefix("usdPerMillion") for key in prefixed} <= words
    assert stems - prefixed - {"schema"} <= words


def test_every_rule_is_on_the_page() -> None:
    folder = Path(main.__code__.co_filename).resolve().parents[1] / "recommend"
    source = (folder / "recommending.py").read_text("utf-8")
    rules = set(re.findall(r'Rejected\(\s*(?:variant|model\.name), "([A-Za-z]+)"', source))

    assert len(rules) >= 8
    page = PAGE.read_text("utf-8")
    assert {rule for rule in rules if f"`{rule}`" not in page} == set()
