"""Who waits for a model, waits rightly: kstatus itself, `kubectl wait`, and Helm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from support import kstatus
from support.availability import cannot_run
from support.controlplane import BuildError, MissingPrerequisiteError
from support.controlplane.errors import CommandError
from support.operator import install
from support.resources import resource
from support.standings import CURRENT, IN_PROGRESS, cases

if TYPE_CHECKING:
    from pathlib import Path

    from support.controlplane import ControlPlane
    from support.models import Models
    from support.room import Room

pytestmark = pytest.mark.cluster

ON_L40S = "accelerators: [L40S-48GB]\nmaxModelLen: 8192\nquantization: bf16\n"
AT_ZERO = f"{ON_L40S}replicas: 0\n"
TWO = "accelerators: [A100-SXM-80GB]\nmaxModelLen: {}\nquantization: bf16\nreplicas: 2\n"
ONE_GPU = "accelerators: [L40S-48GB]\nmaxGpus: 1\n"


@pytest.fixture(scope="session")
def program() -> Path:
    """The program that says what kstatus says."""
    try:
        return kstatus.find_or_build()
    except (MissingPrerequisiteError, BuildError) as error:
        cannot_run(f"No kstatus: {error}", "make controlplane")


def test_kstatus_understands_every_way_to_stand(program: Path) -> None:
    known = cases()

    said = kstatus.statuses_of(program, [case.body for case in known])

    told = dict(zip([case.name for case in known], said, strict=True))
    assert told == {case.name: case.kstatus for case in known}


def test_a_resource_that_nobody_has_looked_at_is_not_taken_for_done(
    control_plane: ControlPlane, room: Room, program: Path, tmp_path: Path
) -> None:
    install(control_plane, tmp_path, "nobody-system")  # the definition; no operator runs
    room.apply(resource(ON_L40S, name="new", variant="Qwen3-0.6B"))
    seen = room.get("q3d", "new")

    assert seen["status"] == {"observedGeneration": -1}
    assert kstatus.statuses_of(program, [seen]) == [IN_PROGRESS]


def release(
    room: Room, folder: Path, name: str, *objects: dict[str, Any], verb: str = "install"
) -> list[str]:
    """Write a chart of objects and return the command line that brings it and waits."""
    chart = folder / name
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text(f"{{apiVersion: v2, name: {name}, version: 0.1.0}}\n")
    (chart / "templates" / "all.yaml").write_text(yaml.safe_dump_all(objects))
    return [verb, name, str(chart), f"--namespace={room.namespace}", "--wait", "--timeout=90s"]


def model(name: str, spec: str, variant: str = "Qwen3-0.6B") -> dict[str, Any]:
    return resource(spec, name=name, variant=variant)


def test_helm_waits_until_the_model_answers(models: Models, tmp_path: Path) -> None:
    room = models.room
    room.cluster.helm(*release(room, tmp_path, "waits", model("answers", ON_L40S)))

    # Not a moment earlier: nobody waits here.
    assert models.condition("answers", "Ready")["status"] == "True"
    assert kstatus.statuses_of(kstatus.find_or_build(), [models.get("answers")]) == [CURRENT]


def test_helm_waits_until_a_change_has_reached_every_replica(
    models: Models, tmp_path: Path
) -> None:
    room = models.room
    room.cluster.helm(*release(room, tmp_path, "rolls", model("rolls", TWO.format(8192))))
    before = {pod["metadata"]["uid"] for pod in models.pods("rolls")}

    changed = release(room, tmp_path, "rolls", model("rolls", TWO.format(4096)), verb="upgrade")
    room.cluster.helm(*changed)

    after = models.pods("rolls")
    assert len(after) == 2
    assert not before & {pod["metadata"]["uid"] for pod in after}
    assert models.condition("rolls", "Ready")["status"] == "True"


def test_helm_does_not_wait_for_what_shall_not_run(models: Models, tmp_path: Path) -> None:
    room, rests = (
        models.room,
        (model("asleep", f"{ON_L40S}suspend: true\n"), model("none", AT_ZERO)),
    )
    room.cluster.helm(*release(room, tmp_path, "rests", *rests))

    assert models.condition("asleep", "Ready")["reason"] == "Suspended"
    assert models.condition("none", "Ready")["reason"] == "ScaledToZero"
    assert models.pods("asleep") == models.pods("none") == []


def test_helm_gives_up_at_once_where_somebody_has_to_act(models: Models, tmp_path: Path) -> None:
    room = models.room
    command = release(room, tmp_path, "hopeless", model("too-big", ONE_GPU, "Qwen3-235B-A22B"))
    with pytest.raises(CommandError) as caught:
        room.cluster.helm(*command)

    said = caught.value.stderr
    assert "GiB missing" in said, "Helm repeats the operator's own words"
    assert "deadline" not in said
    assert models.condition("too-big", "Stalled")["status"] == "True"


def test_kubectl_waits_for_one_as_for_the_other(models: Models) -> None:
    models.apply("fits", ON_L40S)
    models.apply("never", ONE_GPU, "Qwen3-235B-A22B")

    models.room.kubectl("wait", "q3d/fits", "--for=condition=Ready", "--timeout=60s")
    models.room.kubectl("wait", "q3d/never", "--for=condition=Stalled", "--timeout=60s")

    assert not models.condition("fits", "Reconciling")
    assert not models.condition("never", "Reconciling")
