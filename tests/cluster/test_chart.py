"""The chart: what it renders, and that it installs, upgrades, goes and comes back."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import pytest
import yaml

from support.apis import POD_MONITORS, SERVICE_MONITORS
from support.apis import install as install_definitions
from support.chart import CHART, HOME, INPUTS, RELEASE, ROOT, rendered, the
from support.controlplane import ControlPlane
from support.controlplane.errors import CommandError
from support.resources import resource
from support.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.controlplane import Binaries, Commands

pytestmark = pytest.mark.cluster

GENERATED = ROOT / "crds" / "serving.qwen3.dev_qwen3deployments.yaml"
UPDATE = "pytest -m cluster tests/golden tests/cluster/test_chart.py --update-golden"

ACCOUNT = f"system:serviceaccount:{HOME}:q3-qwen3-operator"
CRD = "qwen3deployments.serving.qwen3.dev"


@pytest.fixture(scope="module")
def cluster(control_plane_binaries: Binaries) -> Iterator[ControlPlane]:
    """A control plane of its own: here the chart owns the CRD, and nobody else's operator runs."""
    with ControlPlane(control_plane_binaries) as running:
        running.kubectl("create", "namespace", HOME)
        level = "pod-security.kubernetes.io/enforce=restricted"
        running.kubectl("label", "namespace", HOME, level)
        yield running


@pytest.fixture(scope="module")
def installed(cluster: ControlPlane) -> ControlPlane:
    """The chart with its defaults."""
    install(cluster)
    return cluster


def install(cluster: ControlPlane, *options: str) -> None:
    cluster.helm("upgrade", "--install", RELEASE, CHART, f"--namespace={HOME}", *options)


def test_the_chart_is_lint_free(helm: Commands) -> None:
    helm.helm("lint", "--strict", CHART)


@pytest.mark.parametrize("values", INPUTS, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_the_chart_renders_what_it_rendered(
    helm: Commands, values: Path, request: pytest.FixtureRequest
) -> None:
    text = helm.helm("template", RELEASE, CHART, f"--namespace={HOME}", "--values", values)
    approved = values.with_name(values.name.replace(".in.", ".out."))

    if request.config.getoption("--update-golden", default=False):
        approved.write_text(text, "utf-8")

    assert approved.is_file(), UPDATE
    assert text == approved.read_text("utf-8"), f"if that is meant: {UPDATE}"


def test_the_dashboards_come_as_they_lie_in_the_chart(helm: Commands) -> None:
    documents = rendered(helm, "--set", "monitoring.dashboards.enabled=true")
    shipped = {path.name: path.read_text("utf-8") for path in CHART.glob("dashboards/*.json")}

    (config,) = [one for one in documents if one["metadata"]["name"].endswith("-dashboards")]

    assert len(shipped) == 2
    assert {name: json.loads(text) for name, text in config["data"].items()} == {
        name: json.loads(text) for name, text in shipped.items()
    }
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert not [one for one in rendered(helm) if one["metadata"]["name"].endswith("-dashboards")]


def test_the_definition_in_the_chart_is_the_generated_one_and_kept(helm: Commands) -> None:
    definition = the(rendered(helm), "CustomResourceDefinition")
    generated = yaml.safe_load(GENERATED.read_text("utf-8"))

    assert definition["spec"] == generated["spec"]
    assert definition["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


@pytest.mark.parametrize(
    ("option", "said"),
    [
        pytest.param("replica=2", "'replica' not allowed", id="misspelt"),
        pytest.param("operator.logLevel=LOUD", "/operator/logLevel", id="no such choice"),
        pytest.param("operator.workers=0", "/operator/workers", id="too small"),
        pytest.param("watchNamespaces={A_B}", "/watchNamespaces/0", id="no namespace"),
        pytest.param(
            "monitoring.podMonitor.interval=often", "/monitoring/podMonitor/interval", id="no time"
        ),
        pytest.param(
            "global.imageRegistry=https://mirror.example.com", "/global/imageRegistry", id="a URL"
        ),
        pytest.param(
            "operator.hubs.httpsProxy=http://me:secret@proxy.example.com",
            "/operator/hubs/httpsProxy",
            id="a password for a ConfigMap",
        ),
        pytest.param(
            "operator.prometheus.proxy=http://me:secret@proxy.example.com",
            "/operator/prometheus/proxy",
            id="another one",
        ),
        pytest.param("image.digest=sha256:12", "/image/digest", id="no digest"),
        pytest.param(
            "serviceAccount.create=false", "serviceAccount.name is needed", id="no account"
        ),
    ],
)
def test_a_wrong_value_is_refused_by_name(helm: Commands, option: str, said: str) -> None:
    with pytest.raises(CommandError) as caught:
        rendered(helm, "--set", option)

    assert said in caught.value.stderr


def test_every_value_has_a_rule_and_every_rule_a_value() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))

    assert set(schema["properties"]) == set(values)
    for name, rule in schema["properties"].items():
        if name in values and rule.get("additionalProperties") is False:
            assert set(rule["properties"]) == set(values[name]), name
            assert set(rule["required"]) == set(values[name]), name
            assert name in schema["required"]


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        pytest.param("podDisruptionBudget", "missing property 'podDisruptionBudget'", id="a part"),
        pytest.param("operator.hubs", "'/operator': missing property 'hubs'", id="one of its own"),
    ],
)
def test_values_of_an_older_chart_are_told_what_they_lack(
    helm: Commands, lacking: str, said: str
) -> None:
    """As `--reuse-values` gives them; null takes a value away."""
    with pytest.raises(CommandError) as caught:
        rendered(helm, "--set", f"{lacking}=null")

    assert said in caught.value.stderr


