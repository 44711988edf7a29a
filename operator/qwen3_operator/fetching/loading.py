"""``qwen3-operator load-adapters``: keep the adapters of a running engine as a list says.

It runs beside the engine and reaches it over localhost alone, with the API key in its own
environment. The list is a file that Kubernetes keeps up to date.
"""

from __future__ import annotations

import json
import logging
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qwen3_operator.fetching.checking import check_adapters
from qwen3_operator.fetching.hubs import Repository
from qwen3_operator.fetching.problems import FetchError
from qwen3_operator.fetching.program import Order, fetch
from qwen3_planner.engines.sources import cached_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

API_KEY = "QWEN3_API_KEY"
"""Variable with the engine's API key."""

PAUSE_S = 2.0
"""Between two looks; a ConfigMap takes up to a minute to reach a pod."""

TIMEOUT_S = 300.0
"""For one call: an engine that is busy loads an adapter between two steps."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One adapter of the list.

    Attributes:
        name: by which clients ask for it.
        source: URL on a hub.
        revision: of it; empty: the hub's default.
    """

    name: str
    source: str
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """What the sidecar is told.

    Attributes:
        engine: URL of the engine, on localhost.
        listed: file with the list.
        folder: adapters are brought to.
        max_rank: that a slot holds.
        ready: file that exists while the engine serves all of the list.
    """

    engine: str
    listed: Path
    folder: Path
    max_rank: int
    ready: Path


def steps(
    wanted: Mapping[str, str], loaded: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which adapters are to be unloaded, and which are to be loaded then.

    >>> steps({"a": "/1", "b": "/2"}, {"b": "/old", "c": "/3"})
    (('b', 'c'), ('a', 'b'))

    Args:
        wanted: path by name.
        loaded: the same, of the engine.
    """
    stale = [name for name, path in loaded.items() if wanted.get(name) != path]
    missing = [name for name, path in wanted.items() if loaded.get(name) != path]
    return tuple(stale), tuple(missing)


def keep(task: Task, environment: Mapping[str, str]) -> None:
    """Keep the engine's adapters as the list says; never returns."""
    while True:
        _look(task, environment)
        time.sleep(PAUSE_S)


def _look(task: Task, environment: Mapping[str, str]) -> None:
    """Bring the engine in line once; what fails is told and tried again."""
    try:
        bring_in_line(task, environment)
    except (FetchError, OSError, ValueError) as error:
        task.ready.unlink(missing_ok=True)
        log.warning("%s", error)
    else:
        task.ready.touch()


def bring_in_line(task: Task, environment: Mapping[str, str]) -> None:
    """Unload what is no longer wanted, and load what is.

    Raises:
        FetchError: an adapter cannot be brought, or does not fit its slot.
        OSError: the engine does not answer, or refuses.
        ValueError: the list cannot be read.
    """
    wanted = read_list(task.listed)
    places = {one.name: task.folder / cached_folder(one.source, one.revision) for one in wanted}
    engine = _Engine(task.engine, environment.get(API_KEY, ""))
    paths = {name: str(place) for name, place in places.items()}
    stale, missing = steps(paths, engine.adapters())
    for name in stale:
        engine.tell("unload_lora_adapter", {"lora_name": name})
        log.info("unloaded %s", name)
    for one in (one for one in wanted if one.name in missing):
        hub, _, repository = one.source.partition("://")
        place = places[one.name]
        fetch(Order(Repository(hub, repository, one.revision), place), environment)
        check_adapters({one.name: place}, "vllm", task.max_rank)
        engine.tell("load_lora_adapter", {"lora_name": one.name, "lora_path": str(place)})
        log.info("loaded %s from %s", one.name, one.source)


def read_list(path: Path) -> Sequence[Wanted]:
    """Read the list of adapters.

    Raises:
        OSError, ValueError: there is none that can be read.
    """
    return [
        Wanted(one["name"], one["source"], one.get("revision", ""))
        for one in json.loads(path.read_text(encoding="utf-8"))
    ]


@dataclass(frozen=True, slots=True)
class _Engine:
    """vLLM's server, as this container reaches it."""

    url: str
    api_key: str

    def adapters(self) -> dict[str, str]:
        """Return the paths of the adapters that are loaded, by name."""
        models: list[dict[str, Any]] = self._ask("models", None)["data"]
        return {one["id"]: str(one.get("root")) for one in models if one.get("parent")}

    def tell(self, what: str, about: Mapping[str, str]) -> None:
        """Have an adapter loaded or unloaded."""
        self._ask(what, about)

    def _ask(self, path: str, body: Mapping[str, str] | None) -> Any:  # noqa: ANN401 - JSON
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        request = urllib.request.Request(f"{self.url}/v1/{path}", data, headers)  # noqa: S310 - localhost
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=TIMEOUT_S) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:300]
            raise OSError(f"{path}: the engine answered {error.code}: {said}") from None
        return json.loads(text) if body is None else text
