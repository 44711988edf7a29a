"""What is typed wrong, and a cluster that does not answer, are one clear message each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from qwen3_planner.cli import main
from support.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path


def kubeconfig(folder: Path, server: str) -> str:
    """Write a kubeconfig; return its path."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(document))
    return str(file)


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int) -> str:
    assert main(arguments) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return err


@pytest.mark.parametrize("command", [["status"], ["why", "m"], ["top"], ["whatif", "--drain=n"]])
def test_a_cluster_that_does_not_answer_is_named(
    command: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    server = f"http://127.0.0.1:{free_port()}"
    place = f"--kubeconfig={kubeconfig(tmp_path, server)}"

    message = said(capsys, *command, place, status=4)

    assert message.startswith(f"error: the cluster at {server} does not answer: ")


def test_plan_cluster_says_the_same(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = f"http://127.0.0.1:{free_port()}"
    # The client reads KUBECONFIG once, when it is imported.
    default = "kubernetes.aio.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION"
    monkeypatch.setattr(default, kubeconfig(tmp_path, server))

    for arguments in (["--cluster"], ["--hardware", "cluster"]):
        message = said(capsys, "plan", "Qwen3-8B", *arguments, status=4)
        assert f"the cluster at {server} does not answer" in message


def test_without_a_configuration_it_is_said_how_to_give_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.write_text("{}")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    message = said(capsys, "status", f"--kubeconfig={empty}", status=4)

    assert "no cluster is configured" in message
    assert "--kubeconfig FILE and --context NAME" in message


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["whatif"], "whatif: (nothing): say what is to change\n  choices: --drain NODE"),
        (["whatif", "--add", "8xH999"], "--add: 8xH999: H999 is no accelerator of the catalog"),
        (["whatif", "--apply", "/nowhere.yaml"], "--apply: /nowhere.yaml: cannot be read"),
        (["status", "m", "-A"], "-A: given: m is in one namespace: name that with -n"),
        (["top", "-o", "wide"], "--output: wide: is not one of the choices"),
        (["why"], "Missing argument 'NAME'"),
        (["wy", "m"], "wy: there is no such command\n  choices: why"),
        (["top", "--kubeconfig=/nowhere"], "--kubeconfig: /nowhere: there is no such file"),
        (["top", "--contxt=x"], "--contxt: there is no such option\n  choices: --context"),
    ],
)
def test_what_is_typed_wrong_is_named_with_what_is_right(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert words in said(capsys, *arguments, status=2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: Pod", "holds a Pod; only Qwen3Deployment is rehearsed"),
        ("- a", "holds a list"),
        ("", "holds no resource"),
        ("a: b: c", "is no YAML"),
    ],
)
def test_only_resources_are_applied(
    text: str, words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(text)

    assert words in said(capsys, "whatif", f"--apply={file}", status=2)
