from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field

from qwen3_planner.api.structural import structural

Text = Annotated[str, Field(max_length=8)]
Count = Annotated[int, Field(ge=0, le=9)]


def converted(model: type[BaseModel], *, with_defaults: bool = True) -> dict[str, Any]:
    return structural(model.model_json_schema(), with_defaults=with_defaults)


class Inner(BaseModel):
    """What is inside."""

    text: Text = "a"


class Outer(BaseModel):
    required: Inner
    optional: Inner | None = None
    filled: Inner = Inner()
    described: Annotated[Inner, Field(description="Said outside.")]
    count: Count | None = None
    large: Annotated[int, Field(ge=0, le=2**40)] = 5
    listed: Annotated[tuple[Inner, ...], Field(max_length=3)] = ()
    mapped: Annotated[dict[str, Text], Field(max_length=3)] | None = None


def test_references_are_inlined_and_titles_dropped() -> None:
    text = str(converted(Outer))

    assert "$ref" not in text
    assert "$defs" not in text
    assert "title" not in text
    assert "anyOf" not in text


def test_an_optional_field_is_left_out_of_required_and_has_no_null() -> None:
    schema = converted(Outer)

    assert schema["required"] == ["required", "described"]
    assert schema["properties"]["count"] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 9,
        "format": "int32",
    }


def test_an_object_with_defaults_inside_defaults_to_empty_so_that_they_apply() -> None:
    filled = converted(Outer)["properties"]["filled"]

    assert filled["default"] == {}
    assert filled["properties"]["text"]["default"] == "a"


def test_no_default_where_none_are_wanted() -> None:
    assert "default" not in str(converted(Outer, with_defaults=False))


def test_an_empty_list_is_no_default() -> None:
    assert "default" not in converted(Outer)["properties"]["listed"]


def test_what_is_said_where_a_type_is_used_wins_over_what_the_type_says() -> None:
    properties = converted(Outer)["properties"]

    assert properties["required"]["description"] == "What is inside."
    assert properties["described"]["description"] == "Said outside."


def test_integers_have_the_format_that_holds_them() -> None:
    properties = converted(Outer)["properties"]

    assert properties["count"]["format"] == "int32"
    assert properties["large"]["format"] == "int64"


def test_lists_and_maps_keep_their_bounds() -> None:
    properties = converted(Outer)["properties"]

    assert properties["listed"]["maxItems"] == 3
    assert properties["listed"]["x-kubernetes-list-type"] == "atomic"
    assert properties["mapped"]["maxProperties"] == 3
    assert properties["mapped"]["additionalProperties"] == {"type": "string", "maxLength": 8}


class EndlessText(BaseModel):
    text: str


class EndlessList(BaseModel):
    inner: tuple[Text, ...]


class EndlessMap(BaseModel):
    inner: dict[str, Text]


class EndlessCount(BaseModel):
    inner: int


@pytest.mark.parametrize("model", [EndlessText, EndlessList, EndlessMap, EndlessCount])
def test_what_has_no_bound_is_refused(model: type[BaseModel]) -> None:
    with pytest.raises(ValueError, match="without a bound"):
        converted(model)


class Generation(BaseModel):
    generation: Annotated[int, Field(ge=0, le=2**63 - 1)]


def test_a_bound_that_the_api_server_would_round_beyond_int64_is_refused() -> None:
    with pytest.raises(ValueError, match="does not work"):
        converted(Generation)


class Choice(BaseModel):
    either: Text | Count


def test_a_choice_between_types_is_refused() -> None:
    with pytest.raises(ValueError, match="no choice between types"):
        converted(Choice)