@pytest.mark.parametrize("kind", ["PodMonitor", "ServiceMonitor"])
def test_the_prometheus_operators_own_definitions_take_the_monitors(
    installed: ControlPlane, kind: str
) -> None:
    install_definitions(installed, POD_MONITORS, SERVICE_MONITORS)
    value = f"monitoring.{kind[0].lower()}{kind[1:]}.enabled=true"
    try:
        install(installed, "--set", value)
        found = installed.kubectl_json("get", kind.lower(), f"--namespace={HOME}")["items"]
    finally:
        install(installed, "--reset-values")
    monitor = the(rendered(installed.commands(), "--set", value), kind)

    assert [one["metadata"]["name"] for one in found] == ["q3-qwen3-operator"]
    assert found[0]["spec"] == monitor["spec"], "the API server dropped a field"


def test_its_pod_is_admitted_under_pod_security_restricted(installed: ControlPlane) -> None:
    pods = until(
        lambda: installed.kubectl_json("get", "pods", f"--namespace={HOME}")["items"],
        30,
        "no pod was created",
    )

    assert pods[0]["spec"]["serviceAccountName"] == "q3-qwen3-operator"


def may(cluster: ControlPlane, account: str, verb: str, what: str, where: str) -> bool:
    """Ask the API server; `what` is kind, kind/subresource or kind:name."""
    kind, _, subresource = what.partition("/")
    options = [f"--as={account}", where]
    if subresource:
        options.append(f"--subresource={subresource}")
    try:
        answer = cluster.kubectl("auth", "can-i", verb, kind.replace(":", "/"), *options)
    except CommandError as error:
        if error.stdout.strip() != "no":
            raise
        return False
    return answer.strip() == "yes"


ALL = "--all-namespaces"
NEEDS = (
    *(("list", kind) for kind in ("nodes", "pods", "resourcequotas", "qwen3deployments")),
    *(("watch", kind) for kind in ("nodes", "pods", "priorityclasses", "deployments.apps")),
    *((verb, "services") for verb in ("list", "watch", "create", "patch", "delete")),
    *((verb, "deployments.apps") for verb in ("list", "create", "patch", "delete")),
    *((verb, "pods") for verb in ("patch", "delete")),  # gates of groups; groups bound in part
    ("patch", "qwen3deployments/status"),
    ("update", "qwen3deployments/finalizers"),
    ("create", "events.events.k8s.io"),
)
MUST_NOT = (
    *((verb, "secrets") for verb in ("get", "list", "watch", "create")),
    *((verb, "pods") for verb in ("create", "update")),
    *((verb, "qwen3deployments") for verb in ("create", "update", "patch", "delete")),
    *((verb, "nodes") for verb in ("get", "patch", "update", "delete")),
    ("get", "configmaps"),
    ("create", "pods/exec"),
    ("get", "pods/log"),
    ("create", "serviceaccounts/token"),
    ("create", "rolebindings"),
    ("list", "leases.coordination.k8s.io"),
)


@pytest.mark.parametrize(("verb", "what"), NEEDS)
def test_the_operator_may_do_its_work(installed: ControlPlane, verb: str, what: str) -> None:
    assert may(installed, ACCOUNT, verb, what, ALL)


@pytest.mark.parametrize(("verb", "what"), MUST_NOT)
def test_the_operator_may_do_nothing_else(installed: ControlPlane, verb: str, what: str) -> None:
    assert not may(installed, ACCOUNT, verb, what, "--namespace=default")


def test_the_lease_is_its_own_and_no_other(installed: ControlPlane) -> None:
    home = f"--namespace={HOME}"

    assert may(installed, ACCOUNT, "create", "leases.coordination.k8s.io", home)
    assert may(installed, ACCOUNT, "update", "leases.coordination.k8s.io:q3-qwen3-operator", home)
    assert not may(installed, ACCOUNT, "update", "leases.coordination.k8s.io:other", home)
    assert not may(
        installed, ACCOUNT, "create", "leases.coordination.k8s.io", "--namespace=default"
    )


