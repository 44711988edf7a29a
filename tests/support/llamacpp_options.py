"""Options of `llama-server`, as settings of llama.cpp's own server in the package xllamacpp.

It needs nothing but Python and that package: the image of the end-to-end tests has no more.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Setting = tuple[str, "Callable[[str], object]"]

VALUES: dict[str, Setting] = {
    "--model": ("model.path", str),
    "--alias": ("model_alias", lambda name: [name]),
    "--host": ("hostnames", lambda name: [name]),
    "--port": ("port", int),
    "--ctx-size": ("n_ctx", int),
    "--parallel": ("n_parallel", int),
    "--threads": ("cpuparams.n_threads", int),
    "--n-gpu-layers": ("n_gpu_layers", int),
    "--batch-size": ("n_batch", int),
    "--ubatch-size": ("n_ubatch", int),
    "--cache-ram": ("cache_ram_mib", int),
    "--cache-type-k": ("cache_type_k", lambda name: f"GGML_TYPE_{name.upper()}"),
    "--cache-type-v": ("cache_type_v", lambda name: f"GGML_TYPE_{name.upper()}"),
    "--flash-attn": ("flash_attn_type", lambda _: "LLAMA_FLASH_ATTN_TYPE_ENABLED"),
    "--fit": ("fit_params", lambda word: word == "on"),
    "--temp": ("sampling.temp", float),
    "--top-p": ("sampling.top_p", float),
    "--top-k": ("sampling.top_k", int),
    "--min-p": ("sampling.min_p", float),
    "--chat-template-kwargs": ("default_template_kwargs", lambda text: _dumped(json.loads(text))),
    "--reasoning-budget": ("sampling.reasoning_budget_tokens", int),
}

FLAGS = {
    "--kv-unified": "kv_unified",
    "--metrics": "endpoint_metrics",
    "--jinja": "use_jinja",
    "--embeddings": "embedding",
}

ENUMERATIONS = {
    "cache_type_k": "ggml_type",
    "cache_type_v": "ggml_type",
    "flash_attn_type": "llama_flash_attn_type",
}
"""Settings whose value is a member of an enumeration of the package."""


def _dumped(values: dict[str, object]) -> dict[str, str]:
    """Write each value as JSON, which is how llama.cpp keeps them (common/arg.cpp)."""
    return {name: json.dumps(value) for name, value in values.items()}


def settings_of(words: Sequence[str]) -> dict[str, object]:
    """Turn options into the settings that they stand for; none is passed over.

    Raises:
        KeyError: an option is not known here.
    """
    left = list(words)
    settings: dict[str, object] = {}
    while left:
        word = left.pop(0)
        if word in FLAGS:
            settings[FLAGS[word]] = True
        else:
            name, convert = VALUES[word]
            settings[name] = convert(left.pop(0))
    return settings


def parameters_of(settings: dict[str, Any], package: Any) -> Any:  # noqa: ANN401 - has no types
    """Make the package's parameters of settings."""
    parameters = package.CommonParams()
    for name, value in settings.items():
        part, _, attribute = name.rpartition(".")
        owner = getattr(parameters, part) if part else parameters
        kind = ENUMERATIONS.get(name)
        given = getattr(getattr(package, kind), value) if kind else value
        setattr(owner, attribute, set(given) if name == "model_alias" else given)
    return parameters
