"""Whether the weights can reach the pods."""

from __future__ import annotations

from typing import Any

import pytest

from qwen3_operator.decisions.supply import Way, image_volumes_refused, judge_source
from support.values import node

HUB, CLAIM, IMAGE = "hf://Qwen/Qwen3-8B", "pvc://weights/8b", "oci://registry.local/qwen3-8b:1"


def way(source: str, **fields: Any) -> Way:  # noqa: ANN401 - fields of a way
    given = {"nodes": [node("a")], "image": source if source == IMAGE else "", **fields}
    return Way(source, **given)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (HUB, "FetchedByPods"),
        ("modelscope://Qwen/Qwen3-8B", "FetchedByPods"),
        (CLAIM, "WeightsMounted"),
        (IMAGE, "WeightsMounted"),
    ],
)
def test_each_source_reaches_the_pods_in_its_own_way(source: str, reason: str) -> None:
    finding = judge_source(way(source))
    assert (finding.status.value, finding.verdict.reason.value) == ("True", reason)
    assert source in finding.verdict.message


@pytest.mark.parametrize("source", [HUB, "modelscope://Qwen/Qwen3-8B"])
def test_a_site_that_is_offline_refuses_hubs_and_says_what_to_take(source: str) -> None:
    finding = judge_source(way(source, is_offline=True))
    assert (finding.status.value, finding.verdict.reason.value) == ("False", "HubOffline")
    assert "pvc://" in finding.verdict.message


@pytest.mark.parametrize("source", [CLAIM, IMAGE])
def test_a_site_that_is_offline_takes_what_is_mounted(source: str) -> None:
    assert judge_source(way(source, is_offline=True)).status.value == "True"


@pytest.mark.parametrize(
    ("kubelet", "runtime", "words"),
    [
        ("v1.32.9", "containerd://2.1.4", "kubelet v1.32.9 is older than 1.33"),
        ("v1.37.2", "containerd://1.7.27", "containerd 1.7.27 is older than 2.1"),
        ("v1.37.2", "cri-o://1.30.1", "cri-o 1.30.1 is older than 1.31"),
    ],
)
def test_an_image_is_refused_where_no_node_can_mount_it(
    kubelet: str, runtime: str, words: str
) -> None:
    finding = judge_source(way(IMAGE, nodes=[node("a", kubelet=kubelet, runtime=runtime)]))
    assert finding.status.value == "False"
    assert finding.verdict.reason.value == "ImageVolumeUnsupported"
    assert words in finding.verdict.message


@pytest.mark.parametrize(
    ("kubelet", "runtime"),
    [
        ("v1.33.0", "containerd://2.1.0"),
        ("v1.36.1+k3s1", "containerd://2.2.0-k3s1"),
        ("v1.37.2", "cri-o://1.31.0"),
        ("", ""),  # a node that does not say what it runs is given the benefit of the doubt
        ("v1.37.2", "docker://27.0.1"),
    ],
)
def test_an_image_is_taken_where_nothing_speaks_against_it(kubelet: str, runtime: str) -> None:
    assert image_volumes_refused([node("a", kubelet=kubelet, runtime=runtime)]) == ""


def test_one_node_that_can_is_enough() -> None:
    old = node("old", runtime="containerd://1.7.0")
    assert image_volumes_refused([old]) != ""
    assert image_volumes_refused([old, node("new")]) == ""
    assert image_volumes_refused([]) == ""


def test_a_claim_that_is_not_there_is_asked_for() -> None:
    finding = judge_source(way(CLAIM, missing_claim="weights"))
    assert (finding.status.value, finding.verdict.reason.value) == ("False", "ClaimNotFound")
    assert "weights" in finding.verdict.message


def test_a_folder_of_the_node_is_used_only_where_the_settings_allow_it() -> None:
    finding = judge_source(way(HUB, host_path="/var/lib/models"))
    assert (finding.status.value, finding.verdict.reason.value) == ("False", "HostPathNotAllowed")
    assert "allowHostPath" in finding.verdict.message
    assert judge_source(way(HUB)).status.value == "True"


def test_a_folder_outside_of_those_that_are_allowed_is_named_with_them() -> None:
    finding = judge_source(way(HUB, host_path="/etc/kubernetes", host_path_folders=("/srv", "/m")))
    assert finding.verdict.reason.value == "HostPathNotAllowed"
    for words in ("/etc/kubernetes", "hostPathFolders", "/srv, /m"):
        assert words in finding.verdict.message
