"""How clients leave a replica that ends: which engines are asked, for how long, and with what."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator import desired
from qwen3_operator.desired.pool import Pool
from qwen3_operator.desired.shutdown import drain_s, grace_period_s, make_pre_stop
from qwen3_operator.desired.site import site_for
from qwen3_planner.api.conversion import parse
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.plan import Layout
from support.plan_builders import make_plan

if TYPE_CHECKING:
    from qwen3_operator.desired.site import Site
    from qwen3_planner.plan import Plan

POOL = Pool(
    "H100-SXM-80GB", "nvidia.com/gpu", (("nvidia.com/gpu.product", "In", ("NVIDIA-H100",)),)
)
SITE = replace(site_for({}, load_catalog()), leaving="# the code\n")
WITHOUT = site_for({}, load_catalog())

SGLANG = make_plan(engine="sglang", engine_version="0.5.23")
OVER_NODES = make_plan(layout=Layout(tensor=8, pipeline=2, nodes_per_replica=2))


def times(hook: dict[str, Any]) -> str:
    return str(hook["httpGet"]["path"]).partition("?")[2]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param([], "at-least=5&at-most=65", id="our own time"),
        pytest.param(["--shutdown-timeout", "300"], "at-least=5&at-most=305", id="a longer time"),
        pytest.param(["--shutdown-timeout=0"], "at-least=5&at-most=5", id="no time"),
    ],
)
@pytest.mark.parametrize("version", ["0.18.0", "0.32.0"])
def test_clients_have_the_time_that_the_engine_is_given(
    arguments: list[str], expected: str, version: str
) -> None:
    plan = make_plan(engine_version=version)

    assert times(make_pre_stop(plan, SITE, arguments)) == expected
    at_most_s = 5 + drain_s(plan, arguments)
    assert grace_period_s(plan, arguments) > at_most_s


def test_an_engine_without_a_drain_of_its_own_has_ours() -> None:
    plan = make_plan(engine_version="0.11.0")

    assert times(make_pre_stop(plan, SITE, [])) == "at-least=5&at-most=65"
    assert grace_period_s(plan, []) > 65


@pytest.mark.parametrize(
    ("plan", "site"),
    [
        pytest.param(SGLANG, SITE, id="an engine that takes no code"),
        pytest.param(OVER_NODES, SITE, id="ranks that have no server"),
        pytest.param(make_plan(), WITHOUT, id="an installation without the code"),
    ],
)
def test_others_pause_and_are_left_as_they_are(plan: Plan, site: Site) -> None:
    assert list(make_pre_stop(plan, site, [])) == ["sleep"]
    made = desired.children(resource(), plan, site, 1, POOL)
    assert "ConfigMap" not in {child["kind"] for child in made}
    assert "qwen3_leaving" not in str(made)


def test_the_code_comes_with_the_pod_and_is_found_before_the_users() -> None:
    engine = {"env": [{"name": "PYTHONPATH", "value": "/mine"}]}
    made = desired.children(resource(engine=engine), make_plan(), SITE, 1, POOL)

    (code,) = (child for child in made if child["kind"] == "ConfigMap")
    assert code["data"] == {"qwen3_leaving.py": SITE.leaving}
    pod = made[0]["spec"]["template"]["spec"]
    (volume,) = (one for one in pod["volumes"] if "configMap" in one)
    assert volume["configMap"]["name"] == code["metadata"]["name"]
    container = pod["containers"][0]
    (mount,) = (one for one in container["volumeMounts"] if one["name"] == volume["name"])
    (path,) = (one["value"] for one in container["env"] if one["name"] == "PYTHONPATH")
    assert path == f"{mount['mountPath']}:/mine"
    words = container["args"]
    assert words[words.index("--middleware") + 1] == "qwen3_leaving.Leaving"


def resource(**spec: object) -> Any:  # noqa: ANN401 - the API's own model
    return parse(
        {
            "apiVersion": "serving.qwen3.dev/v1alpha1",
            "kind": "Qwen3Deployment",
            "metadata": {"name": "m", "namespace": "ns", "uid": "u"},
            "spec": {"model": {"variant": "Qwen3-32B"}, **spec},
        }
    )
