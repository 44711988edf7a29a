"""Questions to the planner with honest defaults, from the catalog that ships."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.candidates import pools_of
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.profiles import PRODUCT_INFIX, profile_of
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.inventory.slices import slice_of
from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.planning import plan
from qwen3_planner.question import WeightChoice, understand
from qwen3_planner.request import ParallelismWish, PlanRequest, Quantization, Workload
from qwen3_planner.rules.facts import LayoutFacts
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.sizing.formats import FileLayout, WeightFormat, WeightKind
from qwen3_planner.solving import pool_facts

if TYPE_CHECKING:
    from qwen3_planner.catalog.rows import Accelerator, ModelArchitecture
    from qwen3_planner.plan import Layout
    from qwen3_planner.question import Question
    from qwen3_planner.rules.facts import PoolFacts

VARIANTS = (
    "Qwen3-0.6B",
    "Qwen3-1.7B",
    "Qwen3-4B",
    "Qwen3-8B",
    "Qwen3-14B",
    "Qwen3-32B",
    "Qwen3-30B-A3B",
    "Qwen3-235B-A22B",
)

FP8_BLOCKS = WeightFormat(Quantization.FP8, WeightKind.FP8_BLOCK, 128, 128, layout=FileLayout.FP8)
AWQ = WeightFormat(
    Quantization.AWQ_INT4,
    WeightKind.INT4_GROUP,
    group_size=128,
    has_zero_points=True,
    layout=FileLayout.AWQ,
)
GPTQ = WeightFormat(
    Quantization.GPTQ_INT4, WeightKind.INT4_GROUP, group_size=128, layout=FileLayout.GPTQ
)


def a_model(name: str = "Qwen3-32B") -> ModelArchitecture:
    return load_catalog().model(name)


def an_accelerator(name: str = "H100-SXM-80GB") -> Accelerator:
    """Return an accelerator of the catalog, or a MIG slice of one."""
    whole, infix, text = name.partition(PRODUCT_INFIX)
    row = load_catalog().accelerator(whole)
    profile = profile_of(text)
    if not infix or profile is None:
        return row
    part = slice_of(row.product_labels[0], profile, f"nvidia.com/mig-{text}", None, load_catalog())
    assert part is not None
    return part


def hardware(text: str = "8xH100-SXM-80GB") -> Inventory:
    return parse_hardware(text, load_catalog())


def a_request(model: str = "Qwen3-32B", **fields: object) -> PlanRequest:
    """Make a request; sizes of parallel groups and of the load may be given flat."""
    wish = {n: fields.pop(n) for n in ("tensor", "pipeline", "data", "expert") if n in fields}
    names = ("concurrency", "input_tokens", "output_tokens")
    load = {n: fields.pop(n) for n in names if n in fields}
    return PlanRequest(
        model,
        parallelism=ParallelismWish(**wish),  # type: ignore[arg-type]  # by the names above
        workload=Workload(**load),  # type: ignore[arg-type]  # likewise
        **fields,  # type: ignore[arg-type]  # likewise
    )


def a_question(model: str = "Qwen3-32B", **fields: object) -> Question:
    return understand(a_request(model, **fields), hardware(), load_catalog())


def answer(model: str, on: str, **fields: object) -> Plan | NoPlan:
    return plan(a_request(model, **fields), hardware(on), load_catalog())


def planned(model: str, on: str, **fields: object) -> Plan:
    found = answer(model, on, **fields)
    assert isinstance(found, Plan), found
    return found


def refused(model: str, on: str, **fields: object) -> NoPlan:
    found = answer(model, on, **fields)
    assert isinstance(found, NoPlan), found
    return found


def pool_facts_of(
    model: str = "Qwen3-32B",
    quantization: Quantization = Quantization.BF16,
    accelerator: str = "H100-SXM-80GB",
    *,
    fmt: WeightFormat | None = None,
    version: str | None = None,
    **fields: object,
) -> PoolFacts:
    """Gather the facts of one weight format on one kind of GPU."""
    if fmt is None:
        question = a_question(model, quantization=quantization, engine_version=version, **fields)
        choice = question.choices[0]
    else:
        question = a_question(model, engine_version=version, **fields)
        choice = WeightChoice("hf://example/checkpoint", fmt)
    (pool,) = pools_of(Inventory((NodeGroup(an_accelerator(accelerator), 64),)), ())
    return pool_facts(question, pool, choice, serving_of(question.engine).setting(question, pool))


def layout_facts_of(layout: Layout, **facts: object) -> LayoutFacts:
    """Gather the facts of one layout."""
    return LayoutFacts(pool_facts_of(**facts), layout)  # type: ignore[arg-type]  # by name