def test_who_edits_a_namespace_edits_its_models(installed: ControlPlane) -> None:
    where = "--namespace=default"
    for role in ("edit", "view"):
        installed.kubectl("create", "rolebinding", role, f"--clusterrole={role}", f"--user={role}")

    for role in ("edit", "view"):  # the controller that joins the roles takes a moment
        until(
            partial(may, installed, role, "get", "qwen3deployments", where),
            30,
            f"the role {role} does not include the models",
        )
    for verb, what in (("create", "qwen3deployments"), ("patch", "qwen3deployments/scale")):
        assert may(installed, "edit", verb, what, where)
        assert not may(installed, "view", verb, what, where)
    assert not may(installed, "edit", "patch", "qwen3deployments/status", where)


def test_named_namespaces_are_all_it_may_write_to(cluster: ControlPlane) -> None:
    for name in ("team-a", "team-b"):
        cluster.kubectl("create", "namespace", name)
    try:
        install(cluster, "--set", "watchNamespaces={team-a}")

        assert may(cluster, ACCOUNT, "patch", "deployments.apps", "--namespace=team-a")
        assert may(cluster, ACCOUNT, "list", "resourcequotas", "--namespace=team-a")
        assert may(cluster, ACCOUNT, "list", "nodes", ALL)
        assert may(cluster, ACCOUNT, "list", "pods", ALL)
        for verb, what in (
            ("patch", "deployments.apps"),
            ("delete", "pods"),
            ("patch", "pods"),
            ("list", "qwen3deployments"),
        ):
            assert not may(cluster, ACCOUNT, verb, what, "--namespace=team-b")
            assert not may(cluster, ACCOUNT, verb, what, ALL)
    finally:
        install(cluster, "--reset-values")


def test_models_outlive_the_chart_and_a_new_release_takes_them_over(
    installed: ControlPlane,
) -> None:
    installed.kubectl("apply", "-f", "-", input=json.dumps(resource(name="kept")))

    installed.helm("uninstall", RELEASE, f"--namespace={HOME}", "--wait")

    assert installed.kubectl("get", "q3d", "kept", "-o", "name")
    install(installed)
    assert installed.kubectl("get", "q3d", "kept", "-o", "name")
    labels = installed.kubectl_json("get", "crd", CRD)["metadata"]["labels"]
    assert labels["app.kubernetes.io/managed-by"] == "Helm"


POLICY = "validatingadmissionpolicy.admissionregistration.k8s.io"


def test_uninstalling_leaves_nothing_of_the_release_but_the_definition(
    installed: ControlPlane,
) -> None:
    off = ("policy", "networkPolicy", "monitoring.dashboards", "monitoring.service")
    more = ",".join((*(f"{part}.enabled=true" for part in off), "replicas=2"))
    install(installed, "--set", f"{more},policy.requirePinnedRevisions=true")
    kinds = {name.partition("/")[0] for name in of_the_release(installed)}
    assert POLICY in kinds, "parts that are off by default are there"
    assert "poddisruptionbudget.policy" in kinds

    installed.helm("uninstall", RELEASE, f"--namespace={HOME}", "--wait")

    left = until(
        lambda: (found := of_the_release(installed)) and len(found) == 1 and found,
        60,
        lambda: f"left: {of_the_release(installed)}",
    )
    assert left == [f"customresourcedefinition.apiextensions.k8s.io/{CRD}"]
    install(installed, "--reset-values")


def of_the_release(cluster: ControlPlane) -> list[str]:
    """Name every object of any kind that carries the release's labels, cluster-wide."""
    kinds = cluster.kubectl("api-resources", "--verbs=list", "--output=name").split()
    listed = cluster.kubectl(
        "get",
        ",".join(kind for kind in kinds if not kind.startswith("events")),
        f"--selector=app.kubernetes.io/instance={RELEASE}",
        "--all-namespaces",
        "--output=name",
    )
    return listed.split()


def test_an_upgrade_brings_the_definition_up_to_date(installed: ControlPlane) -> None:
    column = {"op": "remove", "path": "/spec/versions/0/additionalPrinterColumns/0"}
    installed.kubectl("patch", "crd", CRD, "--type=json", "--patch", json.dumps([column]))
    assert len(columns(installed)) == 11

    install(installed, "--force-conflicts")

    assert columns(installed)[0] == "Model"
    assert len(columns(installed)) == 12


def columns(cluster: ControlPlane) -> list[str]:
    version = cluster.kubectl_json("get", "crd", CRD)["spec"]["versions"][0]
    return [column["name"] for column in version["additionalPrinterColumns"]]
