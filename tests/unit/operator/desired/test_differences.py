"""A quiet cluster shows no difference, and drift in any field of ours is seen."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.desired.differences import differs
from support.children import children_of_everything

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOYMENT, SERVICE, *_ = (json.loads(json.dumps(child)) for child in children_of_everything())


def live(child: dict[str, Any]) -> dict[str, Any]:
    """Write a child as the API server gives it back: with defaults, amounts and empties its way."""
    seen = copy.deepcopy(child)
    seen["metadata"] |= {"uid": "u", "resourceVersion": "7", "generation": 2}
    seen["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "1"
    if child["kind"] == "Service":
        seen["spec"] |= {"clusterIP": "10.0.0.1", "sessionAffinity": "None"}
        seen["spec"]["ports"][0]["nodePort"] = 30080
        return seen
    template = seen["spec"]["template"]
    template["metadata"]["creationTimestamp"] = None
    template["spec"] |= {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst"}
    container = template["spec"]["containers"][0]
    container["resources"]["requests"] |= {"cpu": "6", "memory": "40960Mi"}
    container["resources"]["limits"] |= {"cpu": "12", "memory": "51539607552"}
    container["terminationMessagePath"] = "/dev/termination-log"
    container["startupProbe"]["successThreshold"] = 1
    container["startupProbe"]["httpGet"]["scheme"] = "HTTP"
    container["env"] = [_without_empty(variable) for variable in container["env"]]
    next(v for v in template["spec"]["volumes"] if v["name"] == "shm")["emptyDir"]["sizeLimit"] = (
        "2Gi"
    )
    return seen


def _without_empty(variable: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in variable.items() if value != ""}


@pytest.mark.parametrize("child", [DEPLOYMENT, SERVICE], ids=["Deployment", "Service"])
def test_what_the_api_server_adds_or_rewrites_is_no_difference(child: dict[str, Any]) -> None:
    assert not differs(child, live(child))


def leaves(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from leaves(inner, (*path, number))
    else:
        yield path


def drifted(value: object) -> object:
    """Return something else of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return "77" if value[:1].isdigit() else f"{value}x"
    return {"changed": "x"} if isinstance(value, dict) else ["changed"]


OURS = [
    pytest.param(child, path, id=f"{child['kind']}.{'.'.join(map(str, path))}")
    for child in (DEPLOYMENT, SERVICE)
    for path in leaves({n: v for n, v in child.items() if n not in ("apiVersion", "kind")})
]


@pytest.mark.parametrize(("child", "path"), OURS)
def test_drift_in_every_field_is_seen(child: dict[str, Any], path: tuple[Any, ...]) -> None:
    seen = live(child)
    holder: Any = seen
    wanted: Any = child
    for step in path[:-1]:
        holder, wanted = holder[step], wanted[step]
    holder[path[-1]] = drifted(wanted[path[-1]])

    assert differs(child, seen)


@pytest.mark.parametrize(("child", "path"), OURS)
def test_a_field_that_is_gone_is_seen(child: dict[str, Any], path: tuple[Any, ...]) -> None:
    seen = live(child)
    holder: Any = seen
    for step in path[:-1]:
        holder = holder[step]
    gone = holder.pop(path[-1]) if path[-1] in holder or isinstance(path[-1], int) else ""

    assert differs(child, seen) is (gone != "")


CONTAINER = ("spec", "template", "spec", "containers", 0)


def at(seen: Any, *path: Any) -> Any:  # noqa: ANN401 - any part of an object
    for step in path:
        seen = seen[step]
    return seen


def test_entries_that_others_own_are_no_difference() -> None:
    seen = live(DEPLOYMENT)
    at(seen, *CONTAINER, "env").insert(0, {"name": "INJECTED", "value": "1"})
    at(seen, *CONTAINER, "volumeMounts").append({"name": "x", "mountPath": "/x"})
    at(seen, "spec", "template", "spec", "containers").insert(0, {"name": "sidecar", "image": "s"})
    at(seen, "spec", "template", "spec", "volumes").append({"name": "x", "emptyDir": {}})

    assert not differs(DEPLOYMENT, seen)


@pytest.mark.parametrize(
    "path",
    [
        (*CONTAINER, "args"),
        (*CONTAINER, "command"),
        (*CONTAINER, "securityContext", "capabilities", "drop"),
        ("spec", "template", "spec", "tolerations"),
    ],
    ids=lambda path: str(path[-1]),
)
def test_lists_that_are_ours_as_a_whole_may_not_grow(path: tuple[Any, ...]) -> None:
    seen = live(DEPLOYMENT)
    entries = at(seen, *path)
    entries.append(entries[0])

    assert differs(DEPLOYMENT, seen)


def test_the_order_of_variables_does_not_matter() -> None:
    seen = live(DEPLOYMENT)
    at(seen, *CONTAINER, "env").reverse()

    assert not differs(DEPLOYMENT, seen)


def test_the_order_of_arguments_does() -> None:
    seen = live(DEPLOYMENT)
    at(seen, *CONTAINER, "args").reverse()

    assert differs(DEPLOYMENT, seen)


def test_a_volume_of_another_kind_is_seen() -> None:
    seen = live(DEPLOYMENT)
    home = next(v for v in at(seen, "spec", "template", "spec", "volumes") if v["name"] == "home")
    del home["emptyDir"]
    home["hostPath"] = {"path": "/"}

    assert differs(DEPLOYMENT, seen)


def test_what_we_no_longer_want_is_seen_by_the_fingerprint() -> None:
    before, after = copy.deepcopy(SERVICE), copy.deepcopy(SERVICE)
    before["metadata"]["annotations"]["example.com/dropped"] = "yes"
    before["metadata"]["annotations"]["serving.qwen3.dev/applied"] = "of-before"

    assert differs(after, live(before))


def test_a_port_as_text_is_the_port() -> None:
    wanted = {"spec": {"ports": [{"port": 80, "targetPort": 8000}]}}

    assert not differs(wanted, {"spec": {"ports": [{"port": 80, "targetPort": "8000"}]}})
    assert differs(wanted, {"spec": {"ports": [{"port": 80, "targetPort": "http"}]}})
    assert differs(wanted, {"spec": {"ports": [{"port": 80, "protocol": "UDP"}]}})
