from __future__ import annotations

import pytest

from qwen3_planner.api.crd import custom_resource_definition
from qwen3_planner.api.reference import reasons_page, resource_page
from qwen3_planner.catalog.loading import load_catalog

SOURCE = '''
class Colour(StrEnum):
    """Colours
    there are."""

    RED = "Red"
    """Like a | rose."""
'''


def test_a_reason_is_listed_with_its_docstring() -> None:
    page = reasons_page(SOURCE)

    assert "Colours there are." in page
    assert "| `Red` | Like a \\| rose. |" in page


def test_a_reason_without_a_docstring_is_an_error() -> None:
    with pytest.raises(ValueError, match="Colour: Blue has no docstring"):
        reasons_page(SOURCE + '    BLUE = "Blue"\n')


def test_the_page_of_the_resource_has_every_object_and_field() -> None:
    page = resource_page(custom_resource_definition(load_catalog()))

    for title in ("## spec", "## spec.engine.env[]", "## spec.affinity", "## status"):
        assert f"\n{title}\n" in page
    assert "| `variant` | one of `Qwen3-0.6B`" in page
    assert "- `source`: must be hf://" in page
    assert "64 attention heads, which tensor must divide" in page
