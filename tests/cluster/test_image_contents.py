"""What is installed into the image is what its bill of materials says."""

from __future__ import annotations

import json
from importlib.metadata import distributions

import pytest
from packaging.utils import canonicalize_name

from support.bill import BILL
from support.controlplane.binaries import say_on_stderr
from support.node.supply import installed_operator

pytestmark = pytest.mark.cluster  # it asks the package index, which the quick floors never do


def test_the_image_holds_its_bill_and_what_that_names() -> None:
    app = installed_operator(say_on_stderr)
    found = {
        canonicalize_name(one.metadata["Name"]): one.version
        for one in distributions(path=[str(app / "lib")])
    }

    bill = json.loads((app / "sbom.cdx.json").read_text("utf-8"))

    named = [bill["metadata"]["component"], *bill["components"]]
    assert {canonicalize_name(one["name"]): one["version"] for one in named} == found
    assert (app / "sbom.cdx.json").read_bytes() == BILL.read_bytes()
