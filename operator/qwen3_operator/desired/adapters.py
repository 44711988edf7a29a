"""LoRA adapters in a pod: where each comes from, what brings it there, and what looks it over.

From a hub they are fetched by init containers into a folder of the pod, or, where the weights are
cached on a claim, by a Job each into that claim. Claims with adapters are mounted as they are. One
more init container then reads every adapter's description: an engine finds out much later, and in
other words, that one does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from qwen3_operator.desired.hub_access import make_ca_mounts, make_hub_env, make_token_env
from qwen3_operator.desired.prefetch import RESOURCES, own_hub_variables
from qwen3_operator.desired.security import make_container_security_context
from qwen3_planner.engines.adapters import CLAIMS_PATH, FETCHED_PATH, GGUF_NAME, adapter_path
from qwen3_planner.engines.sources import CLAIM, cached_folder, is_on_hub, scheme_of
from qwen3_planner.request import MODEL_MOUNT_PATH, Adapter, EngineName

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from qwen3_operator.desired.site import Site
    from qwen3_planner.api.adapters import AdapterSpec
    from qwen3_planner.api.references import TokenSecretRef
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan
    from qwen3_planner.request import PlanRequest

FETCHED = "adapters"
"""Name of the volume with fetched adapters."""

CHECK = "check-adapters"
"""Name of the container that looks them over."""

FETCH = "fetch-adapter"
"""Names of the containers that fetch begin so; a number follows."""

GGUF_FILES = "*.gguf"

LAST_WORDS = "/dev/termination-log"


@dataclass(frozen=True, slots=True)
class Placed:
    """One adapter in a pod.

    Attributes:
        spec: as asked for.
        path: where the engine finds it.
        is_fetched: whether an init container brings it.
    """

    spec: AdapterSpec
    path: str
    is_fetched: bool


def question_of(request: PlanRequest) -> PlanRequest:
    """Say where this operator brings adapters from hubs to, where nothing else is said.

    Adapters that come while the engine runs are told to one API server, so to one pod.
    """
    if request.loads_adapters:
        request = replace(request, max_nodes_per_replica=1)
    return request if request.adapters_at else replace(request, adapters_at=FETCHED_PATH)


def placed_adapters(resource: Qwen3Deployment, plan: Plan) -> tuple[Placed, ...]:
    """List the adapters that pods start with; none where they come while the engine runs."""
    lora = resource.spec.lora
    if lora is None or lora.runtime_loading:
        return ()
    at = f"{MODEL_MOUNT_PATH}/" if keeps_on_claim(resource) else FETCHED_PATH
    return tuple(
        Placed(
            spec,
            adapter_path(
                Adapter(spec.name, spec.source, spec.revision), at, is_gguf=is_gguf(plan.engine)
            ),
            is_on_hub(spec.source) and not keeps_on_claim(resource),
        )
        for spec in lora.adapters
    )


def is_gguf(engine: str) -> bool:
    """Whether an engine takes adapters as single GGUF files."""
    return engine == EngineName.LLAMACPP.value


def keeps_on_claim(resource: Qwen3Deployment) -> bool:
    """Whether a claim caches what comes from hubs."""
    cache = resource.spec.cache
    return cache is not None and cache.persistent_volume_claim is not None


def token_of(resource: Qwen3Deployment, spec: AdapterSpec) -> TokenSecretRef | None:
    """Return the token for an adapter: its own, else the model's, on the same hub only."""
    model = resource.spec.model
    hub = scheme_of(model.source) if model.source else "hf"
    is_same = scheme_of(spec.source) == hub
    return spec.token_secret_ref or (model.token_secret_ref if is_same else None)


def claims_of(resource: Qwen3Deployment) -> tuple[str, ...]:
    """Name the claims that adapters lie on, each once."""
    adapters = resource.spec.lora.adapters if resource.spec.lora else ()
    on_claims = (one.source for one in adapters if scheme_of(one.source) == CLAIM)
    names = (source.partition("://")[2].partition("/")[0] for source in on_claims)
    return tuple(dict.fromkeys(names))


