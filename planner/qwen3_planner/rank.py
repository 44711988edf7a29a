"""Which fitting candidate is best: a score that explains itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.candidates import cheapest_usd_per_hour
from qwen3_planner.engines.ladders import PRECISION
from qwen3_planner.request import Objective

if TYPE_CHECKING:
    from collections.abc import Iterable

    from qwen3_planner.performance.prediction import Prediction
    from qwen3_planner.serving.verdicts import Fit
    from qwen3_planner.targeting import Aimed


@dataclass(frozen=True, slots=True)
class Score:
    """Why one fit comes before another; the properties are compared in this order, least first.

    Attributes:
        fit: the candidate and what it holds.
        replicas: of the whole deployment.
        usd_per_hour: of all replicas' GPUs; None where a price is missing.
        compares_prices: whether every candidate has a price, so that prices decide.
        objective: what decides between plans that are as precise.
        output_tokens: of one request of the load.
        prediction: of one replica; None where nothing asks for it.
    """

    fit: Fit
    replicas: int
    usd_per_hour: float | None
    compares_prices: bool
    objective: Objective = Objective.COST
    output_tokens: int = 1
    prediction: Prediction | None = None

    @property
    def keeps_layers_on_host(self) -> bool:
        """Layers computed from host memory slow every token: only where nothing else fits."""
        return self.fit.candidate.layout.keeps_layers_on_host

    @property
    def holds_less_than_wanted(self) -> bool:
        """A context that had to be shortened comes after any that did not."""
        return self.fit.is_shortened

    @property
    def imprecision(self) -> int:
        """Place of the weight format in the ladder, most precise first."""
        return PRECISION.index(self.fit.candidate.choice.fmt.quantization)

    @property
    def lost_context(self) -> int:
        """Tokens of context given up, where some had to be."""
        return -self.fit.max_model_len if self.fit.is_shortened else 0

    @property
    def may_not_start(self) -> bool:
        """A fit inside the error of its estimate comes after one that is sure."""
        return self.fit.is_narrow

    @property
    def shortfall(self) -> float:
        """How far from the objective, where that is not the cost; less is better."""
        if self.objective is Objective.COST:
            return 0.0
        if self.prediction is None:
            return float("inf")
        if self.objective is Objective.THROUGHPUT:
            return -self.prediction.output_tokens_per_s.value * self.replicas
        after = (self.output_tokens - 1) * self.prediction.tpot_s.value
        return self.prediction.ttft_s.value + after

    @property
    def nodes(self) -> int:
        """Nodes that one replica spans; links between nodes are slow and seldom priced in."""
        return self.fit.candidate.layout.nodes_per_replica

    @property
    def cost(self) -> float:
        """Dollars an hour, or the device memory taken where prices are missing.

        Memory stands for money then: a small model is not given a large GPU.
        """
        if self.compares_prices and self.usd_per_hour is not None:
            return self.usd_per_hour
        candidate = self.fit.candidate
        gpus = candidate.layout.gpus_per_replica * self.replicas
        return float(gpus * candidate.pool.accelerator.memory_mib)

    @property
    def gpus(self) -> int:
        """GPUs of one replica."""
        return self.fit.candidate.layout.gpus_per_replica

    @property
    def splits_layers_between_nodes(self) -> bool:
        """Whether a layer is shared over the slower links between nodes."""
        layout = self.fit.candidate.layout
        return layout.gpus_per_node % layout.tensor != 0

    @property
    def stages(self) -> int:
        """Tensor parallelism comes before pipeline stages."""
        return self.fit.candidate.layout.pipeline

    @property
    def uses_expert_parallelism(self) -> bool:
        """Expert parallelism comes after plain tensor parallelism."""
        return self.fit.candidate.layout.expert > 1

    @property
    def layers_on_host(self) -> int:
        """Layers, or experts of layers, that stay on the host: the fewer, the faster."""
        layout = self.fit.candidate.layout
        return layout.host_layers + layout.host_expert_layers

    @property
    def name(self) -> str:
        """Breaks what ties are left."""
        candidate = self.fit.candidate
        return f"{candidate.pool.accelerator.name} {candidate.layout}"

    @property
    def order(
        self,
    ) -> tuple[bool, bool, int, int, bool, int, float, int, float, int, bool, int, bool, str]:
        """All of them, as they are compared."""
        return (
            self.keeps_layers_on_host,
            self.holds_less_than_wanted,
            self.imprecision,
            self.lost_context,
            self.may_not_start,
            self.layers_on_host,
            self.shortfall,
            self.nodes,
            self.cost,
            self.gpus,
            self.splits_layers_between_nodes,
            self.stages,
            self.uses_expert_parallelism,
            self.name,
        )


def ranked(
    aimed: Iterable[Aimed], objective: Objective = Objective.COST, output_tokens: int = 1
) -> tuple[Score, ...]:
    """Order the fits, best first. Prices decide only where every one of them has a price.

    Args:
        aimed: fits that meet what is asked, each with the replicas that takes.
        objective: what decides between them.
        output_tokens: of one request of the load.
    """
    priced = [(one, _price(one)) for one in aimed]
    compares = all(price is not None for _, price in priced)
    scores = [
        Score(one.fit, one.replicas, price, compares, objective, output_tokens, one.prediction)
        for one, price in priced
    ]
    return tuple(sorted(scores, key=lambda score: score.order))


def _price(one: Aimed) -> float | None:
    candidate = one.fit.candidate
    return cheapest_usd_per_hour(candidate.pool, candidate.layout, one.replicas)
