"""What a pod is fed with: Secrets, environment, host resources. Kubernetes' own names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeAlias

from pydantic import Field
from pydantic_core import PydanticCustomError, core_schema

from qwen3_planner.api.schema import (
    RULE_ERROR,
    VALIDATIONS,
    DataKey,
    Flag,
    LongText,
    Matches,
    Name,
    Rule,
    Struct,
)

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue


class TokenSecretRef(Struct):
    """Key of a Secret that holds a token of Hugging Face or ModelScope."""

    name: Name
    """Name of the Secret, in the namespace of the resource."""

    key: DataKey = "HF_TOKEN"
    """Key inside the Secret. Default: HF_TOKEN."""


class ApiKeySecretRef(Struct):
    """Key of a Secret that holds the API key which clients have to send."""

    name: Name
    """Name of the Secret, in the namespace of the resource."""

    key: DataKey = "api-key"
    """Key inside the Secret. Default: api-key."""


class LocalObjectReference(Struct):
    """Name of an object in the namespace of the resource."""

    name: Name
    """Name of the object."""


class KeySelector(Struct):
    """Key of a Secret or ConfigMap in the namespace of the resource."""

    name: Name
    """Name of the object."""

    key: DataKey
    """Key inside the object."""

    optional: Flag | None = None
    """Whether the pod starts without it. Default: false."""


class EnvVarSource(Struct):
    """Where the value of an environment variable comes from."""

    secret_key_ref: KeySelector | None = None
    """A key of a Secret."""

    config_map_key_ref: KeySelector | None = None
    """A key of a ConfigMap."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.secretKeyRef) != has(self.configMapKeyRef)",
            message="valueFrom takes exactly one of secretKeyRef and configMapKeyRef",
            holds=lambda s: (s.secret_key_ref is None) != (s.config_map_key_ref is None),
        ),
    )


class EnvVar(Struct):
    """One variable in the engine's environment."""

    name: Annotated[
        str,
        Field(min_length=1, max_length=253),
        Matches(
            r"[-._a-zA-Z][-._a-zA-Z0-9]*",
            "must be the name of a variable: letters, digits, '_', '-' and '.', no digit first",
        ),
    ]
    """Name of the variable. Example: VLLM_LOGGING_LEVEL."""

    value: LongText | None = None
    """The value itself. Default: empty. Not for secrets: use valueFrom."""

    value_from: EnvVarSource | None = None
    """Take the value from a Secret or a ConfigMap."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!(has(self.value) && has(self.valueFrom))",
            message="value and valueFrom exclude each other: give one",
            holds=lambda s: s.value is None or s.value_from is None,
            field="valueFrom",
        ),
    )


@dataclass(frozen=True, slots=True)
class _Amount:
    """A whole number or text in Kubernetes' notation; told to the API server as int-or-string."""

    pattern: str = r"[0-9]+([.][0-9]+)?([mkMGTPE]|[KMGTPE]i)?"
    message: str = 'must be an amount such as 8, "500m" or "64Gi"'

    def _check(self, value: object) -> object:
        if isinstance(value, int | str) and re.fullmatch(self.pattern, str(value)):
            return value
        raise PydanticCustomError(RULE_ERROR, "{message}", {"message": self.message})

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(self._check)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        rule = f"string(self).matches(r'^({self.pattern})$')"
        return {
            "x-kubernetes-int-or-string": True,
            "maxLength": 32,
            VALIDATIONS: [{"rule": rule, "message": self.message}],
        }


Quantity: TypeAlias = Annotated[int | str, _Amount()]
"""An amount in Kubernetes' notation: ``8``, ``"500m"``, ``"64Gi"``."""


class HostResourceAmounts(Struct):
    """Amounts of host resources. GPUs are not set here: the plan decides how many."""

    cpu: Quantity | None = None
    """CPU cores. Example: 8, or "500m" for half a core."""

    memory: Quantity | None = None
    """Host memory in bytes. Example: 64Gi."""

    ephemeral_storage: Annotated[Quantity | None, Field(alias="ephemeral-storage")] = None
    """Disk of the node for the weights, logs and scratch files, in bytes. Example: 100Gi."""


class HostResources(Struct):
    """Host resources of each pod, where they shall differ from what the plan computes."""

    requests: HostResourceAmounts | None = None
    """What the scheduler reserves. Default: computed from the plan."""

    limits: HostResourceAmounts | None = None
    """What the pod may not exceed. Default: computed from the plan."""
