"""Which hardware holds a question: several alternatives planned, the smallest first."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.engines.ladders import serves
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.derived import interconnect_of
from qwen3_planner.inventory.hardware import Inventory, NodeGroup
from qwen3_planner.plan import Plan
from qwen3_planner.planning import plan
from qwen3_planner.question import settle_engine, understand
from qwen3_planner.remedies.hardware import least_bytes, server_sizes
from qwen3_planner.request import EngineName, Quantization
from qwen3_planner.solving import has_fit
from qwen3_planner.units import GIB, MIB

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_planner.catalog.rows import Accelerator, Catalog
    from qwen3_planner.plan import PlanResult
    from qwen3_planner.request import PlanRequest

MOST_OFFERS = 8
"""Kinds of hardware that are told where any will do."""

MOST_COMPARED = 24
"""Kinds of which the cheapest are told where speed is asked for: more memory may cost less then."""

MOST_ALIKE = 2
"""Of which so many have as many devices of one vendor with as much memory."""

_ENGINES = (EngineName.VLLM, EngineName.LLAMACPP)
"""What ``auto`` may settle on, by the hardware."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Hardware that holds the question, with the plan on it.

    Attributes:
        hardware: in the short form of the CLI, or as the user named it.
        inventory: the same.
        plan: on it.
    """

    hardware: str
    inventory: Inventory
    plan: Plan

    @property
    def device_bytes(self) -> int:
        """Memory of all its devices."""
        return sum(
            group.accelerator.memory_mib * MIB * group.accelerators_per_node * group.count
            for group in self.inventory.groups
        )

    @property
    def usd_per_hour(self) -> float | None:
        """Price of what the plan uses: the inventory's, else the going rate of the catalog."""
        cost = self.plan.cost
        return self.plan.usd_per_hour if cost is None else cost.usd_per_hour

    @property
    def rank(self) -> tuple[float, int, int]:
        """Cheapest first where there is a price, then least memory, then fewest devices."""
        price = self.usd_per_hour
        gpus = self.plan.gpus
        return (float("inf") if price is None else price, self.device_bytes, gpus)


@dataclass(frozen=True, slots=True)
class Offering:
    """The answer to a question with several kinds of hardware.

    Attributes:
        offers: that hold the question, best first.
        answer: the plan on the first; where there is none, why the last alternative fails.
        inventory: that the answer is about.
    """

    offers: tuple[Offer, ...]
    answer: PlanResult
    inventory: Inventory


def offering_of(
    request: PlanRequest, alternatives: Sequence[tuple[str, Inventory]], catalog: Catalog
) -> Offering:
    """Plan the question on each of the alternatives; rank those that hold it.

    Args:
        request: what is asked.
        alternatives: (name, hardware), at least one.
        catalog: what is known.

    Raises:
        SpecError: the request itself is wrong.
    """
    answers = [(name, here, plan(request, here, catalog)) for name, here in alternatives]
    offers = [
        Offer(name, here, answer) for name, here, answer in answers if isinstance(answer, Plan)
    ]
    offers.sort(key=lambda offer: offer.rank)
    if offers:
        return Offering(tuple(offers), offers[0].plan, offers[0].inventory)
    _, here, answer = answers[-1]
    return Offering((), answer, here)


def any_hardware(request: PlanRequest, catalog: Catalog) -> Offering:
    """Find the catalog's hardware that holds the question: the smallest server of each kind.

    Cheapest first, those without a price last, of equal ones least device memory first. Where
    nothing in the catalog is enough, the largest says why.

    Raises:
        SpecError: the request itself is wrong.
    """
    sizes = sorted(_sizes(request, catalog), key=lambda size: size[:2])
    if not sizes:
        raise SpecError(
            "--hardware", "any", "no hardware of the catalog is allowed, or serves that"
        )
    most = MOST_COMPARED if request.targets.are_given else MOST_OFFERS
    found: dict[str, tuple[str, Inventory]] = {}
    alike: Counter[tuple[str, int, int]] = Counter()
    for memory_mib, text, accelerator, gpus in sizes:
        if len(found) == most:
            break
        kind = (accelerator.vendor, gpus, round(memory_mib * MIB / GIB))
        if accelerator.name in found or alike[kind] == MOST_ALIKE:
            continue
        here = _inventory(accelerator, gpus, text)
        question = understand(request, here, catalog)
        is_enough = memory_mib * MIB >= least_bytes(question) * request.replicas
        if is_enough and has_fit(question, here):
            found[accelerator.name] = (text, here)
            alike[kind] += 1
    if found:
        told = offering_of(request, tuple(found.values()), catalog)
        return replace(told, offers=told.offers[:MOST_OFFERS])
    _, text, accelerator, gpus = sizes[-1]
    return offering_of(request, [(text, _inventory(accelerator, gpus, text))], catalog)


def _sizes(request: PlanRequest, catalog: Catalog) -> Iterator[tuple[int, str, Accelerator, int]]:
    """Yield the servers that the request allows, under the engine that each would run."""
    allowed = {name.lower() for name in request.accelerators}
    for engine in _engines(request, catalog):
        for size in server_sizes(catalog, engine, frozenset()):
            _, text, accelerator, gpus = size
            is_machine = accelerator.device_class is AcceleratorClass.GPU or gpus == 1
            is_allowed = not allowed or accelerator.name.lower() in allowed
            is_within = request.max_gpus is None or gpus <= request.max_gpus
            if (
                is_machine
                and is_allowed
                and is_within
                and settle_engine(request, _inventory(accelerator, gpus, text)) is engine
            ):
                yield size


def _engines(request: PlanRequest, catalog: Catalog) -> tuple[EngineName, ...]:
    """List the engines that ``auto`` may settle on and that can serve what is asked."""
    if request.engine is not EngineName.AUTO:
        return (request.engine,)
    known = {release.name for release in catalog.engines}
    wish, version = request.quantization, request.engine_version
    return tuple(
        engine
        for engine in _ENGINES
        if engine.value in known
        and (wish is Quantization.AUTO or serves(engine, wish))
        and (version is None or _counts_like(engine, version))
    )


def _counts_like(engine: EngineName, version: str) -> bool:
    """Whether a version is of the form that an engine's releases have: llama.cpp counts builds."""
    return (parse_version(version).build > 0) is (engine is EngineName.LLAMACPP)


def _inventory(accelerator: Accelerator, gpus: int, text: str) -> Inventory:
    """Build the servers that a short form names: ``8xH100`` or ``2x8xH100``."""
    counts = text.removesuffix(accelerator.name).strip("x").split("x")
    nodes = int(counts[0]) if len(counts) > 1 else 1
    group = NodeGroup(accelerator, gpus // nodes, nodes, interconnect=interconnect_of(accelerator))
    return Inventory((group,))
