"""The operator's life: connect, watch, stand by, lead, drain, go."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
import signal
import socket
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import aiohttp
import kopf

from qwen3_operator.cluster.applying import Writer
from qwen3_operator.cluster.caches import Caches
from qwen3_operator.cluster.children import Children
from qwen3_operator.cluster.connection import Connection, own_namespace
from qwen3_operator.cluster.devices import Hardware
from qwen3_operator.cluster.ganging import Ganging
from qwen3_operator.cluster.leasing import Lease, LeaseLostError, LeaseTimes
from qwen3_operator.cluster.requests import Api
from qwen3_operator.cluster.resources import wait_for_list
from qwen3_operator.cluster.sharing import Sharing
from qwen3_operator.cluster.supplying import Supplying
from qwen3_operator.cluster.watching import Store
from qwen3_operator.decisions.devices import with_devices
from qwen3_operator.decisions.provisioning import declared_pool, pool_of_karpenter
from qwen3_operator.decisions.scaling.ownership import scale_managers
from qwen3_operator.desired.site import Around, Hubs, Site, TemplateRules, site_for
from qwen3_operator.fetching import leaving
from qwen3_operator.handlers import edge
from qwen3_operator.handlers.health import HealthServer
from qwen3_operator.handlers.listening import Listener
from qwen3_operator.handlers.metrics import Metrics, Sources
from qwen3_operator.handlers.plans import PlanCache
from qwen3_operator.handlers.queue import WorkQueue
from qwen3_operator.handlers.scaling import make_loads, make_scaling
from qwen3_operator.handlers.workers import run_workers
from qwen3_operator.ledger import Ledger
from qwen3_operator.observed import Key
from qwen3_operator.reconcile import Reconciler, Tools
from qwen3_operator.scaling import SCALE_MANAGERS
from qwen3_operator.telemetry.fetching import fetch
from qwen3_operator.telemetry.readings import Readings
from qwen3_planner import planning
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.inventory.kubernetes import read_node

if TYPE_CHECKING:
    from collections.abc import Collection, Coroutine, Iterator, Mapping

    from qwen3_operator.handlers.queue import LoopClock
    from qwen3_operator.settings import Settings
    from qwen3_planner.catalog.rows import Catalog
    from qwen3_planner.inventory.hardware import NodeGroup

log = logging.getLogger(__name__)

DEFAULT_NAMESPACE = "default"

KOPF_EXIT_S = 5.0
"""It needs a fraction of a second; nothing is lost if it is cut short."""


class Operator:
    """One process of the operator."""

    def __init__(self, settings: Settings, connection: Connection) -> None:
        """Wire the rooms together; nothing runs yet."""
        self._settings = settings
        self._connection = connection
        self._catalog = load_catalog()
        self._api = self._make_api(connection)
        jitter = random.Random()  # noqa: S311 - spreads load, guards nothing
        self._clock = self._make_clock()
        self._queue: WorkQueue[Key] = WorkQueue(self._clock, jitter.random)
        self._ledger = Ledger(names_all_holders=settings.name_all_holders)
        self._listener = Listener(self._queue, self._ledger, self._keys, self._clock.call_later)
        self._bodies: Store[dict[str, Any]] = Store(_without_managers, self._listener.resource)
        self._caches = Caches(
            self._api,
            settings.namespaces,
            self._grouping,
            self._listener.listeners(),
            Hardware(
                partial(pool_of_karpenter, catalog=self._catalog),
                partial(with_devices, catalog=self._catalog),
            ),
        )
        for setting in settings.growing_pools:
            self._listener.growing.put(declared_pool(self._catalog, **setting.model_dump()))
        self._lease = self._make_lease()
        self._metrics = Metrics(self._sources())
        self._engines = aiohttp.ClientSession()
        self._readings = Readings(partial(fetch, self._engines), self._queue.add)
        self._loads = make_loads(settings, _now, self._queue.add)
        self._reconciler = Reconciler(self._tools())
        self._health = HealthServer(
            settings.health_host, settings.health_port, self._why_not_ready, self._metrics
        )
        self._tasks: list[asyncio.Task[Any]] = []
        self._kopf: asyncio.Task[Any] | None = None
        self._stop_kopf = asyncio.Event()
        self._warm = False

    async def run(self, stop: asyncio.Event) -> bool:
        """Work until `stop` is set or the Lease is lost; return whether it ended as asked."""
        await self._health.start()
        try:
            stopping = self._start(stop.wait(), "stop")
            chores = [self._start(self._caches.run(), "watches")]
            if not await _unless(stopping, self._start(self._warm_up(), "warm up"), chores):
                return True
            chores.append(await self._follow_resources(stop))
            if not await _unless(stopping, self._start(self._lease.acquire(), "acquire"), chores):
                return True
            return await self._lead(stopping, chores)
        finally:
            await _cancel([task for task in self._tasks if task is not self._kopf])
            await self._leave_kopf()
            await self._health.stop()
            await self._stop_reading()
            await self._connection.close()

    async def _stop_reading(self) -> None:
        """Ask neither engines nor Prometheus any more."""
        await self._readings.close()
        if self._loads is not None:
            await self._loads.close()
        await self._engines.close()

    def _make_api(self, connection: Connection) -> Api:
        """Return what answers for the API server; a rehearsal has its own."""
        settings = self._settings
        return Api(connection, timeout_s=settings.request_timeout_s, limit=settings.request_limit)

    def _make_clock(self) -> LoopClock:
        """Return what tells the time of the queue; a rehearsal has its own."""
        return asyncio.get_running_loop()

    def _start(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name=name)
        self._tasks.append(task)
        return task

    async def _follow_resources(self, stop: asyncio.Event) -> asyncio.Task[Any]:
        """Have kopf tell of the resources' events, and take the signals back from it."""
        tasks = await edge.spawn(
            self._connection, self._settings.namespaces, self._told, self._stop_kopf
        )
        _handle_signals(stop)
        ours = asyncio.all_tasks() - set(tasks)
        self._kopf = self._start(kopf.run_tasks(tasks, ignored=ours), "resource events")
        return self._kopf

    async def _leave_kopf(self) -> None:
        """Let kopf end its streams in order; cancelled, it would complain about them."""
        self._stop_kopf.set()
        if self._kopf is not None:
            await asyncio.wait([self._kopf], timeout=KOPF_EXIT_S)
            await _cancel([self._kopf])

    async def _warm_up(self) -> None:
        """Read the resources, then everything else, once."""
        for body in await wait_for_list(self._api, self._settings.namespaces):
            self._bodies.put(body)
        await self._caches.synced()
        self._warm = True
        log.info(
            "caches are warm: %d resources, %d nodes", len(self._bodies), len(self._caches.nodes)
        )

    async def _lead(self, stopping: asyncio.Task[Any], chores: list[asyncio.Task[Any]]) -> bool:
        """Reconcile while the Lease is held; then drain and give it back."""
        self._listener.leading = True
        for key in self._first_come_first():
            self._queue.add(key)
        workers = self._start(
            run_workers(
                self._queue,
                self._reconciler.reconcile,
                self._settings.workers,
                self._metrics.reconciled,
            ),
            "workers",
        )
        keeping = self._start(self._lease.keep(), "lease")
        try:
            log.info("leading; %d resources to look at", len(self._queue))
            await _unless(stopping, keeping, [*chores, workers])
        except LeaseLostError as error:
            log.error("stopping at once: %s", error)  # noqa: TRY400 - the sentence says it all
            await _cancel([workers])
            return False
        self._listener.leading = False
        self._queue.close()
        log.info("stopping: waiting for reconciles under way")
        with suppress(TimeoutError):
            await asyncio.wait_for(workers, self._settings.drain_timeout_s)
        await _cancel([keeping])
        await self._lease.release()
        return True

    def _told(self, kind: str | None, body: dict[str, Any]) -> None:
        if kind == "DELETED":
            self._bodies.drop(body)
        else:
            self._bodies.put(body)

    def _keys(self) -> Iterator[Key]:
        for body in self._bodies.values():
            yield _key(body)

    def _first_come_first(self) -> list[Key]:
        """Order the resources as the ledger does: a restart promises nothing out of turn."""

        def place(body: dict[str, Any]) -> tuple[int, str, Key]:
            priority = self._caches.priority(body["spec"].get("priorityClassName"))
            return -priority, body["metadata"]["creationTimestamp"], _key(body)

        return [_key(body) for body in sorted(self._bodies.values(), key=place)]

    def _why_not_ready(self) -> str:
        if self._warm:
            return ""
        return "; ".join(self._caches.problems) or "caches are not warm yet"

    def _grouping(
        self, raw: Mapping[str, Any]
    ) -> tuple[NodeGroup | None, str, tuple[NodeGroup, ...]]:
        reading = read_node(raw, self._catalog)
        return reading.group, reading.reason or " ".join(reading.notes), reading.slices

    def _make_lease(self) -> Lease:
        settings = self._settings
        namespace = _own_namespace(settings) or DEFAULT_NAMESPACE
        times = LeaseTimes(*settings.lease_times)
        identity = settings.identity or f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}"
        return Lease(self._api, (namespace, settings.lease_name), identity, times, _now)

    def _sources(self) -> Sources:
        ledger = self._ledger
        return Sources(
            queue=self._queue,
            bodies=self._bodies.values,
            nodes=lambda: (
                (node, ledger.free(node.name)) for node in ledger.nodes() if not node.to_come
            ),
            waiting=lambda: len(self._listener.waiting),
            is_leading=lambda: self._listener.leading,
        )

    def _tools(self) -> Tools:
        own_write = self._listener.own_write
        writer = Writer(
            self._api, is_allowed=lambda: self._lease.is_sure, identity=self._lease.identity
        )
        site = _site(self._settings, self._catalog)
        sharing = Sharing(writer, self._caches, self._queue.add)
        return Tools(
            writer=writer,
            caches=self._caches,
            supplying=Supplying(sharing, self._caches, site, self._ledger.nodes, _now),
            scaling=make_scaling(
                self._settings,
                self._api,
                writer=writer,
                ledger=self._ledger,
                loads=self._loads,
                now=_now,
            ),
            children=Children(self._api, writer, self._caches, own_write),
            ganging=Ganging(
                writer,
                self._caches,
                self._ledger,
                self._listener.held,
                _now,
                self._settings.group_limit_s,
                self._settings.near_labels,
            ),
            bodies=self._bodies,
            ledger=self._ledger,
            catalog=self._catalog,
            site=site,
            plan=PlanCache(partial(planning.plan, catalog=self._catalog), self._metrics.planned),
            now=_now,
            own_write=own_write,
            is_busy=lambda: self._queue.is_pressed,
            waiting=self._listener.waiting,
            readings=self._readings if self._settings.read_engines else None,
            settle=self._listener.capacity_changed,
        )


