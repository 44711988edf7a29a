"""The Job that fills a shared cache: one pod after another, each with a part of the files.

Its pods need no GPU, but go to the nodes where the model will run: a volume of a zone or of a node
is made where its first user is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qwen3_operator.desired import labels
from qwen3_operator.desired.cache import SharedCache, make_shared_metadata, shared_labels
from qwen3_operator.desired.hashing import fingerprint
from qwen3_operator.desired.hub_access import (
    CA_VARIABLES,
    make_ca_mounts,
    make_ca_volumes,
    make_hub_env,
    make_token_env,
)
from qwen3_operator.desired.placement import make_placement
from qwen3_operator.desired.security import (
    make_container_security_context,
    make_pod_security_context,
)

if TYPE_CHECKING:
    from qwen3_operator.desired.pool import Pool
    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment

CONTAINER = "fetch"

VOLUME_PATH = "/cache"

ATTEMPTS = 6
"""Failed pods before the Job gives up; the pauses between them grow to minutes."""

HOPELESS = (41, 42, 43)
"""Exit codes after which another attempt would fail alike: refused, missing, full
(:mod:`qwen3_operator.fetching.problems`)."""

HUB_VARIABLES = frozenset(
    {
        "HF_ENDPOINT",
        "HF_TOKEN",
        "MODELSCOPE_API_TOKEN",
        "MODEL_ENDPOINT",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "NO_PROXY",
        "https_proxy",
        "http_proxy",
        "no_proxy",
        *CA_VARIABLES,
    }
)
"""Of ``spec.engine.env``: what says how a hub is reached."""

RESOURCES = {
    "requests": {"cpu": "500m", "memory": "512Mi"},
    "limits": {"memory": "2Gi"},
}
"""Files stream through in pieces of a MiB; the rest of the limit is the page cache's. Assumed."""


def make_prefetch_job(
    resource: Qwen3Deployment, cache: SharedCache, site: Site, pool: Pool
) -> dict[str, Any]:
    """Make the Job; the annotation tells whether a later one would do otherwise."""
    template = _template(resource, cache, site, pool)
    metadata = make_shared_metadata(resource, cache.job, cache)
    metadata["annotations"] = {labels.APPLIED: fingerprint(template["spec"]["containers"][0])}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "completionMode": "Indexed",
            "completions": cache.parts,
            "parallelism": 1,
            "backoffLimit": ATTEMPTS,
            "podFailurePolicy": {"rules": _rules()},
            "template": template,
        },
    }


def _rules() -> list[dict[str, Any]]:
    """Give up at once where nothing but the user can help; a lost node is no failure."""
    values = {"containerName": CONTAINER, "operator": "In", "values": list(HOPELESS)}
    return [
        {"action": "FailJob", "onExitCodes": values},
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
    ]


def _template(
    resource: Qwen3Deployment, cache: SharedCache, site: Site, pool: Pool
) -> dict[str, Any]:
    spec = resource.spec
    secrets = site.pull_secrets(secret.name for secret in spec.image_pull_secrets)
    claim = {"persistentVolumeClaim": {"claimName": cache.claim}}
    return {
        "metadata": {"labels": shared_labels(cache)},
        "spec": {
            "restartPolicy": "Never",
            **({"imagePullSecrets": secrets} if secrets else {}),
            **make_placement(resource, pool),
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "securityContext": make_pod_security_context(),
            "containers": [_container(resource, cache, site)],
            "volumes": [
                {"name": "cache", **claim},
                {"name": "tmp", "emptyDir": {}},
                *make_ca_volumes(cache.source, site.hubs),
            ],
        },
    }


def _container(resource: Qwen3Deployment, cache: SharedCache, site: Site) -> dict[str, Any]:
    arguments = ["fetch", cache.source, "--to", f"{VOLUME_PATH}/{cache.folder}"]
    if cache.revision:
        arguments += ["--revision", cache.revision]
    for pattern in cache.include:
        arguments += ["--include", pattern]
    if cache.link:
        arguments += ["--link", cache.link]
    if cache.encoder_link:
        arguments += ["--encoder-link", cache.encoder_link]
    arguments += ["--parts", str(cache.parts), "--message-file", "/dev/termination-log"]
    return {
        "name": CONTAINER,
        "image": site.fetch_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["qwen3-operator"],
        "args": [argument.replace("$(", "$$(") for argument in arguments],
        "env": _environment(resource, cache, site),
        "resources": RESOURCES,
        "volumeMounts": [
            {"name": "cache", "mountPath": VOLUME_PATH},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod's own
            *make_ca_mounts(cache.source, site.hubs),
        ],
        "securityContext": make_container_security_context(),
    }


def _environment(resource: Qwen3Deployment, cache: SharedCache, site: Site) -> list[dict[str, Any]]:
    """Reach the hub as the engine would: the site's way, the token, the user's own variables."""
    entries = [
        *make_hub_env(cache.source, site.hubs),
        *make_token_env(cache.source, cache.token),
        *own_hub_variables(resource),
    ]
    return list({entry["name"]: entry for entry in entries}.values())


def own_hub_variables(resource: Qwen3Deployment) -> list[dict[str, Any]]:
    """Return the user's own variables that say how a hub is reached."""
    return [
        variable.to_kubernetes()
        for variable in resource.spec.engine.env
        if variable.name in HUB_VARIABLES
    ]
