"""``qwen3 plan`` from the command line to stdout, in one process."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, TypeAlias

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Run: TypeAlias = "Callable[..., tuple[int, str, str]]"

H100 = ("--hardware", "2xH100-SXM-80GB")


def test_a_plan_is_a_document_on_stdout_and_nothing_else(qwen3: Run) -> None:
    status, out, err = qwen3("plan", "Qwen3-32B", *H100, "-o", "json")

    document = json.loads(out)
    assert (status, err) == (0, "")
    assert document["schema"] == "plan/v1"
    assert document["feasible"] is True
    assert document["placement"]["accelerator"] == "H100-SXM-80GB"


def test_no_plan_is_a_document_too_and_exit_3(qwen3: Run) -> None:
    status, out, err = qwen3(
        "plan",
        "Qwen3-235B-A22B",
        "--hardware",
        "4xA100-SXM-80GB",
        "--quantization",
        "bf16",
        "-o",
        "json",
    )

    document = json.loads(out)
    assert (status, err) == (3, "")
    assert document["feasible"] is False
    refusal = document["refusals"][0]
    assert refusal["neededBytes"] > refusal["availableBytes"]


def test_yaml_says_the_same_as_json(qwen3: Run) -> None:
    _, as_json, _ = qwen3("plan", "Qwen3-8B", "--hardware", "L40S", "-o", "json")
    _, as_yaml, _ = qwen3("plan", "Qwen3-8B", "--hardware", "L40S", "-o", "yaml")

    assert yaml.safe_load(as_yaml) == json.loads(as_json)


def test_the_table_is_plain_where_the_output_is_no_terminal(qwen3: Run) -> None:
    status, out, _ = qwen3("plan", "Qwen3-32B", *H100)

    assert status == 0
    assert out.startswith("Qwen3-32B fits: bf16, TP 2 on 2 x H100-SXM-80GB\n")
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("option", "value", "path"),
    [
        ("--quantization", "fp8", "quantization"),
        ("--kv-cache-dtype", "fp8", "kvCacheDtype"),
        ("--tensor", 1, "layout.tensor"),
        ("--pipeline", 2, "layout.pipeline"),
        ("--replicas", 2, "replicas"),
        ("--max-model-len", 8192, "maxModelLen"),
        ("--engine-version", "0.33.0", "engine.version"),
        ("--engine", "vllm", "engine.name"),
        ("--served-name", "chat", "model.servedName"),
        ("--source", "hf://org/tuned", "model.source"),
        ("--revision", "abc", "model.revision"),
        ("--accelerators", "H100", "placement.accelerator"),
    ],
)
def test_what_is_given_is_held(qwen3: Run, option: str, value: object, path: str) -> None:
    status, out, err = qwen3("plan", "Qwen3-8B", *H100, "-o", "json", option, str(value))

    found = json.loads(out)
    for key in path.split("."):
        found = found[key]
    assert (status, err) == (0, "")
    assert found == ("H100-SXM-80GB" if option == "--accelerators" else value)


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        (("--concurrency", "64", "--input-tokens", "1000", "--output-tokens", "24"), 64 * 1024),
        (("--concurrency", "2", "--max-model-len", "4096"), 2 * 4096),
    ],
)
def test_the_load_decides_what_the_kv_cache_must_hold(
    qwen3: Run, options: tuple[str, ...], needed: int
) -> None:
    _, out, _ = qwen3("plan", "Qwen3-8B", *H100, "--tensor", "1", "-o", "json", *options)

    (gpu,) = json.loads(out)["memory"]["perGpu"]
    assert gpu["kvNeededBytes"] >= needed * 147_456


def test_tuning_reaches_the_command(qwen3: Run) -> None:
    tuning = (
        "--gpu-memory-utilization",
        "0.8",
        "--max-num-seqs",
        "64",
        "--max-num-batched-tokens",
        "4096",
    )
    _, out, _ = qwen3("plan", "Qwen3-8B", *H100, "-o", "json", *tuning)

    command = json.loads(out)["command"]
    for option, value in zip(tuning[::2], tuning[1::2], strict=True):
        assert command[command.index(option) + 1] == value


def test_bounds_on_gpus_are_kept(qwen3: Run) -> None:
    _, out, _ = qwen3("plan", "Qwen3-8B", "--hardware", "2x8xL4", "-o", "json", "--max-gpus", "1")
    status, refused, _ = qwen3(
        "plan", "Qwen3-32B", "--hardware", "8x1xL40S", "-o", "json",
        "--quantization", "bf16", "--max-nodes-per-replica", "1",
    )  # fmt: skip

    assert json.loads(out)["layout"]["gpusPerReplica"] == 1
    assert status == 3
    assert json.loads(refused)["feasible"] is False


def test_an_inventory_file_is_hardware(qwen3: Run, tmp_path: Path) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(
        "accelerators: [{name: my-l40s, like: L40S-48GB, memory_mib: 46068}]\n"
        "nodes: [{count: 2, accelerator: my-l40s, accelerators_per_node: 4, usd_per_hour: 8}]\n"
    )

    status, out, err = qwen3(
        "plan", "Qwen3-32B", "--hardware", str(path), "-o", "json", "--accelerators", "my-l40s"
    )

    document = json.loads(out)
    assert (status, err) == (0, "")
    assert document["placement"]["accelerator"] == "my-l40s"
    assert document["cost"]["usdPerHour"] == pytest.approx(
        8.0 * document["layout"]["gpusPerReplica"] / 4
    )


def test_an_error_in_an_inventory_file_names_file_path_and_choices(
    qwen3: Run, tmp_path: Path
) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text("nodes: [{accelerator: H100}]\n")

    status, out, err = qwen3("plan", "Qwen3-32B", "--hardware", str(path))

    assert (status, out) == (2, "")
    assert f"{path}: nodes[0].accelerator: H100: could be any" in err
    assert "H100-PCIe-80GB" in err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nodes: [", "is no YAML"),
        ("", "must hold one document, not none"),
        ("a: 1\n---\nb: 2\n", "must hold one document, not 2"),
        ("- L4\n", "must be a mapping"),
    ],
)
def test_a_file_that_is_no_inventory_says_so(
    qwen3: Run, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(text)

    status, out, err = qwen3("plan", "Qwen3-32B", "--hardware", str(path))

    assert (status, out) == (2, "")
    assert said in err


def test_a_file_that_cannot_be_read_says_so(qwen3: Run) -> None:
    status, _, err = qwen3("plan", "Qwen3-32B", "--hardware", "none.yaml")

    assert status == 2
    assert "--hardware: none.yaml: cannot be read: No such file" in err


@pytest.mark.parametrize(
    "question",
    [
        pytest.param(("Qwen3-8B",), id="nothing fixed"),
        pytest.param(("Qwen/Qwen3-8B-AWQ",), id="quantized id"),
        pytest.param(
            ("Qwen3-32B", "--tensor", "2", "--kv-cache-dtype", "fp8", "--max-model-len", "8192",
             "--concurrency", "16", "--input-tokens", "1000", "--output-tokens", "200",
             "--gpu-memory-utilization", "0.85", "--max-num-seqs", "64", "--served-name", "chat",
             "--engine-version", "0.33.0", "--replicas", "1", "--max-gpus", "2"),
            id="much fixed",
        ),
    ],
)  # fmt: skip
def test_a_manifest_fed_back_gives_the_same_plan(
    qwen3: Run, tmp_path: Path, question: tuple[str, ...]
) -> None:
    path = tmp_path / "resource.yaml"

    _, wanted, _ = qwen3("plan", *question, *H100, "-o", "json")
    _, manifest, _ = qwen3("plan", *question, *H100, "-o", "manifest")
    path.write_text(manifest)
    status, found, err = qwen3("plan", "-f", str(path), *H100, "-o", "json")

    assert (status, err) == (0, "")
    assert json.loads(found) == json.loads(wanted)


def test_there_is_no_manifest_where_nothing_fits(qwen3: Run) -> None:
    status, out, err = qwen3("plan", "Qwen3-235B-A22B", "--hardware", "T4", "-o", "manifest")

    assert (status, out) == (3, "")
    assert "Qwen3-235B-A22B does not fit" in err


def test_a_resource_can_come_from_stdin(qwen3: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = (
        "apiVersion: serving.qwen3.dev/v1alpha1\nkind: Qwen3Deployment\n"
        "metadata: {name: a}\nspec: {model: {variant: Qwen3-8B}}\n"
    )
    monkeypatch.setattr("sys.stdin", io.StringIO(resource))

    status, out, _ = qwen3("plan", "-f", "-", *H100, "-o", "json")

    assert status == 0
    assert json.loads(out)["model"]["variant"] == "Qwen3-8B"


def test_a_bad_resource_names_the_field(qwen3: Run, tmp_path: Path) -> None:
    path = tmp_path / "resource.yaml"
    path.write_text(
        "apiVersion: serving.qwen3.dev/v1alpha1\nkind: Qwen3Deployment\n"
        "metadata: {name: a}\nspec: {model: {variant: Qwen3-9B}}\n"
    )

    status, out, err = qwen3("plan", "-f", str(path), *H100)

    assert (status, out) == (2, "")
    assert "spec.model.variant: Qwen3-9B" in err


@pytest.mark.parametrize("extra", [("Qwen3-8B",), ("--tensor", "2")])
def test_a_resource_asks_alone(qwen3: Run, tmp_path: Path, extra: tuple[str, ...]) -> None:
    status, _, err = qwen3("plan", "-f", str(tmp_path / "a.yaml"), *H100, *extra)

    assert status == 2
    assert "cannot be given as well" in err


def test_a_local_folder_is_planned_offline(qwen3: Run, tmp_path: Path) -> None:
    folder = tmp_path / "tuned"
    folder.mkdir()
    config = {
        "architectures": ["Qwen3ForCausalLM"], "hidden_size": 2048, "num_hidden_layers": 28,
        "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,
        "intermediate_size": 6144, "vocab_size": 151936, "tie_word_embeddings": True,
        "max_position_embeddings": 40960, "rope_theta": 1000000, "torch_dtype": "bfloat16",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))

    status, out, err = qwen3("plan", str(folder), "--hardware", "L4", "-o", "json")

    document = json.loads(out)
    assert (status, err) == (0, "")
    assert document["model"]["variant"] == "tuned"
    assert document["model"]["parameters"] == 1_720_574_976
    assert document["command"][:3] == ["vllm", "serve", str(folder)]


def test_help_shows_every_option_and_examples(qwen3: Run) -> None:
    status, out, _ = qwen3("plan", "--help")

    assert status == 0
    assert "qwen3 plan Qwen3-32B --hardware 2xH100-SXM-80GB" in out
    for option in ("--expert", "--max-nodes-per-replica", "-f, --filename", "--revision"):
        assert option in out


def test_the_version_is_printed(qwen3: Run) -> None:
    status, out, _ = qwen3("--version")

    assert (status, out) == (0, "qwen3 0.1.0\n")


def test_nothing_asked_is_answered_with_help_on_stderr(qwen3: Run) -> None:
    status, out, err = qwen3()

    assert (status, out) == (2, "")
    assert err.startswith("Usage: qwen3")


def test_old_prices_warn_beside_the_document(qwen3: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    line = ("plan", "Qwen3-8B", "--hardware", "1xH100-SXM-80GB", "-o", "json")
    _, young, nothing = qwen3(*line)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1827000000")  # a year later
    _, old, warning = qwen3(*line)

    assert old == young
    assert nothing == ""
    assert warning.startswith("warning: the price of the GPUs is of 2026-")
    assert "days old" in warning
