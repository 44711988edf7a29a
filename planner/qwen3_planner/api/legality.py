"""What is known of a layout before any GPU is looked at, as rules for the API server.

Compiled from the catalog, so that ``kubectl apply`` refuses ``tensor: 3`` for 64 heads at once.
The planner judges the same sizes and more (:mod:`qwen3_planner.rules`), with fixes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.api.schema import validation
from qwen3_planner.catalog.tensor_sizes import legal_tensor_sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qwen3_planner.catalog.rows import ModelArchitecture


def legality_rules(models: Sequence[ModelArchitecture]) -> list[dict[str, str]]:
    """Make the entries of ``x-kubernetes-validations`` of ``spec``.

    Variants of one shape share a rule: the API server weighs every rule of a CRD.
    """
    return [
        *(_tensor_rule(group) for group in _alike(models, _tensor_shape)),
        *(_pipeline_rule(group) for group in _alike(models, lambda model: model.layers)),
        _expert_rule([model.name for model in models if model.is_moe]),
    ]


def _alike(
    models: Sequence[ModelArchitecture], shape: Callable[[ModelArchitecture], object]
) -> list[list[ModelArchitecture]]:
    groups: dict[object, list[ModelArchitecture]] = {}
    for model in models:
        groups.setdefault(shape(model), []).append(model)
    return list(groups.values())


def _tensor_shape(model: ModelArchitecture) -> object:
    inner = None if model.is_moe else model.intermediate_size
    return model.attention_heads, model.kv_heads, inner, legal_tensor_sizes(model)


def _tensor_rule(group: Sequence[ModelArchitecture]) -> dict[str, str]:
    sizes = legal_tensor_sizes(group[0])
    return validation(
        f"{_does_not_concern(group, 'tensor')} || self.parallelism.tensor in {list(sizes)}",
        f"{_why(group, sizes)}: use {_either(sizes)}",
        "parallelism.tensor",
    )


def _why(group: Sequence[ModelArchitecture], sizes: Sequence[int]) -> str:
    """Name the shapes that leave these sizes; for most models the heads alone explain them."""
    model = group[0]
    shapes = [f"{model.attention_heads} attention heads, which tensor must divide"]
    if _divisors(model.attention_heads) != sizes:
        shapes.append(f"{model.kv_heads} key-value heads, which it must divide or be a multiple of")
        if not model.is_moe:
            shapes.append(f"an MLP of {model.intermediate_size}, which it must divide")
        if model.vision is not None:
            shapes.append(f"an image encoder of {model.vision.heads} heads, which it must divide")
    *first, last = shapes
    return f"{_named(group)} {', '.join(first)}, and {last}" if first else f"{_named(group)} {last}"


def _named(group: Sequence[ModelArchitecture]) -> str:
    """Name a group's first variant, and how many more there are.

    The API server says itself which variant was asked for.
    """
    more = len(group) - 1
    return f"{group[0].name} and {more} more have" if more else f"{group[0].name} has"


def _pipeline_rule(group: Sequence[ModelArchitecture]) -> dict[str, str]:
    layers = group[0].layers
    return validation(
        f"{_does_not_concern(group, 'pipeline')} || self.parallelism.pipeline <= {layers}",
        f"{_named(group)} {layers} layers: it cannot be cut into more stages",
        "parallelism.pipeline",
    )


def _expert_rule(sparse: Sequence[str]) -> dict[str, str]:
    return validation(
        "!has(self.parallelism) || !has(self.parallelism.expert)"
        f" || self.parallelism.expert == 1 || self.model.variant in [{_listed(sparse)}]",
        "only variants with experts (-A3B, -A22B, -A35B) take expert: leave it out",
        "parallelism.expert",
    )


def _does_not_concern(group: Sequence[ModelArchitecture], part: str) -> str:
    names = _listed([model.name for model in group])
    return (
        f"!(self.model.variant in [{names}])"
        f" || !has(self.parallelism) || !has(self.parallelism.{part})"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _divisors(number: int) -> tuple[int, ...]:
    return tuple(size for size in range(1, number + 1) if number % size == 0)


def _either(choices: Sequence[object]) -> str:
    """Name choices in words.

    >>> _either((1, 2, 4)), _either(["one"])
    ('1, 2 or 4', 'one')
    """
    words = [str(choice) for choice in choices]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