def make_adapter_volumes(resource: Qwen3Deployment, plan: Plan) -> list[dict[str, Any]]:
    """Make the volumes with adapters."""
    placed = placed_adapters(resource, plan)
    fetched = any(one.is_fetched for one in placed)
    claims = claims_of(resource) if placed else ()
    return [
        *([{"name": FETCHED, "emptyDir": {}}] if fetched else []),
        *(
            {
                "name": _claim_volume(index),
                "persistentVolumeClaim": {"claimName": claim, "readOnly": True},
            }
            for index, claim in enumerate(claims)
        ),
    ]


def make_adapter_mounts(resource: Qwen3Deployment, plan: Plan) -> list[dict[str, Any]]:
    """Make their mounts in whatever reads them."""
    return [
        {"name": volume["name"], "mountPath": path, "readOnly": True}
        for volume, path in _mounted(resource, plan)
    ]


def _mounted(resource: Qwen3Deployment, plan: Plan) -> Iterator[tuple[dict[str, Any], str]]:
    for volume in make_adapter_volumes(resource, plan):
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        yield volume, f"{CLAIMS_PATH}/{claim}" if claim else FETCHED_PATH.rstrip("/")


def _claim_volume(index: int) -> str:
    return f"{FETCHED}-{index}"


def make_init_containers(
    resource: Qwen3Deployment, plan: Plan, site: Site, weights: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Make the containers that bring adapters and look them over; none without adapters.

    Args:
        resource: what the user applied.
        plan: of it.
        site: of this installation.
        weights: mounts of the engine that weights are read from; cached adapters lie there, too.
    """
    placed = placed_adapters(resource, plan)
    if not placed or plan.lora is None:
        return []
    fetching = [
        _fetching(resource, plan, site, number, one)
        for number, one in enumerate(placed)
        if one.is_fetched
    ]
    return [*fetching, _checking(resource, plan, site, placed, weights)]


def _fetching(
    resource: Qwen3Deployment, plan: Plan, site: Site, number: int, one: Placed
) -> dict[str, Any]:
    spec = one.spec
    folder = f"{FETCHED_PATH}{cached_folder(spec.source, spec.revision)}"
    arguments = ["fetch", spec.source, "--to", folder]
    if spec.revision:
        arguments += ["--revision", spec.revision]
    if is_gguf(plan.engine):
        arguments += ["--include", GGUF_FILES, "--link", GGUF_NAME]
    environment = [
        *make_hub_env(spec.source, site.hubs),
        *make_token_env(spec.source, token_of(resource, spec)),
        *own_hub_variables(resource),
    ]
    container = make_tool_container(
        f"{FETCH}-{number}", site, [*arguments, "--message-file", LAST_WORDS]
    )
    container["env"] = list({entry["name"]: entry for entry in environment}.values())
    container["volumeMounts"] = [
        {"name": FETCHED, "mountPath": FETCHED_PATH.rstrip("/")},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod's own
        *make_ca_mounts(spec.source, site.hubs),
    ]
    return container


def _checking(
    resource: Qwen3Deployment,
    plan: Plan,
    site: Site,
    placed: Sequence[Placed],
    weights: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    assert plan.lora is not None  # noqa: S101 - for the type checker: there are adapters
    arguments = ["check-adapters", "--engine", plan.engine, "--max-rank", str(plan.lora.rank)]
    arguments += [f"{one.spec.name}={one.path}" for one in placed]
    container = make_tool_container(CHECK, site, [*arguments, "--message-file", LAST_WORDS])
    cached = weights if keeps_on_claim(resource) else ()
    container["volumeMounts"] = [*cached, *make_adapter_mounts(resource, plan)]
    return container


def make_tool_container(name: str, site: Site, arguments: Sequence[str]) -> dict[str, Any]:
    """Make a container that runs this project's own program beside an engine."""
    return {
        "name": name,
        "image": site.fetch_image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["qwen3-operator"],
        "args": [argument.replace("$(", "$$(") for argument in arguments],
        "resources": RESOURCES,
        "securityContext": make_container_security_context(),
    }
