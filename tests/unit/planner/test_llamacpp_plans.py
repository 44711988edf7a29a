"""Plans for llama.cpp: on GPUs, on Apple chips, on the CPU, and partly on the host."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qwen3_planner.catalog.loading import load_catalog
from qwen3_planner.errors import SpecError
from qwen3_planner.inventory.hardware import Inventory
from qwen3_planner.plan import NoPlan, Plan
from qwen3_planner.planning import plan
from qwen3_planner.question import understand
from qwen3_planner.request import EngineName, EngineTuning, KvCacheDtype, Quantization
from qwen3_planner.sizing.gguf import file_bytes, tensor_bytes
from qwen3_planner.solving import solve
from qwen3_planner.units import GIB, MIB
from support.planner_builders import a_model, a_request, answer, hardware, planned

Q4 = Quantization.GGUF_Q4_K_M
Q8 = Quantization.GGUF_Q8_0


def option(made: Plan, name: str) -> str:
    return made.command[made.command.index(name) + 1]


def refused(model: str, on: str, **fields: object) -> NoPlan:
    found = answer(model, on, **fields)
    assert isinstance(found, NoPlan), found
    return found


@pytest.mark.parametrize(
    ("model", "on", "fields", "engine"),
    [
        ("Qwen3-4B", "RaspberryPi5-8GB", {}, "llamacpp"),
        ("Qwen3-14B", "Apple-M2-Pro-32GB", {}, "llamacpp"),
        ("Qwen3-30B-A3B", "1xRTX-4090-24GB", {"quantization": Q4}, "llamacpp"),
        ("Qwen3-8B", "1xRTX-4090-24GB", {}, "vllm"),
        ("Qwen3-8B", "1xRTX-4090-24GB", {"engine": EngineName.LLAMACPP}, "llamacpp"),
    ],
)
def test_the_engine_follows_device_and_format(
    model: str, on: str, fields: dict[str, object], engine: str
) -> None:
    assert planned(model, on, **fields).engine == engine


def test_everything_lies_on_a_gpu_that_has_room() -> None:
    made = planned("Qwen3-30B-A3B", "1xRTX-4090-24GB", quantization=Q4)
    (gpu,) = made.memory.per_gpu
    embedding = made.memory.checkpoint_bytes - gpu.weights_bytes
    assert 150 * MIB < embedding < 200 * MIB
    assert gpu.kv_cache_bytes == gpu.kv_needed_bytes == 40_960 * 98_304
    assert made.memory.checkpoint_bytes == file_bytes(a_model("Qwen3-30B-A3B"), "Q4_K_M")
    assert made.memory.kv_cache_tokens == 40_960
    assert option(made, "--n-gpu-layers") == "49"
    assert option(made, "--ctx-size") == "40960"
    assert not made.layout.keeps_layers_on_host


def test_on_a_raspberry_pi_the_host_holds_everything() -> None:
    made = planned("Qwen3-1.7B", "RaspberryPi5-8GB", quantization=Q8, max_model_len=8192)
    (device,) = made.memory.per_gpu
    assert device.weights_bytes == tensor_bytes(a_model("Qwen3-1.7B"), "Q8_0")
    taken = device.weights_bytes + device.kv_cache_bytes + device.activation_bytes
    assert made.memory.host_bytes == taken + device.overhead_bytes
    assert option(made, "--n-gpu-layers") == "0"
    assert option(made, "--cache-ram") == "0"


def test_an_apple_chip_offloads_every_layer_within_its_working_set() -> None:
    made = planned("Qwen3-14B", "Apple-M2-Pro-32GB")
    assert option(made, "--n-gpu-layers") == "41"
    assert made.memory.per_gpu[0].device_bytes == 21_845 * MIB
    assert isinstance(answer("Qwen3-32B", "Apple-M2-Pro-32GB", quantization=Q8), NoPlan)


def test_auto_takes_the_most_precise_type_that_fits() -> None:
    assert planned("Qwen3-4B", "RaspberryPi5-8GB", max_model_len=8192).quantization == "gguf:Q8_0"
    assert planned("Qwen3-8B", "RaspberryPi5-8GB", max_model_len=4096).quantization == "gguf:Q6_K"


def test_a_dense_model_that_is_too_large_leaves_as_few_layers_on_the_host_as_it_can() -> None:
    made = planned("Qwen3-32B", "1xRTX-4090-24GB", quantization=Q8)
    layers = made.layout.host_layers
    assert 0 < layers < 64
    assert option(made, "--n-gpu-layers") == str(65 - layers)
    assert any("stay in host memory" in warning for warning in made.warnings)
    assert any("memory is not stated" in warning for warning in made.warnings)
    gpu = made.memory.per_gpu[0]
    layer = gpu.weights_bytes // (65 - layers)
    held = gpu.weights_bytes + gpu.kv_cache_bytes + gpu.activation_bytes + gpu.overhead_bytes
    assert gpu.budget_bytes - held < 2 * layer


def test_experts_go_to_the_host_before_whole_layers() -> None:
    made = planned("Qwen3-30B-A3B", "1xRTX-4090-24GB", quantization=Q8)
    assert made.layout.host_layers == 0
    assert option(made, "--n-cpu-moe") == str(made.layout.host_expert_layers)
    assert option(made, "--n-gpu-layers") == "49"


def test_nothing_stays_on_the_host_where_another_gpu_takes_it() -> None:
    made = planned("Qwen3-32B", "2xRTX-4090-24GB", quantization=Q8)
    assert made.layout.pipeline == 2
    assert not made.layout.keeps_layers_on_host
    assert option(made, "--tensor-split") == "1,1"
    weights = sum(gpu.weights_bytes for gpu in made.memory.per_gpu)
    embedding = 151_936 * 5120 * 34 // 32
    assert weights + embedding == tensor_bytes(a_model("Qwen3-32B"), "Q8_0")


def with_host_memory(on: str, gib: int) -> Inventory:
    groups = (replace(group, memory_bytes=gib * GIB) for group in hardware(on).groups)
    return Inventory(tuple(groups))


def test_the_nodes_memory_is_checked_where_it_is_stated() -> None:
    request = a_request("Qwen3-235B-A22B", quantization=Quantization.GGUF_Q2_K)
    small = plan(request, with_host_memory("1xRTX-4090-24GB", 32), load_catalog())
    large = plan(request, with_host_memory("1xRTX-4090-24GB", 128), load_catalog())
    assert isinstance(small, NoPlan)
    assert "InsufficientHostMemory" in {refusal.rule for refusal in small.refusals}
    assert isinstance(large, Plan)
    assert large.memory.host_bytes <= 128 * GIB
    assert not any("not stated" in warning for warning in large.warnings)


def test_prompts_are_kept_only_in_memory_that_is_to_spare() -> None:
    request = a_request("Qwen3-8B", quantization=Q8)
    tight = plan(request, with_host_memory("1xRTX-4090-24GB", 4), load_catalog())
    roomy = plan(request, with_host_memory("1xRTX-4090-24GB", 64), load_catalog())
    assert isinstance(tight, Plan)
    assert isinstance(roomy, Plan)
    assert 0 < int(option(tight, "--cache-ram")) < 3072
    assert option(roomy, "--cache-ram") == "8192"
    assert tight.memory.host_bytes <= 4 * GIB


def test_slots_are_the_requests_in_flight() -> None:
    made = planned("Qwen3-8B", "1xRTX-4090-24GB", quantization=Q4, concurrency=2)
    assert option(made, "--parallel") == "2"
    assert made.memory.kv_cache_tokens == 2 * made.max_model_len
    assert made.memory.max_concurrency == 2.0
    assert "--kv-unified" not in made.command


def test_short_requests_share_one_cache() -> None:
    load = {"concurrency": 8, "input_tokens": 1000, "output_tokens": 500}
    made = planned("Qwen3-8B", "1xRTX-4090-24GB", quantization=Q4, **load)
    assert "--kv-unified" in made.command
    assert made.memory.kv_cache_tokens == 40_960
    old = planned("Qwen3-8B", "1xRTX-4090-24GB", quantization=Q4, engine_version="b5500", **load)
    assert "--kv-unified" not in old.command
    assert old.memory.kv_cache_tokens == 8 * old.max_model_len


def test_a_quantized_cache_is_smaller_and_said() -> None:
    plain = planned("Qwen3-8B", "1xRTX-4090-24GB", quantization=Q4)
    made = planned("Qwen3-8B", "1xRTX-4090-24GB", quantization=Q4, kv_cache_dtype=KvCacheDtype.Q8_0)
    (fp16,), (q8,) = plain.memory.per_gpu, made.memory.per_gpu
    assert q8.kv_cache_bytes * 64 == fp16.kv_cache_bytes * 34
    assert q8.activation_bytes > fp16.activation_bytes  # a layer of it is unpacked at a time
    assert option(made, "--cache-type-k") == option(made, "--cache-type-v") == "q8_0"


def test_a_context_beyond_the_native_one_is_stretched() -> None:
    made = planned("Qwen3-4B", "1xRTX-4090-24GB", quantization=Q4, max_model_len=65_536)
    assert option(made, "--rope-scaling") == "yarn"
    assert option(made, "--rope-scale") == "2"
    assert option(made, "--yarn-orig-ctx") == "32768"
    assert any("YaRN" in warning for warning in made.warnings)


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"quantization": Quantization.AWQ_INT4}, "GgufOnly"),
        ({"kv_cache_dtype": KvCacheDtype.FP8}, "KvCacheDtypeUnsupported"),
        ({"tensor": 2}, "WholeLayersOnly"),
        ({"max_model_len": 200_000}, "ContextTooLong"),
        ({"concurrency": 300}, "TooManySlots"),
        ({"tuning": EngineTuning(max_loras=2)}, "SettingUnsupported"),
    ],
)
def test_what_llama_cpp_cannot_do_is_refused_by_name(fields: dict[str, object], rule: str) -> None:
    request = a_request("Qwen3-8B", engine=EngineName.LLAMACPP, **fields)
    here = hardware("8xRTX-4090-24GB")
    solution = solve(understand(request, here, load_catalog()), here)
    assert {no.refusal.rule for no in solution.refused} == {rule}
    assert solution.best is None


def test_more_gpus_than_layers_are_refused() -> None:
    on = {"engine": EngineName.LLAMACPP, "pipeline": 40}
    no = refused("Qwen3-8B", "40xRTX-4090-24GB", **on)
    assert no.refusals[0].rule == "PipelineExceedsLayers"


def test_a_build_that_does_not_know_an_architecture_is_refused() -> None:
    at = {"quantization": Q4, "engine_version": "b6000", "source": "hf://Qwen/Qwen3-VL-8B-GGUF"}
    no = refused("Qwen3-VL-8B-Instruct", "1xRTX-4090-24GB", **at)
    assert no.refusals[0].rule == "ModelNeedsNewerEngine"
    assert "b6887" in no.refusals[0].message


@pytest.mark.parametrize("version", ["0.32.0", "b5000"])
def test_versions_that_are_none_of_its_builds_are_bad_input(version: str) -> None:
    with pytest.raises(SpecError) as caught:
        answer("Qwen3-8B", "1xRTX-4090-24GB", quantization=Q4, engine_version=version)
    assert caught.value.field == "--engine-version"


def test_file_types_made_with_a_matrix_are_said_to_be_approximate() -> None:
    iq2 = {"quantization": Quantization.GGUF_IQ2_XXS, "source": "hf://bartowski/Qwen3-8B-GGUF"}
    made = planned("Qwen3-8B", "1xRTX-4090-24GB", **iq2)
    assert any("importance matrix" in warning for warning in made.warnings)
    by_figure = {each.figure: each for each in made.provenance}
    assert by_figure["memory.weights"].relative_error > 0
    exact = planned("Qwen3-8B", "1xRTX-4090-24GB", quantization=Q4)
    assert {each.figure: each for each in exact.provenance}["memory.weights"].relative_error == 0


def test_older_builds_keep_logits_of_a_whole_pass() -> None:
    new = planned("Qwen3-8B", "1xRTX-4090-24GB", quantization=Q4)
    old = planned("Qwen3-8B", "1xRTX-4090-24GB", quantization=Q4, engine_version="b9000")
    (after,), (before,) = new.memory.per_gpu, old.memory.per_gpu
    assert before.activation_bytes - after.activation_bytes > 200 * MIB


@pytest.mark.parametrize(
    ("version", "has", "lacks"),
    [
        ("b5401", {"--flash-attn"}, {"--fit", "--cache-ram", "on"}),
        ("b7000", {"--flash-attn", "--cache-ram", "on"}, {"--fit"}),
        ("b11549", {"--flash-attn", "--cache-ram", "--fit", "on", "off"}, set()),
    ],
)
def test_only_flags_that_the_build_has_are_rendered(
    version: str, has: set[str], lacks: set[str]
) -> None:
    made = planned("Qwen3-8B", "1xRTX-4090-24GB", quantization=Q4, engine_version=version)
    assert has <= set(made.command)
    assert not lacks & set(made.command)


def test_address_and_port_are_always_said() -> None:
    made = planned("Qwen3-0.6B", "RaspberryPi5-8GB")
    assert option(made, "--host") == "0.0.0.0"  # noqa: S104 - what a pod listens on
    assert option(made, "--port") == "8080"


@pytest.mark.parametrize(
    ("size", "quantization", "peak_gib"),
    [("8B", Q4, 8.8), ("8B", Q8, 11.9), ("32B", Q4, 24.5), ("30B-A3B", Q8, 33.6)],
)
def test_peaks_measured_on_a_gpu(size: str, quantization: Quantization, peak_gib: float) -> None:
    # A public report: b11376 on one GB300, 32,768 tokens over two slots, q8_0, the encoder Q8_0;
    # the most of one sample a minute while 450 images are answered. An H200 stands for the GB300.
    made = planned(
        f"Qwen3-VL-{size}-Instruct",
        "1xH200-SXM-141GB",
        engine=EngineName.LLAMACPP,
        engine_version="b11376",
        quantization=quantization,
        kv_cache_dtype=KvCacheDtype.Q8_0,
        max_model_len=16_384,
        concurrency=2,
    )
    (gpu,) = made.memory.per_gpu
    assert sum(
        (gpu.weights_bytes, gpu.kv_needed_bytes, gpu.activation_bytes, gpu.overhead_bytes)
    ) == pytest.approx(peak_gib * GIB, rel=0.025)
    assert option(made, "--hf-repo").startswith(f"Qwen/Qwen3-VL-{size}-Instruct-GGUF:")


def test_of_a_source_that_is_not_known_every_usual_type_is_tried() -> None:
    made = planned("Qwen3-14B", "RaspberryPi5-16GB", source="hf://me/mine")
    assert made.engine == "llamacpp"
    assert option(made, "--hf-repo") == f"me/mine:{made.quantization.removeprefix('gguf:')}"
    assert any("hf://me/mine is not in the catalog" in each for each in made.warnings)
    named = planned("Qwen3-14B", "RaspberryPi5-16GB", source="pvc://weights/mine-q3_k_s.gguf")
    assert named.quantization == "gguf:Q3_K_S"
    assert option(named, "--model") == "/models/mine-q3_k_s.gguf"


def test_of_a_known_repository_the_most_precise_type_that_fits_is_taken() -> None:
    made = planned(
        "Qwen3-14B",
        "1xRTX-4090-24GB",
        engine=EngineName.LLAMACPP,
        source="hf://Qwen/Qwen3-14B-GGUF",
    )
    assert made.quantization == "gguf:Q8_0"
    assert not made.warnings


def test_other_formats_are_refused_by_name_also_where_nothing_helps() -> None:
    for model, on in (("Qwen3-235B-A22B", "1xT4-16GB"), ("Qwen3-4B", "RaspberryPi5-8GB")):
        found = refused(
            model,
            on,
            engine=EngineName.LLAMACPP,
            quantization=Quantization.AWQ_INT4,
            source="hf://me/mine",
            pipeline=3,
        )
        assert "GgufOnly" in {one.rule for one in found.refusals}
