"""Plans that the planner really makes, as the operator writes them."""

from __future__ import annotations

from typing import Any

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.planning import plan
from qwen3_planner.report.plan_status import status_document
from qwen3_planner.request import Adapter, PlanRequest, Quantization


def status_plan(
    model: str, hardware: str, quantization: str = "auto", adapters: tuple[Adapter, ...] = ()
) -> dict[str, Any]:
    """Plan and return `status.plan`."""
    catalog = load_catalog()
    request = PlanRequest(model=model, quantization=Quantization(quantization), adapters=adapters)
    document = status_document(plan(request, parse_hardware(hardware, catalog), catalog))
    return dict(document)
