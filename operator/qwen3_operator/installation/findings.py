"""What was seen of an installation, and what is to be said of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from qwen3_operator.installation.rights import Right

MOST_NAMED = 5
"""Further ones are counted: the rest is alike."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: a word for it.
        works: whether it is as it must be.
        text: what was seen, and what would help.
    """

    subject: str
    works: bool
    text: str

    def __str__(self) -> str:
        """Say it in one line.

        >>> str(Finding("lease", works=False, text="nobody holds it"))
        'FAIL  lease: nobody holds it'
        """
        return f"{'ok  ' if self.works else 'FAIL'}  {self.subject}: {self.text}"


@dataclass(frozen=True, slots=True)
class LeaseSeen:
    """A Lease over some time.

    Attributes:
        name: namespace/name.
        holder: who holds it; empty: nobody.
        renewed: whether it was renewed while we looked; clocks are not compared.
        watched_s: how long that was.
        problem: why it could not be read; empty where it could.
    """

    name: str
    holder: str = ""
    renewed: bool = False
    watched_s: float = 0.0
    problem: str = ""


def field_paths(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the path of every field of an object's schema.

    >>> list(field_paths({"properties": {"a": {"items": {"properties": {"b": {}}}}}}))
    ['a', 'a[].b']
    """
    for name, below in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here
        yield from field_paths(below, here)
    if "items" in schema:
        yield from field_paths(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from field_paths(schema["additionalProperties"], f"{path}{{}}")


def of_definition(
    served: Collection[str], fields: Collection[str], wanted: Collection[str], problem: str
) -> Finding:
    """Judge the resource definition.

    Args:
        served: resources of our group and version, with subresources.
        fields: paths that the cluster's definition has.
        wanted: paths that this release knows.
        problem: why it could not be read; empty where it could.
    """
    subject = "definition"
    if problem:
        return Finding(subject, works=False, text=problem)
    needed = ("qwen3deployments", "qwen3deployments/status", "qwen3deployments/scale")
    absent = [name for name in needed if name not in served]
    if absent:
        text = f"not served: {', '.join(absent)}; install the chart with crds.install: true"
        return Finding(subject, works=False, text=text)
    lacking = sorted(set(wanted) - set(fields))
    if lacking:
        text = (
            f"it is older than this release, and lacks {_some(lacking)};"
            " install the chart with crds.install: true, or apply crds/"
        )
        return Finding(subject, works=False, text=text)
    return Finding(
        subject, works=True, text=f"served, with all {len(wanted)} fields of this release"
    )


def of_lease(seen: LeaseSeen) -> Finding:
    """Judge the Lease of the one operator that works."""
    subject = f"lease {seen.name}"
    if seen.problem:
        return Finding(subject, works=False, text=seen.problem)
    if not seen.holder:
        text = f"nobody held it for {seen.watched_s:.0f} s; see the log of the operator"
        return Finding(subject, works=False, text=text)
    if not seen.renewed:
        text = f"{seen.holder} holds it, but did not renew it for {seen.watched_s:.0f} s"
        return Finding(subject, works=False, text=text)
    return Finding(subject, works=True, text=f"held by {seen.holder}, renewed while we looked")


def of_pods(answers: Mapping[str, str], problem: str) -> Finding:
    """Judge the operator's pods by what each says of itself.

    Args:
        answers: by name of the pod why it is not ready; empty where it is.
        problem: why they could not be listed; empty where they could.
    """
    subject = "pods"
    if problem:
        return Finding(subject, works=False, text=problem)
    if not answers:
        return Finding(subject, works=False, text="the operator has none")
    silent = [f"{name} ({why})" for name, why in sorted(answers.items()) if why]
    if silent:
        return Finding(subject, works=False, text=f"not ready: {_some(silent)}")
    return Finding(subject, works=True, text=f"{_some(sorted(answers))} answered /readyz")


def of_rights(asked: int, denied: Collection[Right], problem: str) -> Finding:
    """Judge what the account may do: `asked` rights, of which some were denied."""
    subject = "rights"
    if problem:
        return Finding(subject, works=False, text=problem)
    if denied:
        lacking = _some([str(right) for right in denied])
        text = f"{len(denied)} of {asked} are missing: {lacking}; see rbac in the chart's values"
        return Finding(subject, works=False, text=text)
    return Finding(subject, works=True, text=f"all {asked} are there")


def _some(names: list[str]) -> str:
    """Name the first few.

    >>> _some(["a", "b"]), _some([str(n) for n in range(7)])
    ('a, b', '0, 1, 2, 3, 4 and 2 more')
    """
    further = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {further} more" if further > 0 else "")
