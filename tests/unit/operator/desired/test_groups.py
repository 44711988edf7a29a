"""What runs replicas over several nodes."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_operator import desired
from qwen3_operator.decisions.admission import demand_of
from qwen3_operator.decisions.workloads import is_workload, workload_of
from qwen3_operator.desired.groups import Form
from qwen3_operator.desired.names import groups, other_ranks
from qwen3_planner.request import MultiNode
from support.children import GOLDEN, children_of, read_case, templates_of

CASES = {
    Form.STATEFUL_SETS: "groups-as-stateful-sets",
    Form.LEADER_WORKER_SET: "groups-as-a-leader-worker-set",
}


def case_of(name: str, **spec: object) -> dict[str, Any]:
    case = read_case(GOLDEN / f"{name}.in.yaml")
    case["resource"]["spec"] |= spec
    return case


def hash_in(template: dict[str, Any]) -> str:
    return str(template["metadata"]["labels"]["serving.qwen3.dev/plan-hash"])


@pytest.mark.parametrize("form", Form)
def test_all_ranks_of_all_replicas_have_one_hash(form: Form) -> None:
    case = case_of(CASES[form])
    case["replicas"] = 2

    hashes = {hash_in(template) for template in templates_of(children_of(case))}

    assert len(hashes) == 1


@pytest.mark.parametrize("form", Form)
def test_the_hash_changes_with_what_only_one_kind_of_rank_has(form: Form) -> None:
    def hashed(**spec: object) -> str:
        return hash_in(next(templates_of(children_of(case_of(CASES[form], **spec)))))

    assert hashed() == hashed()
    assert hashed() != hashed(apiKeySecretRef={"name": "keys", "key": "k"})


@pytest.mark.parametrize("form", Form)
def test_the_first_child_counts_the_replicas_for_the_ledger(form: Form) -> None:
    children = children_of(case_of(CASES[form]))

    demand = demand_of(children[0])

    assert (demand.replicas, demand.group_size, demand.pods) == (1, 2, 2)
    assert [child for child in children if is_workload(child)] == [children[0]]
    by_name = {(child["kind"], child["metadata"]["name"]): child for child in children}
    assert workload_of(by_name) is children[0]
    assert dict(demand.per_pod.gpus) == {"nvidia.com/gpu": 8}


def test_every_replica_has_its_own_other_ranks() -> None:
    case = case_of(CASES[Form.STATEFUL_SETS])
    case["replicas"] = 2

    runs = [child for child in children_of(case) if child["kind"] != "NetworkPolicy"]
    made = {child["metadata"]["name"]: child for child in runs}

    assert {"qwen3-235b", "qwen3-235b-0", "qwen3-235b-1", "qwen3-235b-ranks"} == set(made)
    selectors = [made[f"qwen3-235b-{n}"]["spec"]["selector"]["matchLabels"] for n in range(2)]
    assert selectors[0] != selectors[1]
    assert "qwen3-235b-1" not in {
        child["metadata"]["name"] for child in desired.with_replicas(tuple(made.values()), 1)
    }


def test_a_selector_of_one_set_selects_no_pod_of_another() -> None:
    """Else two StatefulSets would fight over a pod."""
    case = case_of(CASES[Form.STATEFUL_SETS])
    case["replicas"] = 2
    sets = [child for child in children_of(case) if child["kind"] == "StatefulSet"]

    for one in sets:
        wanted = one["spec"]["selector"]["matchLabels"].items()
        matching = [
            other["metadata"]["name"]
            for other in sets
            if wanted <= other["spec"]["template"]["metadata"]["labels"].items()
        ]
        assert matching == [one["metadata"]["name"]]


def test_the_service_in_front_leads_to_leaders_only() -> None:
    children = children_of(case_of(CASES[Form.LEADER_WORKER_SET]))
    services = {c["metadata"]["name"]: c for c in children if c["kind"] == "Service"}
    selector = services["qwen3-235b"]["spec"]["selector"].items()

    leader, other = templates_of(children)

    assert selector <= leader["metadata"]["labels"].items()
    assert not selector <= other["metadata"]["labels"].items()


def test_where_others_place_the_pods_a_set_has_no_gate_of_ours() -> None:
    def gates(name: str, **spec: object) -> list[object]:
        templates = templates_of(children_of(case_of(name, **spec)))
        return [template["spec"].get("schedulingGates") for template in templates]

    ours = [{"name": "serving.qwen3.dev/group"}]
    as_set, as_sets = CASES[Form.LEADER_WORKER_SET], CASES[Form.STATEFUL_SETS]
    assert gates(as_set) == [ours, ours]
    assert gates(as_set, queueName="large") == [None, None]
    assert gates(as_set, schedulerName="volcano") == [None, None]
    assert gates(as_set, schedulerName="my-scheduler") == [ours, ours]
    assert gates(as_sets, queueName="large") == [ours, ours]  # tells a rank that was replaced


def test_what_the_user_sets_of_the_environment_stays() -> None:
    env = [{"name": "VLLM_HOST_IP", "value": "10.0.0.1"}]
    engine = {"version": "0.32.0", "env": env}

    for template in templates_of(
        children_of(case_of(CASES[Form.LEADER_WORKER_SET], engine=engine))
    ):
        (container,) = template["spec"]["containers"]
        assert [e for e in container["env"] if e["name"] == "VLLM_HOST_IP"] == env


def test_through_ray_the_leader_starts_the_engine_once_all_have_joined() -> None:
    engine = {"multiNode": MultiNode.RAY.value}

    leader, other = templates_of(children_of(case_of(CASES[Form.STATEFUL_SETS], engine=engine)))

    (leads,), (joins,) = leader["spec"]["containers"], other["spec"]["containers"]
    assert leads["command"][:2] == joins["command"][:2] == ["/bin/sh", "-c"]
    assert leads["args"][:2] == ["vllm", "serve"]
    assert ("--distributed-executor-backend", "ray") in list(
        zip(leads["args"], leads["args"][1:], strict=False)
    )
    assert joins["args"] == []
    assert '"$LEADER_ADDRESS:6379"' in joins["command"][2]
    assert "$(" not in joins["command"][2].replace("$$(", "")  # Kubernetes would expand it


def test_ranks_share_a_token_for_ray_unless_the_user_gives_one() -> None:
    def authentication(**engine: object) -> list[dict[str, object]]:
        told = []
        for template in templates_of(
            children_of(case_of(CASES[Form.STATEFUL_SETS], engine={**engine}))
        ):
            (container,) = template["spec"]["containers"]
            entries = {entry.pop("name"): entry for entry in container["env"]}
            told.append({key: one for key, one in entries.items() if key.startswith("RAY_AUTH")})
        return told

    leader, other = authentication(multiNode="ray")
    own = {"name": "RAY_AUTH_MODE", "value": "disabled"}

    assert leader == other
    assert leader["RAY_AUTH_MODE"] == {"value": "token"}
    assert len(str(leader["RAY_AUTH_TOKEN"])) > 64
    assert authentication(multiNode="ray", env=[own]) == [
        {"RAY_AUTH_MODE": {"value": "disabled"}},
        {"RAY_AUTH_MODE": {"value": "disabled"}},
    ]
    assert authentication() == [{}, {}]


def test_a_users_own_container_is_beside_every_rank() -> None:
    shipper = {"name": "log-shipper", "image": "registry.example.com/shipper:1"}
    template = {"spec": {"containers": [shipper]}}

    templates = list(
        templates_of(children_of(case_of(CASES[Form.STATEFUL_SETS], podTemplate=template)))
    )

    names = [[each["name"] for each in one["spec"]["containers"]] for one in templates]
    assert names == [["engine", "log-shipper"]] * 2


def test_long_names_leave_room_for_what_kubernetes_adds() -> None:
    name = "q" * 52

    longest = other_ranks(name, 999)

    assert len(f"{longest}-{'0' * 10}") <= 63
    assert groups(name) != groups("q" * 51 + "w")
