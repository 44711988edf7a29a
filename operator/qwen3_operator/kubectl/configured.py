"""How the operator of a cluster is set up: from the environment of its Deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.errors import ClusterError
from qwen3_operator.setting_text import ENVIRONMENT_PREFIX
from qwen3_operator.settings import Settings, load
from qwen3_planner.errors import SpecError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qwen3_operator.cluster.requests import Api

DEPLOYMENTS = "/apis/apps/v1/deployments"
PART, COMPONENT = "app.kubernetes.io/part-of", "app.kubernetes.io/component"
OURS = {"labelSelector": f"{PART}=qwen3-operator,{COMPONENT}=operator"}
"""What the chart writes on the operator's own Deployment."""

OUT_OF_REACH = frozenset({"PROMETHEUS_URL", "CONFIG", "KUBECONFIG", "CONTEXT", "IDENTITY"})
"""Settings about places that are not where this program runs."""

REFUSED = frozenset({401, 403, 404})


async def settings_of(api: Api) -> tuple[Settings, str]:
    """Return the settings of the cluster's operator, and what is to be said of them.

    Where they cannot be seen the defaults are taken, which the sentence says.

    Raises:
        ClusterError: the cluster does not answer.
    """
    try:
        found = (await api.get(DEPLOYMENTS, OURS))["items"]
    except ClusterError as error:
        if error.status not in REFUSED:
            raise
        return _defaults(), "You may not see how the operator is set up: its defaults are taken."
    if not found:
        return _defaults(), "No operator was found in the cluster: its defaults are taken."
    name = "{namespace}/{name}".format_map(found[0]["metadata"])
    environment = {**_environment(found[0]), f"{ENVIRONMENT_PREFIX}READ_ENGINES": "false"}
    try:
        return load(None, environment, {}), f"Set up as the operator {name} is."
    except SpecError as error:
        told = f"The operator {name} is set up in a way that is not known here ({error.field})"
        return _defaults(), f"{told}: defaults are taken."


def _defaults() -> Settings:
    return Settings(read_engines=False)


def _environment(deployment: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables with a plain value that are settings."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    given = {e["name"]: e["value"] for c in containers for e in c.get("env") or () if "value" in e}
    ignored = {f"{ENVIRONMENT_PREFIX}{name}" for name in OUT_OF_REACH}
    return {
        name: value
        for name, value in given.items()
        if name.startswith(ENVIRONMENT_PREFIX) and name not in ignored
    }
