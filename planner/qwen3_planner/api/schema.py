"""Building blocks of the API models: bounds, patterns and rules told to Python and to Kubernetes.

Each constraint is written once. Pydantic enforces it wherever a resource is read (the operator,
``qwen3 plan -f``); its JSON schema carries the same constraint as CEL, which the API server
enforces on ``kubectl apply``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError, core_schema

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

VALIDATIONS = "x-kubernetes-validations"
"""Where a CRD schema keeps its CEL rules."""

RULE_ERROR = "rule"
"""Error type by which :mod:`qwen3_planner.api.conversion` knows messages that are ours."""

_MAX_DNS_SUBDOMAIN = 253
_MAX_LABEL_NAME = 63
_MAX_LABEL_KEY = _MAX_DNS_SUBDOMAIN + 1 + _MAX_LABEL_NAME


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule over several fields of one struct.

    Attributes:
        cel: the rule for the API server; ``self`` is the struct.
        message: what is allowed, in plain words, a clause without a final stop.
        holds: the same rule in Python, on the parsed struct.
        field: camelCase path of the field that the message is about; empty: the struct.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool]
    field: str = ""

    def as_validation(self) -> dict[str, str]:
        """Say the rule as one entry of ``x-kubernetes-validations``."""
        return validation(self.cel, self.message, self.field)


def validation(rule: str, message: str, field: str = "") -> dict[str, str]:
    """Make one entry of ``x-kubernetes-validations``.

    The message is fixed text. A ``messageExpression`` could repeat the wrong number, but the API
    server (1.37) takes the result of ``string(int)`` for unbounded and refuses the CRD as too
    expensive. It also refuses a field path into metadata: such rules speak for the whole object.
    """
    entry = {"rule": rule, "message": message}
    if field and not field.startswith("metadata"):
        entry["fieldPath"] = f".{field}"
    return entry


PATH_SEGMENT = "[.]{0,2}[-_a-zA-Z0-9][-._a-zA-Z0-9]*"
"""A name between two slashes of a source: neither ``.`` nor ``..``, which lead elsewhere."""


@dataclass(frozen=True, slots=True)
class Matches:
    """A string must match a pattern from end to end; on refusal the message says so in words.

    Not JSON schema's ``pattern``: the API server would answer with the bare expression.

    Attributes:
        pattern: in the common subset of RE2 and Python; free of quotes.
        message: what is allowed, a clause without a final stop.
    """

    pattern: str
    message: str

    def _check(self, value: str) -> str:
        if re.fullmatch(self.pattern, value) is None:
            raise PydanticCustomError(RULE_ERROR, "{message}", {"message": self.message})
        return value

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        json_schema = handler(schema)
        rule = validation(f"self.matches(r'^({self.pattern})$')", self.message)
        return {**json_schema, VALIDATIONS: [*json_schema.get(VALIDATIONS, []), rule]}


class Struct(BaseModel):
    """An object of the API: camelCase outside, frozen, and nothing in it that is not documented."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _obeys_its_rules(self) -> Self:
        for rule in self.rules:
            if not rule.holds(self):
                context = {"message": rule.message, "field": rule.field}
                raise PydanticCustomError(RULE_ERROR, "{message}", context)
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        json_schema = handler.resolve_ref_schema(handler(core))
        if cls.rules:
            json_schema[VALIDATIONS] = [rule.as_validation() for rule in cls.rules]
        return json_schema

    def to_kubernetes(self) -> dict[str, Any]:
        """Return the object as JSON-ready Kubernetes wire form, without absent fields."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def whole(minimum: int, maximum: int) -> Any:  # noqa: ANN401 - metadata of Annotated has no narrower type
    """Bound an integer on both sides; text and fractions are refused, as the API server does."""
    return Field(strict=True, ge=minimum, le=maximum)


Flag: TypeAlias = StrictBool
"""True or false, nothing that could be taken for it."""

ShortText: TypeAlias = Annotated[str, Field(max_length=256)]
"""A word or a line."""

LongText: TypeAlias = Annotated[str, Field(max_length=4096)]
"""A paragraph, an argument or a value of the environment."""

Name: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=_MAX_DNS_SUBDOMAIN),
    Matches(
        r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?",
        "must be the name of an object: lower-case letters, digits, '-' and '.'",
    ),
]
"""Name of a Kubernetes object."""

LabelName: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=_MAX_LABEL_NAME),
    Matches(
        r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?",
        "must be the name of an object: lower-case letters, digits, '-' and '.'",
    ),
]
"""Name of a Kubernetes object that is also the value of a label."""

DataKey: TypeAlias = Annotated[
    str,
    Field(min_length=1, max_length=_MAX_DNS_SUBDOMAIN),
    Matches(r"[-._a-zA-Z0-9]+", "must be a key of a Secret or ConfigMap: letters, digits, - _ ."),
]
"""Key inside a Secret or ConfigMap."""

LabelKey: TypeAlias = Annotated[str, Field(max_length=_MAX_LABEL_KEY)]
"""Key of a label, with its prefix."""

LabelValue: TypeAlias = Annotated[str, Field(max_length=_MAX_LABEL_NAME)]
"""Value of a label."""

Labels: TypeAlias = Annotated[dict[str, LabelValue], Field(max_length=64)]
"""Labels that must match; at most 64."""
