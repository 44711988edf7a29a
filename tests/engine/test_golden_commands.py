"""Every command that a golden child or plan shows is one that the engine's own parser takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from qwen3_planner.engines.profiles import engine_of
from qwen3_planner.engines.sglang import flags as sglang_flags
from qwen3_planner.engines.versions import parse_version
from qwen3_planner.engines.vllm import flags as vllm_flags
from support.engine.commands import folder_of
from support.engine.environment import VLLM_VERSION
from support.engine.oracle import Refused
from support.engine.sglang_parser import SGLANG_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from qwen3_planner.catalog.rows import Catalog
    from support.engine.oracle import Oracle
    from support.engine.sglang_parser import SglangParser

pytestmark = pytest.mark.engine

CHILDREN = Path(__file__).parents[1] / "golden" / "children"

MAKERS = ("Deployment", "StatefulSet", "LeaderWorkerSet")
"""Children with pods that run an engine."""


@dataclass(frozen=True)
class Shown:
    """A command as a golden child shows it.

    Attributes:
        engine: that it starts.
        version: of the engine.
        variant: of the model.
        words: after the program, as the container gets them.
        env: with values, of the container.
        accelerator: that the pods select.
    """

    engine: str
    version: str
    variant: str
    words: tuple[str, ...]
    env: dict[str, str]
    accelerator: str


def shown_in(path: Path) -> Iterator[Shown]:
    """Find the commands of the engines in the pods of a golden file."""
    children = list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    makers = [child for child in children if child["kind"] in MAKERS]
    accelerator = next(filter(None, map(_accelerator, makers)))
    for child in makers:
        for template in _templates(child["spec"]):
            engine = next(c for c in template["spec"]["containers"] if c["name"] == "engine")
            words = _engine_command(engine)
            if words is None:  # a member that Ray's leader gives its work
                continue
            name, arguments = words
            labels = template["metadata"]["labels"]
            env = {one["name"]: one["value"] for one in engine["env"] if "value" in one}
            yield Shown(
                name,
                labels["app.kubernetes.io/version"],
                labels["serving.qwen3.dev/variant"],
                tuple(_as_started(word, env) for word in arguments),
                env,
                accelerator,
            )


def _templates(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in ("template", "leaderTemplate", "workerTemplate"):
        if name in spec:
            yield spec[name]
    if "leaderWorkerTemplate" in spec:
        yield from _templates(spec["leaderWorkerTemplate"])


def _engine_command(container: dict[str, Any]) -> tuple[str, list[str]] | None:
    """Return the engine and its arguments; a script that starts it has them as its own."""
    words = [*container["command"], *container.get("args", [])]
    for name in ("vllm", "sglang", "llamacpp"):
        program = list(engine_of(name).entry_point)
        for start in range(len(words)):
            if words[start : start + len(program)] == program:
                return name, words[start + len(program) :]
    return None


def _accelerator(child: dict[str, Any]) -> str:
    pool = child["metadata"].get("annotations", {}).get("serving.qwen3.dev/pool")
    return str(yaml.safe_load(pool)[0]) if pool else ""


def _as_started(word: str, env: dict[str, str]) -> str:
    """Expand variables as the kubelet does; those of Secrets and of a group's members, too."""
    for name, value in {**env, **OTHERS}.items():
        word = word.replace(f"$({name})", value)
    return word.replace("$$(", "$(")


OTHERS = {
    "LEADER_ADDRESS": "127.0.0.1",
    "GROUP_RANK": "1",
    "SGLANG_API_KEY": "a-key",
}

SHOWN = {
    f"{path.name.removesuffix('.out.yaml')}-{number}": shown
    for path in sorted(CHILDREN.glob("*.out.yaml"))
    for number, shown in enumerate(shown_in(path))
}


ANY_CARD = "H100-SXM-80GB"
"""Stands for cards of other vendors and for slices, which the driver described here cannot be."""


def of_engine(name: str, version: str) -> list[Any]:
    """List what the parser that is here can judge; older releases: see the last test."""
    return [
        pytest.param(one, id=case)
        for case, one in SHOWN.items()
        if (one.engine, one.version) == (name, version)
    ]


@pytest.mark.parametrize("engine", ["vllm", "sglang", "llamacpp"])
def test_every_engine_is_shown(engine: str) -> None:
    assert [one for one in SHOWN.values() if one.engine == engine]


@pytest.mark.parametrize("shown", of_engine("vllm", VLLM_VERSION))
def test_vllm_takes_what_its_pods_are_told(
    shown: Shown,
    catalog: Catalog,
    oracle_on: Callable[[str], Oracle],
    tmp_path: Path,
) -> None:
    here = folder_of(shown.variant, shown.words[0], catalog, tmp_path)
    words = (str(here), *shown.words[1:])

    cards = [row.name for row in catalog.accelerators if row.compute_capability is not None]
    card = shown.accelerator if shown.accelerator in cards else ANY_CARD
    made = oracle_on(card).configure(words, {})

    needs_ray = "ray" in shown.words and isinstance(made, Refused)
    if needs_ray:  # it is not in this environment; the parser has taken the words before
        assert isinstance(made, Refused)
        assert made.says("Failed to import Ray")
    else:
        assert not isinstance(made, Refused), made


@pytest.mark.parametrize("shown", of_engine("sglang", SGLANG_VERSION))
def test_sglang_takes_what_its_pods_are_told(shown: Shown, sglang: SglangParser) -> None:
    taken = sglang.parse(shown.words)

    assert not isinstance(taken, Refused), taken
    assert taken["enable_metrics"]


def test_other_releases_are_told_only_flags_that_they_have() -> None:
    judged = {VLLM_VERSION, SGLANG_VERSION}
    takes = {"vllm": vllm_flags.takes, "sglang": sglang_flags.takes}
    others = [one for one in SHOWN.values() if one.engine in takes and one.version not in judged]
    assert others
    for one in others:
        flags = [word for word in one.words if word.startswith("--")]
        version = parse_version(one.version)
        assert [flag for flag in flags if not takes[one.engine](flag, version)] == []


def test_sglangs_parser_refuses_what_it_does_not_have(sglang: SglangParser) -> None:
    words = ("--model-path", "Qwen/Qwen3-8B", "--rope-scaling", "{}")

    assert isinstance(sglang.parse(words), Refused)
