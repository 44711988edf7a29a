"""What the API server has, as far as it was asked for: read from the cluster, written only here."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from qwen3_operator.cluster.requests import Api
from qwen3_operator.errors import ClusterError
from qwen3_operator.kubectl.rehearsal.patching import merged, patched
from qwen3_operator.kubectl.rehearsal.selecting import Place, is_selected, place_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from qwen3_operator.cluster.requests import Request
    from qwen3_operator.cluster.watching import Selection, Store

PAGE_SIZE = 500
EVENTS = "events"
"""Plural of what is told to people; a rehearsal tells nobody."""

SELECTORS = ("labelSelector", "fieldSelector")


class World(Api):
    """Answers like the API server; every write stays here, and watches hear of it at once.

    What nobody has asked for yet is read from the cluster when somebody does.
    """

    def __init__(self, cluster: Api, started: str) -> None:
        """Prepare; `started` is the time of the rehearsal, RFC 3339."""
        self.server = cluster.server
        self.version = 0
        self._cluster = cluster
        self._started = started
        self._objects: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
        """By collection, namespace and name."""
        self._read: dict[tuple[str, str, tuple[str, ...]], None] = {}
        self._followers: list[tuple[Selection, Store[Any]]] = []

    # -- as the operator's API ----------------------------------------------------------------

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read one object, or a whole list."""
        place = place_of(path)
        if place is None:
            return await self._cluster.get(path, params)
        if place.name:
            held = self.find(*place[:3])
            return held if held is not None else await self._cluster.get(path, params)
        wanted = {name: (params or {}).get(name, "") for name in SELECTORS}
        await self._read_once(path, place, wanted)
        items = self.all(place.collection, place.namespace)
        return {
            "items": [raw for raw in items if is_selected(wanted, raw)],
            "metadata": {"resourceVersion": str(self.version)},
        }

    async def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Take a new object."""
        place = _known(path)
        name = body["metadata"].get("name") or f"{body['metadata']['generateName']}{self.version}"
        return self.put(place.collection, self._born({**body}, place.namespace, name))

    async def replace(
        self, path: str, body: Mapping[str, Any], *, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """Take an object in its new state."""
        del timeout_s
        return self.put(_known(path).collection, dict(body))

    async def apply(self, path: str, manifest: Mapping[str, Any], *, force: bool) -> dict[str, Any]:
        """Take what is applied; what others wrote of the object stays."""
        del force
        place = _known(path)
        held = self.find(*place[:3])
        if place.part or held is not None:
            return self._change(place, manifest)
        return self.put(place.collection, self._born({**manifest}, place.namespace, place.name))

    async def patch(self, path: str, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Change an object by JSON patch."""
        place = _known(path)
        raw = patched(self._held(place), operations)
        return self.put(place.collection, raw)

    async def delete(self, path: str, uid: str) -> None:
        """Forget an object."""
        del uid
        place = _known(path)
        self.remove(place.collection, self._held(place))

    async def send(self, request: Request) -> dict[str, Any]:
        """Do what a request asks for."""
        body, place = request.body, place_of(request.path)
        if request.method == "GET" or place is None:
            return await self.get(request.path, request.params)
        if place.collection.endswith(f"/{EVENTS}"):
            return {}
        if request.method == "DELETE":
            await self.delete(request.path, "")
            return {}
        if isinstance(body, list):
            return await self.patch(request.path, body)
        assert body is not None, "a write has a body"  # noqa: S101 - for the type checker
        if request.method == "POST":
            return await self.create(request.path, dict(body))  # type: ignore[arg-type]
        return await self.apply(request.path, dict(body), force=True)  # type: ignore[arg-type]

    # -- as the stage -------------------------------------------------------------------------

    def follow(self, selection: Selection, store: Store[Any]) -> None:
        """Have a store hear of every change of what it selects."""
        self._followers.append((selection, store))

    def all(self, collection: str, namespace: str = "") -> Iterator[dict[str, Any]]:
        """Go through the objects of a collection."""
        spaces = self._objects.get(collection, {})
        chosen = [spaces.get(namespace, {})] if namespace else list(spaces.values())
        return iter([raw for space in chosen for raw in space.values()])

    def find(self, collection: str, namespace: str, name: str) -> dict[str, Any] | None:
        """Return an object, if it was read or made."""
        return self._objects.get(collection, {}).get(namespace, {}).get(name)

    def put(self, collection: str, raw: dict[str, Any]) -> dict[str, Any]:
        """Take an object in a new state; one that is the same as before is no change."""
        metadata = raw["metadata"]
        held = self.find(collection, metadata.get("namespace", ""), metadata["name"])
        if held is not None and _same(held, raw):
            return held
        self.version += 1
        new = {**raw, "metadata": {**metadata, "resourceVersion": str(self.version)}}
        self._keep(collection, new)
        self._tell(collection, new)
        return new

    def remove(self, collection: str, raw: dict[str, Any]) -> None:
        """Forget an object."""
        metadata = raw["metadata"]
        space = self._objects.get(collection, {}).get(metadata.get("namespace", ""), {})
        if space.pop(metadata["name"], None) is not None:
            self.version += 1
            gone = {**raw, "metadata": {**metadata, "resourceVersion": str(self.version)}}
            self._tell(collection, gone, gone=True)

    def make(
        self, collection: str, raw: dict[str, Any], namespace: str, name: str
    ) -> dict[str, Any]:
        """Take a new object, with what the API server gives it."""
        return self.put(collection, self._born(raw, namespace, name))

    # -- inside -------------------------------------------------------------------------------

    async def _read_once(self, path: str, place: Place, wanted: Mapping[str, str]) -> None:
        """Read a collection from the cluster, page by page, unless that was done."""
        selection = tuple(wanted.values())
        whole, part = (place.collection, "", selection), (*place[:2], selection)
        if whole in self._read or part in self._read:
            return
        params = {name: value for name, value in wanted.items() if value}
        params["limit"] = str(PAGE_SIZE)
        while True:
            page = await self._cluster.get(path, params)
            for raw in page.get("items") or ():
                metadata = raw["metadata"]
                name = metadata.get("namespace", ""), metadata["name"]
                if self.find(place.collection, *name) is None:
                    self._keep(place.collection, raw)
                self.version = max(self.version, int(metadata["resourceVersion"]))
            about = page.get("metadata") or {}
            self.version = max(self.version, int(about.get("resourceVersion") or 0))
            if not about.get("continue"):
                break
            params["continue"] = about["continue"]
        self._read[part] = None

    def _keep(self, collection: str, raw: dict[str, Any]) -> None:
        metadata = raw["metadata"]
        spaces = self._objects.setdefault(collection, {})
        spaces.setdefault(metadata.get("namespace", ""), {})[metadata["name"]] = raw

    def _held(self, place: Place) -> dict[str, Any]:
        held = self.find(*place[:3])
        if held is None:
            raise ClusterError(404, "NotFound", f"{place.collection} {place.name} is not there")
        return held

    def _change(self, place: Place, manifest: Mapping[str, Any]) -> dict[str, Any]:
        held = self._held(place)
        if place.part == "scale":
            replicas = manifest["spec"]["replicas"]
            return self.put(
                place.collection, {**held, "spec": {**held["spec"], "replicas": replicas}}
            )
        if place.part:
            return self.put(place.collection, merged(held, manifest))
        kept = {name: held["metadata"][name] for name in BORN if name in held["metadata"]}
        changed = held["spec"] != manifest.get("spec") if "spec" in held else False
        generation = int(held["metadata"].get("generation", 1)) + changed
        metadata = {**manifest["metadata"], **kept, "generation": generation}
        status = {"status": held["status"]} if "status" in held else {}
        return self.put(place.collection, {**manifest, "metadata": metadata, **status})

    def _born(self, raw: dict[str, Any], namespace: str, name: str) -> dict[str, Any]:
        metadata = {
            **raw["metadata"],
            "name": name,
            "uid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.version}/{namespace}/{name}")),
            "creationTimestamp": self._started,
            "generation": 1,
        }
        if namespace:
            metadata["namespace"] = namespace
        return {**raw, "metadata": metadata}

    def _tell(self, collection: str, raw: dict[str, Any], *, gone: bool = False) -> None:
        namespace = raw["metadata"].get("namespace", "")
        for selection, store in self._followers:
            place = place_of(selection.path)
            if place is None or place.collection != collection:
                continue
            if place.namespace not in ("", namespace):
                continue
            if not gone and is_selected(selection.params, raw):
                store.put(raw)
            else:
                store.drop(raw)


BORN = ("uid", "creationTimestamp", "resourceVersion")
"""What an object has from its birth and keeps."""


def _known(path: str) -> Place:
    place = place_of(path)
    if place is None:
        raise ClusterError(404, "NotFound", f"{path} is not there")
    return place


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two states of an object differ in nothing but their version."""

    def bare(raw: Mapping[str, Any]) -> dict[str, Any]:
        metadata = {k: v for k, v in raw["metadata"].items() if k != "resourceVersion"}
        return {**raw, "metadata": metadata}

    return bare(one) == bare(other)
