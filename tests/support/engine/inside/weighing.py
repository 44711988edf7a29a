"""Mixed into the engine's workers: what each of them holds."""

from __future__ import annotations

from typing import Any

from .listing import tensors_of


class Weighing:
    """Methods that every worker answers (`--worker-extension-cls`)."""

    model_runner: Any

    def held_tensors(self) -> list[dict[str, Any]]:
        """List the tensors of this worker's model."""
        return list(tensors_of(self.model_runner.model))
