"""Mixed into the engine's workers: what each of them holds.

Importing this module, which every worker does before it loads, keeps linear weights with torch:
oneDNN would take them over and leave empty tensors behind.
"""

from __future__ import annotations

from typing import Any

from vllm import _custom_ops

from .listing import tensors_of

_custom_ops._supports_onednn = False


class Weighing:
    """Methods that every worker answers (`--worker-extension-cls`)."""

    model_runner: Any

    def held_tensors(self) -> list[dict[str, Any]]:
        """List the tensors of this worker's model."""
        return list(tensors_of(self.model_runner.model))
