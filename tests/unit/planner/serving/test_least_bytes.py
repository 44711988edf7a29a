"""What surely does not fit is left out unjudged, so the bound must be sure."""

from __future__ import annotations

import pytest

from qwen3_planner.candidates import Candidate, pools_of
from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.plan import Layout
from qwen3_planner.question import understand
from qwen3_planner.request import EngineName, EngineTuning, Quantization
from qwen3_planner.serving.registry import serving_of
from qwen3_planner.solving import has_fit, solve
from qwen3_planner.units import GIB
from support.planner_builders import a_request, hardware

FORMATS = sorted(
    {
        (row.variant, row.quantization)
        for row in load_catalog().checkpoints
        if not Quantization(row.quantization).is_gguf
    }
)
MODELS = sorted({model for model, _ in FORMATS})
LAYOUTS = (Layout(), Layout(tensor=2, pipeline=2), Layout(tensor=2, data=2))
LOADS = {
    "one request": {},
    "stated requests": {"concurrency": 51, "input_tokens": 1001, "output_tokens": 99},
}


def held_shares(
    engine: EngineName, model: str, gpu: str = "1xH100-SXM-80GB", **load: object
) -> dict[str, float]:
    """Return what is held over the bound, of each weight format and layout of a model."""
    inventory, shares = hardware(gpu), {}
    (pool,) = pools_of(inventory, ())
    formats = {name for variant, name in FORMATS if variant == model} | {"fp8", "nvfp4"}
    for name in sorted(formats):
        fields = {"engine": engine, "quantization": Quantization(name), **load}
        try:
            question = understand(a_request(model, **fields), inventory, load_catalog())
        except SpecError:
            continue
        serving = serving_of(engine)
        for choice in question.choices:
            for layout in LAYOUTS:
                candidate = Candidate(pool, choice, layout)
                stages = serving.stages(question, candidate, serving.setting(question, pool))
                blocks = serving.needed_blocks(question, layout, question.shortest_context)
                each = sum(stage.weights + blocks * stage.block for stage in stages)
                held = layout.tensor * layout.data * each
                shares[f"{name} {layout}"] = held / serving.least_bytes(question, choice)
    return shares


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("engine", [EngineName.VLLM, EngineName.SGLANG])
def test_all_gpus_together_hold_at_least_the_bound(
    engine: EngineName, model: str, load: str
) -> None:
    shares = held_shares(engine, model, **LOADS[load])
    assert shares
    assert min(shares.values()) >= 1.0, shares


@pytest.mark.parametrize("load", LOADS)
def test_the_bound_leaves_out_most_of_what_does_not_fit(load: str) -> None:
    shares = held_shares(EngineName.VLLM, "Qwen3-32B", **LOADS[load])
    assert max(share for name, share in shares.items() if name.endswith("tp1")) < 1.2


def test_nothing_is_sure_of_weights_that_the_host_may_hold() -> None:
    inventory = hardware("1xRTX-4090-24GB")
    offloads = a_request("Qwen3-32B", tuning=EngineTuning(cpu_offload_gib=60.0), max_model_len=2048)
    on_llamacpp = a_request("Qwen3-32B", quantization=Quantization.GGUF_Q8_0)
    for request in (offloads, on_llamacpp):
        question = understand(request, inventory, load_catalog())
        serving = serving_of(question.engine)
        assert serving.least_bytes(question, question.choices[0]) < GIB
        assert has_fit(question, inventory)


@pytest.mark.parametrize("gpu", ["T4-16GB", "L4-24GB", "A100-SXM-40GB", "H100-SXM-80GB"])
@pytest.mark.parametrize("model", ["Qwen3-0.6B", "Qwen3-8B", "Qwen3-32B", "Qwen3-30B-A3B"])
def test_leaving_out_changes_no_answer(model: str, gpu: str) -> None:
    for count in (1, 2, 4):
        inventory = hardware(f"{count}x{gpu}")
        for name in ("bf16", "fp8", "awq-int4", "gptq-int4", "auto"):
            request = a_request(model, quantization=Quantization(name))
            question = understand(request, inventory, load_catalog())
            assert has_fit(question, inventory) is (solve(question, inventory).best is not None)


@pytest.mark.parametrize("engine", [EngineName.VLLM, EngineName.SGLANG, EngineName.LLAMACPP])
@pytest.mark.parametrize("gpu", ["L4-24GB", "H100-SXM-80GB"])
def test_what_was_judged_on_fewer_gpus_is_not_judged_again_and_not_otherwise(
    engine: EngineName, gpu: str
) -> None:
    request = a_request("Qwen3-30B-A3B", engine=engine, concurrency=16)
    judged: dict[tuple[object, ...], bool] = {}
    for text in ("1x", "2x", "4x", "8x", "2x8x", "4x8x"):
        inventory = hardware(f"{text}{gpu}")
        question = understand(request, inventory, load_catalog())
        assert has_fit(question, inventory, judged) is has_fit(question, inventory)
    before = dict(judged)
    assert has_fit(question, inventory, judged) is has_fit(question, inventory)
    assert judged == before
