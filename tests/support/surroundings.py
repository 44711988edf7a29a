"""What stands around a model, made of a few fields; the engine is the default plan's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qwen3_operator.desired.groups import Form
from qwen3_operator.desired.site import Around, site_for
from qwen3_operator.desired.surroundings import NOT_INSTALLED, make_surroundings
from qwen3_planner.api.conversion import parse
from qwen3_planner.catalog.loading import load_catalog
from support.plan_builders import make_plan

if TYPE_CHECKING:
    from qwen3_operator.desired.site import Site
    from qwen3_operator.desired.surroundings import Surroundings
    from qwen3_planner.plan import Plan

OPERATOR = {"app.kubernetes.io/name": "qwen3-operator"}
SITE = replace(
    site_for({}, load_catalog()),
    around=Around("qwen3-system", OPERATOR, prometheus_namespaces=("monitoring",)),
)
CHAT = {"podSelector": {"matchLabels": {"app": "chat"}}}


def around(
    site: Site = SITE,
    plan: Plan | None = None,
    lacking: tuple[str, ...] = (),
    form: Form = Form.STATEFUL_SETS,
    **spec: object,
) -> Surroundings:
    """Make what stands around a model called m in the namespace ns; `spec` adds fields."""
    resource = parse(
        {
            "apiVersion": "serving.qwen3.dev/v1alpha1",
            "kind": "Qwen3Deployment",
            "metadata": {"name": "m", "namespace": "ns", "uid": "u"},
            "spec": {"model": {"variant": "Qwen3-32B"}, **spec},
        }
    )
    hindrance = dict.fromkeys(lacking, NOT_INSTALLED)
    return make_surroundings(
        resource, plan or make_plan(), site, lambda kind: hindrance.get(kind, ""), form
    )


def one(surroundings: Surroundings, kind: str) -> dict[str, Any]:
    """Return the one child of a kind."""
    (found,) = (dict(child) for child in surroundings.children if child["kind"] == kind)
    return found
