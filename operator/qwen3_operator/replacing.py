"""How pods of one resource are replaced: what they are made from, where from, and at which pace."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from qwen3_operator.cluster.supplying import Supply
from qwen3_operator.decisions.admission import demand_of
from qwen3_operator.decisions.pace import Pace, choose_pace, is_replacing
from qwen3_operator.decisions.standing import stand_by
from qwen3_operator.decisions.workloads import is_group
from qwen3_operator.desired.deployment import with_strategy
from qwen3_operator.desired.probes import progress_deadline_s
from qwen3_operator.observed import Key
from qwen3_operator.rolling.inputs import inputs_of
from qwen3_operator.rolling.revisions import plan_made_for
from qwen3_operator.rolling.turns import Scene, take_turn
from qwen3_operator.rolling.workloads import claims_of
from qwen3_operator.status.rolled import supply_before
from qwen3_planner.api.conversion import parse_status
from qwen3_planner.api.rollout import Surge
from qwen3_planner.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    from qwen3_operator.cluster.children import Children
    from qwen3_operator.cluster.supplying import Model, Supplying
    from qwen3_operator.decisions.replan import Chosen
    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.ledger import Ledger
    from qwen3_operator.observed import Manifest
    from qwen3_operator.rolling.turns import Turn
    from qwen3_planner.api.status import Qwen3DeploymentStatus
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import PlanResult
    from qwen3_planner.request import PlanRequest

REMEMBERED_PAUSE_S = 0.05
"""What is remembered of rollouts decides what comes next: look again as soon as it is written."""


class Replacing:
    """What a reconcile asks about pods that are to be replaced, or not."""

    def __init__(
        self,
        children: Children,
        supplying: Supplying,
        ledger: Ledger,
        now: Callable[[], datetime],
    ) -> None:
        self._children = children
        self._supplying = supplying
        self._ledger = ledger
        self._now = now

    def turn(
        self,
        resource: Qwen3Deployment,
        chosen: Chosen,
        pool: Pool,
        wanted: tuple[Manifest, ...],
        previous: Qwen3DeploymentStatus,
    ) -> Turn:
        """Decide whether pods are made anew, kept, or made again from what worked last.

        Args:
            resource: what the user applied.
            chosen: a plan that fits.
            pool: the nodes that its pods would go to.
            wanted: children as this release renders them, workloads first.
            previous: the status as it was.
        """
        plan = chosen.result
        assert isinstance(plan, Plan)  # noqa: S101 - for the type checker: it fits
        key = Key(resource.metadata.namespace, resource.metadata.name)
        scene = Scene(
            resource=resource,
            chosen=chosen,
            inputs=inputs_of(resource, plan, pool),
            wanted=wanted,
            observed=self._children.observe(key),
            previous=previous,
            allowed_s=progress_deadline_s(resource, plan),
            now=self._now(),
        )
        return take_turn(scene)

    def standing(
        self,
        chosen: Chosen,
        resource: Qwen3Deployment,
        request: PlanRequest,
        ask: Callable[[PlanRequest], PlanResult],
        previous: Qwen3DeploymentStatus,
    ) -> Chosen:
        """Return what was chosen, or the plan that runs where only judgement speaks against it."""
        key = Key(resource.metadata.namespace, resource.metadata.name)
        children = self._children.observe(key).children
        return stand_by(chosen, plan_made_for(resource, children, previous), request, ask)

    async def supply(self, model: Model, turn: Turn, previous: Qwen3DeploymentStatus) -> Supply:
        """Bring the weights to the pods; what ran before has them, and nothing of it is touched.

        Raises:
            ClusterError: the API server could not do it now.
        """
        if turn.is_back:
            return Supply(supply_before(previous))
        return await self._supplying.bring(replace(model, mounted=claims_of(turn.children)))

    def paced(self, key: Key, wanted: tuple[Manifest, ...], surge: Surge) -> tuple[Manifest, ...]:
        """Have a new replica come first where there is room for it, else an old one go first."""
        if is_group(wanted[0]):  # replaced by :mod:`qwen3_operator.cluster.ganging`
            return wanted
        pods = self._children.observe(key).pods
        demand = demand_of(wanted[0])
        pace = Pace.OLD_FIRST
        if surge is Surge.WHEN_FREE and is_replacing(pods, demand.plan_hash):
            spare = self._ledger.spare(key)
            pace = choose_pace(pods, demand.plan_hash, demand.replicas, spare)
        return with_strategy(wanted, new_first=pace is Pace.NEW_FIRST)


def look_again_s(body: dict[str, Any] | None, previous: Qwen3DeploymentStatus) -> float | None:
    """Say when to look again after a status was written; None: when something happens.

    Args:
        body: the resource as it is now; None if it is gone.
        previous: its status before.
    """
    if body is None or parse_status(body).rollout == previous.rollout:
        return None
    return REMEMBERED_PAUSE_S
