"""`helm test` against the installed chart, on a real node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.node.release import NAMESPACE
from support.operator import RELEASE

if TYPE_CHECKING:
    from support.controlplane import ControlPlane

pytestmark = pytest.mark.e2e


def test_helm_test_says_what_it_saw_of_an_operator_that_works(installed: ControlPlane) -> None:
    said = installed.helm("test", RELEASE, f"--namespace={NAMESPACE}", "--logs", "--timeout=120s")

    found = [line for line in said.splitlines() if line.startswith(("ok  ", "FAIL"))]
    subjects = [line.split()[1].rstrip(":") for line in found]
    assert subjects == ["definition", "rights", "pods", "lease"], said
    assert all(line.startswith("ok  ") for line in found), said
    assert "Phase:          Succeeded" in said
    installed.kubectl("delete", "pod", f"{RELEASE}-test", f"--namespace={NAMESPACE}")
