"""aiconfigurator beside our figures: how it is asked, what it does not cover, how to get it.

Its answers themselves are compared by ``make accuracy-peers``, where it is installed.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.catalog.local_folder import add_folder
from qwen3_planner.cli import main
from qwen3_planner.inventory.short_form import parse_hardware
from qwen3_planner.peers import asking
from qwen3_planner.peers.asking import ask, question_of
from qwen3_planner.peers.coverage import (
    SYSTEMS,
    arguments_of,
    bundled_like,
    config_of,
    reason_not_covered,
)
from qwen3_planner.peers.figures import NotCovered, PeerFigures, PeerQuestion
from qwen3_planner.plan import Layout, Plan
from qwen3_planner.planning import plan
from qwen3_planner.report.peers import peer_lines, peers_document
from qwen3_planner.request import PlanRequest, Workload

CATALOG = load_catalog()
DENSE = PeerQuestion(
    model=CATALOG.model("Qwen3-32B"),
    engine="vllm",
    accelerator="H100-SXM-80GB",
    quantization="bf16",
    kv_cache_dtype="bf16",
    layout=Layout(tensor=2),
    input_tokens=1024,
    output_tokens=256,
    concurrency=16,
)
MOE = replace(
    DENSE, model=CATALOG.model("Qwen3-235B-A22B"), layout=Layout(tensor=4, data=2, expert=8)
)
SAID = PeerFigures(
    "aiconfigurator", "0.12.0", "vllm 0.24.0", 177.15, 18.55, 831.4, 36_948_509_216, ("a note",)
)


def test_a_question_is_said_in_its_words() -> None:
    assert arguments_of(DENSE, "Qwen/Qwen3-32B") == {
        "model_path": "Qwen/Qwen3-32B",
        "system_name": "h100_sxm",
        "backend_name": "vllm",
        "mode": "agg",
        "isl": 1024,
        "osl": 256,
        "batch_size": 16,
        "tp_size": 2,
        "pp_size": 1,
        "attention_dp_size": 1,
        "kvcache_quant_mode": "bfloat16",
    }


def test_experts_spread_over_all_ranks_and_requests_over_data_parallel_ones() -> None:
    said = arguments_of(MOE, "x")
    assert (said["moe_ep_size"], said["moe_tp_size"], said["batch_size"]) == (8, 1, 8)
    whole = replace(MOE, layout=Layout(tensor=8))
    said = arguments_of(whole, "x")
    assert (said["moe_ep_size"], said["moe_tp_size"]) == (1, 8)


def test_an_fp8_checkpoint_does_not_get_an_fp8_cache_by_itself() -> None:
    assert arguments_of(replace(DENSE, quantization="fp8"), "x")["kvcache_quant_mode"] == "bfloat16"
    asked = replace(DENSE, quantization="fp8", kv_cache_dtype="fp8")
    assert arguments_of(asked, "x")["kvcache_quant_mode"] == "fp8"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"engine": "llamacpp"}, "knows no llamacpp"),
        ({"accelerator": "RTX-4090-24GB"}, "no measurements of RTX-4090-24GB"),
        ({"accelerator": "H20-96GB"}, "no measurements of H20-96GB"),
        ({"model": CATALOG.model("Qwen3-Next-80B-A3B-Instruct")}, "text models only"),
        ({"model": CATALOG.model("Qwen3-VL-8B-Instruct")}, "text models only"),
        ({"model": CATALOG.model("Qwen3-Embedding-8B")}, "text models only"),
        ({"quantization": "awq-int4"}, "bf16 and fp8 only"),
        ({"kv_cache_dtype": "q8_0"}, "no q8_0 KV cache"),
        ({"layout": Layout(data=32)}, "a request for each data-parallel rank"),
    ],
)
def test_what_it_does_not_cover_is_said(changed: dict[str, Any], said: str) -> None:
    assert said in (reason_not_covered(replace(DENSE, **changed)) or "")


def test_what_it_covers_has_no_objection() -> None:
    assert reason_not_covered(DENSE) is None
    assert reason_not_covered(MOE) is None


def test_every_card_it_is_asked_about_is_in_the_catalog() -> None:
    names = {row.name for row in CATALOG.accelerators}
    assert set(SYSTEMS) <= names


@pytest.mark.parametrize(
    ("model", "shipped"),
    [
        ("Qwen3-32B", "Qwen3-32B"),
        ("Qwen3-30B-A3B-Thinking-2507", "Qwen3-30B-A3B"),
        ("Qwen3-235B-A22B-Instruct-2507", "Qwen3-235B-A22B"),
        ("Qwen3-14B", None),
        ("Qwen3-4B-Instruct-2507", None),
    ],
)
def test_an_edition_is_asked_as_the_model_of_its_shape(model: str, shipped: str | None) -> None:
    assert bundled_like(CATALOG.model(model), CATALOG.models) == shipped


@pytest.mark.parametrize("name", ["Qwen3-14B", "Qwen3-30B-A3B"])
def test_a_model_that_it_does_not_ship_is_told_it_in_full(name: str, tmp_path: Path) -> None:
    """As the model's own config.json says it: read back, it is the same architecture."""
    model = CATALOG.model(name)
    (tmp_path / "config.json").write_text(json.dumps(config_of(model)))
    found, extended, _ = add_folder(str(tmp_path), CATALOG, field="MODEL")
    read = extended.model(found)
    ours = {"name", "source", "as_of", "thinking", "stores_lm_head"}
    differ = {f.name for f in fields(model) if getattr(read, f.name) != getattr(model, f.name)}
    assert differ <= ours


