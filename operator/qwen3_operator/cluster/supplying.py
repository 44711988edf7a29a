"""How the weights of one resource get to its pods: what is in the way, and what is done for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_operator.decisions.adapters import object_to_adapters
from qwen3_operator.decisions.admission import demand_of
from qwen3_operator.decisions.caching import Cache, judge_cache, object_to, retry_in_s
from qwen3_operator.decisions.eligibility import belongs_to
from qwen3_operator.decisions.readiness import Finding
from qwen3_operator.decisions.supply import Way, holds, judge_source
from qwen3_operator.desired import labels
from qwen3_operator.desired.adapter_caches import adapter_caches_of
from qwen3_operator.desired.adapters import claims_of, placed_adapters
from qwen3_operator.desired.cache import SharedCache, make_claim, shared_cache_of
from qwen3_operator.desired.prefetch import make_prefetch_job
from qwen3_operator.desired.volumes import claim_of, make_weights_volumes
from qwen3_planner.api.reasons import Reason
from qwen3_planner.api.status import ConditionStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from qwen3_operator.cluster.caches import Caches
    from qwen3_operator.cluster.sharing import Sharing
    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.desired.site import Site
    from qwen3_operator.observed import Key, Manifest, Node
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan


@dataclass(frozen=True, slots=True)
class Model:
    """One resource and what would run of it.

    Attributes:
        key: of the resource.
        resource: as parsed.
        plan: of it.
        deployment: that would run.
        pool: of nodes that its pods go to.
        mounted: claims that its pods have mounted, or may have again: they are not left.
    """

    key: Key
    resource: Qwen3Deployment
    plan: Plan
    deployment: Manifest
    pool: Pool
    mounted: tuple[str, ...] = ()

    @property
    def still_used(self) -> list[tuple[str, str]]:
        """Shared objects that the resource goes on using whatever it fetches now."""
        return [("PersistentVolumeClaim", claim) for claim in self.mounted]


@dataclass(frozen=True, slots=True)
class Supply:
    """Whether the weights reach the pods, and after how many seconds to look again."""

    finding: Finding
    again_s: float | None = None


class Supplying:
    """Brings weights to where pods find them, and says how it stands."""

    def __init__(
        self,
        sharing: Sharing,
        caches: Caches,
        site: Site,
        nodes: Callable[[], Iterable[Node]],
        now: Callable[[], datetime],
    ) -> None:
        self._sharing = sharing
        self._caches = caches
        self._site = site
        self._nodes = nodes
        self._now = now
        self._failures: dict[tuple[str, str], int] = {}
        """Jobs that failed in a row, by namespace and name; a restart begins to count anew."""

    def forget(self, key: Key) -> None:
        """Forget a resource that is gone."""
        self._caches.follow_claims(key, ())
        self._sharing.forget(key)

    async def bring(self, model: Model) -> Supply:
        """Do what is to be done for the weights and for adapters.

        Raises:
            ClusterError: the API server could not do it now.
        """
        shared = shared_cache_of(model.resource, model.plan)
        claim = shared.claim if shared else claim_of(model.plan.source)
        claims = (*filter(None, (claim,)), *claims_of(model.resource))
        self._caches.follow_claims(model.key, claims)
        objection = self._object_to_adapters(model)
        if shared is not None:
            return Supply(objection) if objection else await self._fill(model, shared)
        await self._sharing.leave(model.key, model.resource.metadata.uid, model.still_used)
        return Supply(objection or judge_source(self._way(model, claim)))

    def _object_to_adapters(self, model: Model) -> Finding | None:
        """Say what keeps adapters from the pods."""
        known, namespace = self._caches.volumes, model.key.namespace
        placed = placed_adapters(model.resource, model.plan)
        missing = [one for one in claims_of(model.resource) if known.get(namespace, one) is None]
        fetched = [one.spec.source for one in placed if one.is_fetched]
        is_offline = self._site.hubs.is_offline
        verdict = object_to_adapters(missing, fetched, is_offline=is_offline)
        return None if verdict is None else Finding(ConditionStatus.FALSE, verdict)

    def _way(self, model: Model, claim: str | None) -> Way:
        cache = model.resource.spec.cache
        volumes = make_weights_volumes(model.resource, model.plan)
        image = next((volume["image"]["reference"] for volume in volumes if "image" in volume), "")
        is_missing = claim and self._caches.volumes.get(model.key.namespace, claim) is None
        host_path = cache.host_path.path if cache and cache.host_path else ""
        return Way(
            source=model.plan.source,
            image=image,
            missing_claim=claim if claim and is_missing else "",
            host_path="" if self._site.allows_folder(host_path) else host_path,
            host_path_folders=self._site.host_path_folders if self._site.allows_host_path else (),
            nodes=self._nodes_for(model) if image else (),
            is_offline=self._site.hubs.is_offline,
        )

    def _nodes_for(self, model: Model) -> list[Node]:
        selector = demand_of(model.deployment).selector
        return [node for node in self._nodes() if belongs_to(selector, node)]

    async def _fill(self, model: Model, shared: SharedCache) -> Supply:
        """Have the claim and its Job exist, unless something speaks against it."""
        key, uid = model.key, model.resource.metadata.uid
        claim = make_claim(model.resource, shared) if shared.is_made else None
        known = self._known(key, shared, claim)
        pods = model.resource.spec.replicas * model.plan.layout.nodes_per_replica
        objection = object_to(known, pods, len(self._nodes_for(model)))
        if objection is not None:
            return Supply(objection)
        if self._site.hubs.is_offline:
            return Supply(self._offline(model, shared))
        caches = (shared, *adapter_caches_of(model.resource, model.plan, shared))
        kept = [("PersistentVolumeClaim", shared.claim), *(("Job", one.job) for one in caches)]
        await self._sharing.leave(key, uid, [*kept, *model.still_used])
        first: Supply | None = None
        for one in caches:  # one after another: many a claim can be on one node only
            job = make_prefetch_job(model.resource, one, self._site, model.pool)
            await self._sharing.join(key, uid, [job] if claim is None else [claim, job])
            supply = await self._judge(key, self._known(key, one, claim), job)
            if supply.finding.status is not ConditionStatus.TRUE:
                return supply
            first = first or supply
        assert first is not None  # noqa: S101 - for the type checker: there is a cache
        return first

    async def _judge(self, key: Key, known: Cache, job: Manifest) -> Supply:
        """Say how the download stands; make way for another attempt when its time has come."""
        finding = judge_cache(known)
        made_of, place = job["metadata"]["annotations"][labels.APPLIED], (key.namespace, known.job)
        if finding.status is ConditionStatus.TRUE:
            self._failures.pop(place, None)
        failures = self._failures.get(place, 0)
        again_s = retry_in_s(known, made_of, failures, self._now())
        if again_s == 0.0 and known.prefetch is not None:
            self._failures[place] = failures + 1
            await self._sharing.delete(key, "Job", known.prefetch)
            return Supply(finding)
        return Supply(finding, again_s)

    def _offline(self, model: Model, shared: SharedCache) -> Finding:
        if shared.is_made:
            return judge_source(Way(model.plan.source, is_offline=True))
        told = f"The claim {shared.claim} is taken to hold {shared.source} in {shared.folder}"
        return holds(Reason.WEIGHTS_MOUNTED, f"{told}: offline, nothing is fetched.")

    def _known(self, key: Key, shared: SharedCache, claim: Manifest | None) -> Cache:
        volume = self._caches.volumes.get(key.namespace, shared.claim)
        modes = tuple(claim["spec"]["accessModes"]) if claim is not None else ()
        return Cache(
            source=shared.source,
            checkpoint_bytes=shared.checkpoint_bytes,
            claim=shared.claim,
            job=shared.job,
            is_made=shared.is_made,
            access_modes=volume.access_modes if volume is not None else modes,
            volume=volume,
            prefetch=self._caches.prefetches.get(key.namespace, shared.job),
            fetchers=self._caches.fetchers_of(key.namespace, shared.job),
            refusal=self._sharing.refusal(key),
            creation_failure=self._caches.job_failure(key.namespace, shared.job),
            asked_in=shared.asked_in,
        )
