"""Weights come from a hub once; every model that wants them starts from the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.hub_server import Hub
from support.node import NODE_ADDRESS
from support.node.claims import claim_of_folder
from support.node.tiny import tiny
from support.wait import until

if TYPE_CHECKING:
    from pathlib import Path

    from support.node import Supplies
    from support.node.team import Team

pytestmark = pytest.mark.e2e

SOURCE = "hf://org/model"

CACHE = "cache"

FETCHING_SECONDS = 180.0


def test_a_cache_is_filled_once_and_two_models_start_from_it(
    team: Team, supplies: Supplies, tmp_path: Path
) -> None:
    folder = tmp_path / CACHE
    folder.mkdir()
    folder.chmod(0o777)  # pods are not root, and a folder of a node is given to nobody
    team.apply(*claim_of_folder(CACHE, team.namespace, folder, "ReadWriteMany"))
    files = {path.name: path.read_bytes() for path in (supplies.models / "dense").iterdir()}

    with Hub(files, host=NODE_ADDRESS) as hub:
        team.apply(*(from_hub(supplies, name, hub.url) for name in ("first", "second")))
        for name in ("first", "second"):
            await_cached(team, name)

    # the hub is gone, and no engine can have asked it for more
    assert sorted(hub.fetched()) == sorted(files)
    for name in ("first", "second"):
        team.await_ready(name)
        assert team.message(name, chat_template_kwargs={"enable_thinking": False})["content"]
        (pod,) = team.pods(name)
        assert pod["spec"]["containers"][0]["args"][0].startswith("/models/hf/org/model/")
        condition = team.condition_of(name, "ModelCached")
        assert (condition["status"], condition["reason"]) == ("True", "WeightsCached")
    assert len(team.names("jobs")) == 1


def from_hub(supplies: Supplies, name: str, hub: str) -> dict[str, Any]:
    """Return a resource whose weights come from a hub into the claim `cache`."""
    resource = tiny(
        supplies,
        name,
        model={"source": SOURCE},
        cache={"persistentVolumeClaim": {"claimName": CACHE}},
    )
    resource["spec"]["engine"]["env"].append({"name": "HF_ENDPOINT", "value": hub})
    return resource


def await_cached(team: Team, name: str) -> None:
    until(
        lambda: team.condition_of(name, "ModelCached").get("status") == "True",
        FETCHING_SECONDS,
        lambda: f"{team.told(name)}\n{team.kubectl('get', 'jobs,pvc', '--output=yaml')}",
        interval=1,
    )
