"""A shared cache: who may use it, how far it is, why it failed, when it is tried again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from qwen3_operator.decisions.caching import Cache, judge_cache, object_to, retry_in_s
from qwen3_operator.observed import Fetcher, Prefetch, Volume
from support.values import amount, pod

FAILED_AT = datetime(2026, 11, 23, 12, 4, 0, tzinfo=UTC)
JOB = Prefetch(
    "ns", "fetch-q", "u", (("a", "1"),), "print", parts=8, parts_done=3, is_complete=False
)
VOLUME = Volume("ns", "models", "v", "Bound", ("ReadWriteMany",), (("a", "1"),), is_cache=True)
CACHE = Cache(
    source="hf://Qwen/Qwen3-32B",
    checkpoint_bytes=61 * 2**30,
    claim="models",
    job="fetch-q",
    is_made=True,
    access_modes=("ReadWriteMany",),
    volume=VOLUME,
    prefetch=JOB,
)
FAILED = replace(JOB, failure="PodFailurePolicy: exit code", failed_at="2026-11-23T12:04:00Z")


def with_modes(*modes: str, users: int = 1) -> Cache:
    owners = tuple((f"q{number}", str(number)) for number in range(users))
    volume = replace(VOLUME, access_modes=modes, users=owners)
    return replace(CACHE, access_modes=modes, volume=volume)


def ended(code: int, words: str, created: str = "2026-11-23T12:03:00Z") -> Fetcher:
    return Fetcher("fetch-q", pod(f"fetch-{created}", amount()), code, words, created)


def failed(code: int, words: str = "the hub said so") -> Cache:
    return replace(CACHE, prefetch=FAILED, fetchers=[ended(code, words)])


@pytest.mark.parametrize(
    ("cache", "replicas", "nodes", "reason"),
    [
        pytest.param(with_modes("ReadWriteMany"), 9, 9, None, id="many nodes, many modes"),
        pytest.param(with_modes("ReadOnlyMany"), 9, 9, None, id="read-only will do"),
        pytest.param(with_modes("ReadWriteOnce"), 1, 9, None, id="one replica"),
        pytest.param(with_modes("ReadWriteOnce"), 9, 1, None, id="one node"),
        pytest.param(
            with_modes("ReadWriteOnce"), 2, 2, "AccessModeTooNarrow", id="two replicas, two nodes"
        ),
        pytest.param(
            with_modes("ReadWriteOnce", users=2), 1, 2, "AccessModeTooNarrow", id="two resources"
        ),
        pytest.param(
            with_modes("ReadWriteOncePod"), 2, 1, "AccessModeTooNarrow", id="two pods on one node"
        ),
        pytest.param(
            replace(CACHE, is_made=False, volume=None), 1, 1, "ClaimNotFound", id="no such claim"
        ),
    ],
)
def test_a_claim_must_reach_every_replica(
    cache: Cache, replicas: int, nodes: int, reason: str | None
) -> None:
    finding = object_to(cache, replicas, nodes)
    assert (finding.verdict.reason.value if finding else None) == reason


def test_progress_is_told_in_parts() -> None:
    finding = judge_cache(CACHE)
    assert (finding.status.value, finding.verdict.reason.value) == ("False", "Downloading")
    assert "3 of 8 parts of hf://Qwen/Qwen3-32B (61.0 GiB)" in finding.verdict.message


def test_a_complete_job_is_a_filled_cache() -> None:
    finding = judge_cache(replace(CACHE, prefetch=replace(JOB, parts_done=8, is_complete=True)))
    assert (finding.status.value, finding.verdict.reason.value) == ("True", "WeightsCached")


@pytest.mark.parametrize(
    ("code", "reason", "fix"),
    [
        (41, "ModelSourceUnauthorized", "spec.model.tokenSecretRef"),
        (42, "ModelSourceNotFound", "spec.model.revision"),
        (43, "ModelTransferOutOfSpace", "take a larger one"),
        (44, "ModelSourceUnreachable", "proxy"),
        (45, "DownloadFailed", "tried again"),
        (137, "DownloadFailed", "tried again"),
    ],
)
def test_each_way_to_fail_has_its_reason_and_its_fix(code: int, reason: str, fix: str) -> None:
    finding = judge_cache(failed(code))
    assert (finding.status.value, finding.verdict.reason.value) == ("False", reason)
    assert finding.verdict.message.startswith("the hub said so. ")
    assert fix in finding.verdict.message


def test_the_last_pods_words_count_and_braces_in_them_are_words() -> None:
    fetchers = [ended(44, "later {x}", "2026-11-23T12:03:30Z"), ended(41, "earlier")]
    finding = judge_cache(replace(CACHE, prefetch=FAILED, fetchers=fetchers))
    assert finding.verdict.reason.value == "ModelSourceUnreachable"
    assert finding.verdict.message.startswith("later {x}. ")


def test_a_job_that_failed_without_a_word_repeats_its_controllers() -> None:
    finding = judge_cache(replace(CACHE, prefetch=FAILED))
    assert finding.verdict.message.startswith("PodFailurePolicy: exit code. ")


@pytest.mark.parametrize(
    ("problem", "message", "reason"),
    [
        (
            "Unschedulable",
            "0/7 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
            "ClaimNotBound",
        ),
        ("Unschedulable", "0/7 nodes are available: Insufficient cpu.", "Unschedulable"),
        ("ImagePullBackOff", "no such tag", "ImagePullError"),
    ],
)
def test_what_keeps_the_jobs_pod_from_running_is_told(
    problem: str, message: str, reason: str
) -> None:
    waiting = pod("fetch-q-0-x", amount(), problem=problem, problem_message=message)
    fetcher = Fetcher("fetch-q", waiting, None, "", "2026-11-23T12:00:00Z")
    finding = judge_cache(replace(CACHE, fetchers=[fetcher]))
    assert finding.verdict.reason.value == reason


def test_a_refusal_of_the_api_server_is_told() -> None:
    sentence = 'persistentvolumeclaims "q" is forbidden: exceeded quota: storage'
    assert judge_cache(replace(CACHE, refusal=sentence)).verdict.reason.value == "QuotaExceeded"


@pytest.mark.parametrize(
    ("cache", "made_of", "seconds"),
    [
        pytest.param(CACHE, "print", None, id="it has not failed"),
        pytest.param(failed(41), "print", 10.0, id="soon after it failed"),
        pytest.param(failed(41), "another token", 0.0, id="at once with another token"),
        pytest.param(
            replace(failed(44), prefetch=replace(FAILED, is_going=True)),
            "print",
            None,
            id="it is going already",
        ),
    ],
)
def test_what_failed_is_tried_again(cache: Cache, made_of: str, seconds: float | None) -> None:
    assert retry_in_s(cache, made_of, 0, FAILED_AT) == seconds


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 10.0), (1, 20.0), (5, 320.0), (6, 600.0), (10_000, 600.0)]
)
def test_it_is_tried_ever_less_often(attempts: int, seconds: float) -> None:
    assert retry_in_s(failed(43), "print", attempts, FAILED_AT) == seconds


def test_an_attempt_that_is_overdue_is_made_at_once() -> None:
    late = datetime(2026, 11, 23, 13, 0, 0, tzinfo=UTC)
    assert retry_in_s(failed(44), "print", 3, late) == 0.0


@pytest.mark.parametrize("code", [41, 42, 43, 44, 45])
def test_every_failure_says_that_it_is_tried_again(code: int) -> None:
    message = judge_cache(failed(code)).verdict.message
    assert "tried again by itself" in message
    assert "fetch-q" in message