def planned() -> Plan:
    request = PlanRequest("Qwen3-32B", workload=Workload(16, 1024, 256))
    answer = plan(request, parse_hardware("2xH100-SXM-80GB", CATALOG), CATALOG)
    assert isinstance(answer, Plan)
    return answer


def test_a_plan_is_asked_as_it_is() -> None:
    answer = planned()
    question = question_of(answer, CATALOG)
    assert question == replace(DENSE, layout=answer.layout)
    assert question_of(replace(answer, performance=None), CATALOG) is None


def test_its_figures_stand_beside_ours() -> None:
    lines = peer_lines(planned(), (SAID,), 80)
    text = "\n".join(lines)
    assert "aiconfigurator 0.12.0" in text
    assert "18.6" in text
    assert "from vllm 0.24.0; a note" in text
    assert max(map(len, lines)) <= 80
    (document,) = peers_document((SAID,))
    assert document["tpotMs"] == 18.55
    assert document["memoryBytes"] == 36_948_509_216


def test_that_it_does_not_cover_a_plan_is_said_in_both_forms() -> None:
    missing = NotCovered("aiconfigurator", "0.12.0", "it knows no llamacpp")
    assert "it knows no llamacpp" in "\n".join(peer_lines(planned(), (missing,), 80))
    assert peers_document((missing,)) == [
        {"name": "aiconfigurator", "version": "0.12.0", "notCovered": "it knows no llamacpp"}
    ]


class Answer:
    """What its estimate gives back, as far as it is read."""

    ttft, tpot, tokens_per_second, memory = 100.0, 10.0, 1600.0, 40.0
    backend_name, backend_version, kv_cache_warning = "vllm", "0.24.0", "the cache is short\nmore"


@pytest.fixture
def estimator(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand in for the 850 MB; what it is asked is kept."""
    asked: list[dict[str, Any]] = []

    def estimate(**arguments: Any) -> Answer:  # noqa: ANN401 - as it takes them
        asked.append(arguments)
        folder = Path(arguments["model_path"], "config.json")
        if folder.exists():
            asked[-1]["config"] = json.loads(folder.read_text())
        print("a line of its own")  # noqa: T201 - as it does
        if arguments["tp_size"] == 3:
            raise AssertionError("num_heads 64 should be divisible by tp_size 3")
        return Answer()

    monkeypatch.setattr(asking, "_estimator", lambda: (estimate, "0.12.0"))
    return asked


def test_what_it_prints_stays_off_our_document(
    estimator: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    said = ask(DENSE, CATALOG)
    assert isinstance(said, PeerFigures)
    assert capsys.readouterr().out == ""
    assert estimator[0]["model_path"] == "Qwen/Qwen3-32B"
    assert "the cache is short" in said.notes


def test_what_it_stumbles_over_is_its_answer(estimator: list[dict[str, Any]]) -> None:
    said = ask(replace(DENSE, layout=Layout(tensor=3)), CATALOG)
    assert said == NotCovered(
        "aiconfigurator", "0.12.0", "num_heads 64 should be divisible by tp_size 3"
    )
    assert len(estimator) == 1


def test_a_model_that_it_lacks_is_written_for_it_and_gone_afterwards(
    estimator: list[dict[str, Any]],
) -> None:
    ask(replace(DENSE, model=CATALOG.model("Qwen3-14B"), quantization="fp8"), CATALOG)
    asked = estimator[0]
    assert asked["config"]["num_hidden_layers"] == 40
    assert asked["config"]["quantization_config"]["weight_block_size"] == [128, 128]
    assert not Path(asked["model_path"]).exists()


def test_what_it_does_not_cover_is_not_asked(estimator: list[dict[str, Any]]) -> None:
    assert isinstance(ask(replace(DENSE, engine="llamacpp"), CATALOG), NotCovered)
    assert estimator == []


def test_the_command_shows_it_in_json(
    estimator: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("plan", "Qwen3-32B", "--hardware", "2xH100-SXM-80GB", "--compare", "aic")
    assert main((*words, "-o", "json")) == 0
    (peer,) = json.loads(capsys.readouterr().out)["peers"]
    assert (peer["name"], peer["tpotMs"]) == ("aiconfigurator", 10.0)
    assert len(estimator) == 1


@pytest.mark.skipif(find_spec("aiconfigurator") is not None, reason="aiconfigurator is installed")
def test_without_it_the_message_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("plan", "Qwen3-8B", "--hardware", "1xL40S", "--compare", "aic")
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "pip install 'qwen3-operator[aic]'" in said.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--compare", "vidur"), "--compare: vidur: is not one of the choices"),
        (("--compare", "aic", "-o", "manifest"), "--compare: -o manifest"),
    ],
)
def test_wrong_words_are_told(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(("plan", "Qwen3-8B", "--hardware", "1xL40S", *words)) == 2
    assert said in capsys.readouterr().err
