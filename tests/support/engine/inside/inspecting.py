"""Have vLLM look at the classes of the tiny models once: `python -m ….inspecting`.

Otherwise each engine starts another Python for it, a fifth of the time until it answers. What vLLM
found is in the folder that VLLM_CACHE_ROOT names.
"""

from __future__ import annotations

from vllm.model_executor.models import ModelRegistry

ARCHITECTURES = ("Qwen3ForCausalLM", "Qwen3MoeForCausalLM")


def main() -> None:
    """Look at them."""
    for name in ARCHITECTURES:
        ModelRegistry.models[name].inspect_model_cls()


if __name__ == "__main__":
    main()
