"""What is known of a layout before any GPU is looked at, as rules for the API server.

Compiled from the catalog, so that ``kubectl apply`` refuses ``tensor: 3`` for 64 heads at once.
The planner judges the same and more (:mod:`qwen3_planner.rules`), with fixes; a test holds both
to one verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.api.schema import validation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_planner.catalog.rows import ModelArchitecture


def tensor_sizes(model: ModelArchitecture) -> tuple[int, ...]:
    """List the tensor-parallel sizes that the model's shapes allow, whatever the GPU.

    They divide the attention heads, the vocabulary and the MLP of a dense model (experts need not
    be cut), and divide the key-value heads or are a multiple of them. Engines stop with an error or
    an assertion otherwise (vLLM 0.32.0: config/model.py, model_executor/models/qwen3.py,
    distributed/utils.py).
    """
    return tuple(
        size
        for size in _divisors(model.attention_heads)
        if (model.kv_heads % size == 0 or size % model.kv_heads == 0)
        and (model.is_moe or model.intermediate_size % size == 0)
        and model.vocab_size % size == 0
    )


def legality_rules(models: Sequence[ModelArchitecture]) -> list[dict[str, str]]:
    """Make the entries of ``x-kubernetes-validations`` of ``spec``."""
    return [
        *(_tensor_rule(model) for model in models),
        *(_pipeline_rule(model) for model in models),
        _expert_rule([model.name for model in models if model.is_moe]),
    ]


def _tensor_rule(model: ModelArchitecture) -> dict[str, str]:
    sizes = tensor_sizes(model)
    return validation(
        f"{_does_not_concern(model, 'tensor')} || self.parallelism.tensor in {list(sizes)}",
        f"{_why(model, sizes)}: use {_either(sizes)}",
        "parallelism.tensor",
    )


def _why(model: ModelArchitecture, sizes: Sequence[int]) -> str:
    """Name the shapes that leave these sizes; for most models the heads alone explain them."""
    why = f"{model.name} has {model.attention_heads} attention heads, which tensor must divide"
    if _divisors(model.attention_heads) != sizes:
        why += (
            f", {model.kv_heads} key-value heads, which it must divide or be a multiple of,"
            f" and an MLP of {model.intermediate_size}, which it must divide"
        )
    return why


def _pipeline_rule(model: ModelArchitecture) -> dict[str, str]:
    return validation(
        f"{_does_not_concern(model, 'pipeline')} || self.parallelism.pipeline <= {model.layers}",
        f"{model.name} has {model.layers} layers: it cannot be cut into more stages",
        "parallelism.pipeline",
    )


def _expert_rule(sparse: Sequence[str]) -> dict[str, str]:
    names = ", ".join(f"'{name}'" for name in sparse)
    return validation(
        "!has(self.parallelism) || !has(self.parallelism.expert)"
        f" || self.parallelism.expert == 1 || self.model.variant in [{names}]",
        f"only {' and '.join(sparse)} have experts: leave expert out",
        "parallelism.expert",
    )


def _does_not_concern(model: ModelArchitecture, group: str) -> str:
    return (
        f"self.model.variant != '{model.name}'"
        f" || !has(self.parallelism) || !has(self.parallelism.{group})"
    )


def _divisors(number: int) -> tuple[int, ...]:
    return tuple(size for size in range(1, number + 1) if number % size == 0)


def _either(choices: Sequence[object]) -> str:
    """Name choices in words.

    >>> _either((1, 2, 4)), _either(["one"])
    ('1, 2 or 4', 'one')
    """
    words = [str(choice) for choice in choices]
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
