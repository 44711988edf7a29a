"""The Job of a cache does what the engine then relies on: its command is run against a hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from qwen3_operator.__main__ import main
from support.children import GOLDEN, children_of, read_case, shared_of
from support.hub_server import Hub

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "cached-on-a-claim": {
        "config.json": b"{}",
        **{f"model-{n:05}-of-00009.safetensors": bytes([n]) * (100 + n) for n in range(1, 10)},
    },
    "cached-gguf": {"renamed-Q4_K_M.gguf": b"4", "renamed-Q8_0.gguf": b"8"},
}


def run_as_pods_would(job: dict[str, Any], hub: Hub, volume: Path) -> None:
    """Run the container's arguments once for each part, on a folder instead of the volume."""
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["qwen3-operator"]
    said = [word.replace("/cache/", f"{volume}/") for word in container["args"]]
    for part in range(job["spec"]["completions"]):
        environment = {
            "HF_ENDPOINT": hub.url,
            "HF_TOKEN": "t",
            "JOB_COMPLETION_INDEX": str(part),
        }
        message = volume / f"message-{part}"
        words = [str(message) if word == "/dev/termination-log" else word for word in said]
        done = CliRunner().invoke(main, words, env=environment)
        assert done.exit_code == 0, done.output
        assert "are there" in message.read_text()


class AnyRepository(Hub):
    """A hub whose one repository has whatever name is asked for."""

    def answer(self, request: Any) -> None:  # noqa: ANN401 - http.server's
        """Answer as if the repository's name were the hub's own."""
        if request.path.startswith("/api/models/"):
            rest = request.path.removeprefix("/api/models/").split("/", 2)[2]
            request.path = f"/api/models/org/model/{rest}"
        super().answer(request)


@pytest.mark.parametrize("name", sorted(FILES))
def test_what_the_job_leaves_is_what_the_engine_is_told_to_read(name: str, tmp_path: Path) -> None:
    case = read_case(GOLDEN / f"{name}.in.yaml")
    job: dict[str, Any] = dict(shared_of(case)[-1])
    with AnyRepository(FILES[name], token="t") as hub:  # noqa: S106 - of nobody
        run_as_pods_would(job, hub, tmp_path)
    arguments = children_of(case)[0]["spec"]["template"]["spec"]["containers"][0]["args"]
    told = next(word for word in arguments if word.startswith("/models/"))
    weights = tmp_path / told.removeprefix("/models/")
    if name == "cached-gguf":
        assert weights.read_bytes() == b"4"
        assert not (weights.parent / "renamed-Q8_0.gguf").exists()
    else:
        there = {path.name: path.read_bytes() for path in weights.iterdir()}
        assert there.items() >= FILES[name].items()
