"""Every ``NAME.in.yaml`` is a resource and a cluster; its children are ``NAME.out.yaml``."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from qwen3_operator.desired.kinds import CHILD_KINDS
from support.children import children_of, read_case, shared_of, templates_of
from support.pod_security import violations_of_restricted

if TYPE_CHECKING:
    from golden.conftest import Golden

HERE = Path(__file__).parent
CASES = [
    pytest.param(path, id=path.name.removesuffix(".in.yaml"))
    for path in sorted(HERE.glob("*.in.yaml"))
]


@pytest.mark.parametrize("path", CASES)
def test_children_are_what_they_were(path: Path, golden: Golden) -> None:
    case = read_case(path)
    plain = json.loads(
        json.dumps([*shared_of(case), *children_of(case)])
    )  # YAML would write anchors for what is shared

    written = yaml.safe_dump_all(plain, sort_keys=False, width=100)

    out = HERE / path.name.replace(".in.yaml", ".out.yaml")
    golden.check(out, written)


@pytest.mark.parametrize("path", CASES)
def test_every_pod_satisfies_pod_security_restricted(path: Path) -> None:
    """But for a folder of the node, which the operator's settings have to allow."""
    case = read_case(path)
    on_node = "hostPath" in case["resource"]["spec"].get("cache", {})
    allowed = ["volume weights is of kind ['hostPath']"] if on_node else []

    templates = list(templates_of([*shared_of(case), *children_of(case)]))

    assert templates
    for template in templates:
        assert violations_of_restricted(template["spec"]) == allowed


@pytest.mark.parametrize("path", CASES)
def test_no_secret_is_anywhere_but_behind_a_reference(path: Path) -> None:
    for template in templates_of(children_of(read_case(path))):
        container = template["spec"]["containers"][0]

        by_name = {variable["name"]: variable for variable in container["env"]}

        for secret in (
            "HF_TOKEN",
            "MODELSCOPE_API_TOKEN",
            "VLLM_API_KEY",
            "SGLANG_API_KEY",
            "LLAMA_API_KEY",
        ):
            assert "value" not in by_name.get(secret, {})
        passed = [b for a, b in pairwise(container["args"]) if a == "--api-key"]
        assert passed in ([], ["$(SGLANG_API_KEY)"])


def test_no_output_is_left_of_an_input_that_is_gone() -> None:
    names = {path.name.removesuffix(".in.yaml") for path in HERE.glob("*.in.yaml")}

    outputs = {path.name.removesuffix(".out.yaml") for path in HERE.glob("*.out.yaml")}

    assert outputs <= names


def test_every_kind_of_child_is_shown() -> None:
    outputs = HERE.glob("*.out.yaml")
    shown = {
        child["kind"] for path in outputs for child in yaml.safe_load_all(path.read_text("utf-8"))
    }

    shared = {"PersistentVolumeClaim", "Job"}
    kept = {"ControllerRevision"}  # the plan that worked last, by a test of its own

    assert {kind.kind for kind in CHILD_KINDS} | shared == shown | kept