async def run(settings: Settings) -> bool:
    """Run the operator until SIGTERM or SIGINT; return whether it ended as asked.

    Raises:
        ClusterError: no cluster is configured.
    """
    stop = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(edge.overlook_farewell)
    _handle_signals(stop)
    connection = await Connection.open(settings.kubeconfig, settings.context)
    log.info("the API server is %s", connection.server)
    return await Operator(settings, connection).run(stop)


def _handle_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def _unless(
    stopping: asyncio.Task[Any], wanted: asyncio.Task[Any], chores: Collection[asyncio.Task[Any]]
) -> bool:
    """Wait for `wanted`; return False if the operator is to stop first.

    A chore that ends is a defect or a failure nobody can mend here: its error goes up.
    """
    everything = {stopping, wanted, *chores}
    done, _ = await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
    if stopping in done:
        if not wanted.done():
            await _cancel([wanted] if wanted.get_name() != "lease" else [])
        return False
    for task in done:
        task.result()
        if task is not wanted:
            raise RuntimeError(f"{task.get_name()} ended unexpectedly")
    return True


async def _cancel(tasks: Collection[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _site(settings: Settings, catalog: Catalog) -> Site:
    hubs = Hubs(
        hf_endpoint=settings.hf_endpoint or "",
        modelscope_endpoint=settings.modelscope_endpoint or "",
        https_proxy=settings.https_proxy or "",
        http_proxy=settings.http_proxy or "",
        no_proxy=settings.no_proxy or "",
        ca_config_map=settings.ca_config_map or "",
        is_offline=settings.offline,
    )
    around = Around(
        namespace=_own_namespace(settings) or "",
        pod_labels=settings.pod_labels,
        prometheus_namespaces=settings.prometheus_namespaces,
        pod_monitors=settings.pod_monitors,
        pod_monitor_labels=settings.pod_monitor_labels,
        gateway=settings.gateway or "",
        hostname=settings.route_hostname or "",
    )
    return replace(
        site_for(settings.images, catalog, hubs),
        around=around,
        fetch_image=settings.fetch_image,
        amd_groups=settings.amd_groups,
        allows_host_path=settings.allow_host_path,
        host_path_folders=settings.host_path_folders,
        template_rules=TemplateRules(settings.pod_template_level, settings.pod_template_accounts),
        image_registries=settings.image_registries,
        image_pull_secrets=settings.image_pull_secrets,
        leaving=inspect.getsource(leaving),
    )


def _own_namespace(settings: Settings) -> str | None:
    return settings.lease_namespace or own_namespace()


def _key(body: Mapping[str, Any]) -> Key:
    return Key(body["metadata"]["namespace"], body["metadata"]["name"])


def _without_managers(raw: dict[str, Any]) -> dict[str, Any]:
    """Leave out who owns which field, but for the number of replicas."""
    metadata = {name: value for name, value in raw["metadata"].items() if name != "managedFields"}
    managers = scale_managers(raw["metadata"].get("managedFields") or ())
    if managers:
        metadata[SCALE_MANAGERS] = managers
    return {**raw, "metadata": metadata}


def _now() -> datetime:
    return datetime.now(UTC)
