"""Manifests in, findings out: one run of checkov over all cases, without any network."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

OWN_LABEL = "qwen3.invalid/case"
"""checkov joins policies and pods by labels alone, over all files; this one keeps cases apart."""

LIMIT_S = 300


@dataclass(frozen=True, slots=True)
class Case:
    """What is applied together.

    Attributes:
        name: as findings tell it, `chart/defaults`.
        manifests: Kubernetes objects.
    """

    name: str
    manifests: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One check that one object fails.

    Attributes:
        check: checkov's id, `CKV_K8S_43`.
        case: name of the case, or of a file.
        subject: `Deployment.team-a.assistant`.
        title: what the check asks for.
    """

    check: str
    case: str
    subject: str
    title: str

    def __str__(self) -> str:
        """One line for a report."""
        return f"{self.check} {self.case} {self.subject[:80]}: {self.title}"


@dataclass(frozen=True, slots=True)
class Scan:
    """What the scanner said.

    Attributes:
        findings: each failed check, in order.
        judged: (case, subject) of all that some check looked at.
        passed: how many checks found nothing.
    """

    findings: tuple[Finding, ...]
    judged: frozenset[tuple[str, str]]
    passed: int


def scan(checkov: Path, folder: Path, cases: Iterable[Case], files: Mapping[str, str]) -> Scan:
    """Write the cases and `files` (name -> text) into an empty folder, and have all of it judged.

    Raises:
        AssertionError: checkov ended without an answer, or could not read a file.
    """
    for case in cases:
        target = folder / f"{case.name}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        documents = [document for one in case.manifests for document in _judgeable(one, case.name)]
        target.write_text(yaml.safe_dump_all(documents), "utf-8")
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    options = ("--skip-download", "--compact", "--output=json")
    frameworks = ("kubernetes", "dockerfile", "secrets")
    done = subprocess.run(
        [checkov, "--directory", folder, *options, "--framework", *frameworks],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
        env={"PATH": os.defpath, "HOME": str(folder.parent), "LOG_LEVEL": "ERROR"},
    )
    assert done.stdout.lstrip().startswith(("[", "{")), f"{done.stdout}\n{done.stderr}"
    return _read(json.loads(done.stdout))


def _judgeable(manifest: Mapping[str, Any], case: str) -> Iterator[dict[str, Any]]:
    """Make of an object what checkov knows: a LeaderWorkerSet becomes the pods it would make."""
    document: dict[str, Any] = json.loads(json.dumps(manifest))
    if document["kind"] == "LeaderWorkerSet":
        template = document["spec"]["leaderWorkerTemplate"]
        for role in ("leader", "worker"):
            if pod := template.get(f"{role}Template"):
                name = f"{document['metadata']['name']}-{role}"
                place = {"name": name, "namespace": document["metadata"]["namespace"]}
                pod = {**pod, "metadata": {**pod.get("metadata", {}), **place}}
                yield from _judgeable({"apiVersion": "v1", "kind": "Pod", **pod}, case)
        return
    mark = {OWN_LABEL: case.replace("/", ".")}
    if document["kind"] == "NetworkPolicy":
        document["spec"]["podSelector"].setdefault("matchLabels", {}).update(mark)
    for pod in (document, document.get("spec", {}).get("template", {})):
        if pod is not document or document["kind"] == "Pod":
            pod.setdefault("metadata", {}).setdefault("labels", {}).update(mark)
    yield document


def _read(answer: Sequence[dict[str, Any]] | dict[str, Any]) -> Scan:
    reports = [answer] if isinstance(answer, dict) else answer
    findings, judged, passed = [], set(), 0
    for report in reports:
        results = report["results"]
        assert not results["parsing_errors"], results["parsing_errors"]
        passed += len(results["passed_checks"])
        for check in (*results["failed_checks"], *results["passed_checks"]):
            judged.add((_case(check), check["resource"]))
        findings += [
            Finding(check["check_id"], _case(check), check["resource"], check["check_name"])
            for check in results["failed_checks"]
        ]
    return Scan(tuple(sorted(findings)), frozenset(judged), passed)


def _case(check: Mapping[str, Any]) -> str:
    return str(check["file_path"]).lstrip("/").removesuffix(".yaml")
