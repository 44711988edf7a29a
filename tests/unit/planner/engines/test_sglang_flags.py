"""SGLang's flags by version, and the commands that are made of them."""

from __future__ import annotations

import pytest

from qwen3_planner.engines.sglang.flags import REPLACED_BY, flag_ranges, takes
from qwen3_planner.engines.versions import Version, parse_version
from qwen3_planner.plan import Plan
from qwen3_planner.request import EngineName, EngineTuning, KvCacheDtype
from support.planner_builders import answer

RELEASES = (
    "0.4.6.post1", "0.4.6.post5", "0.4.9", "0.4.10.post2", "0.5.1", "0.5.2", "0.5.3", "0.5.6",
    "0.5.10", "0.5.14", "0.5.19", "0.5.20", "0.5.22", "0.5.23",
)  # fmt: skip
QUESTIONS = [
    pytest.param("Qwen3-8B", "1xH100-SXM-80GB", {}, id="plain"),
    pytest.param("Qwen3-8B", "1xT4-16GB", {}, id="no bf16"),
    pytest.param("Qwen3-8B", "1xH100-SXM-80GB", {"max_model_len": 131072}, id="YaRN"),
    pytest.param("Qwen3-32B", "2xL40S-48GB", {"tensor": 1, "pipeline": 2}, id="pipeline"),
    pytest.param("Qwen3-30B-A3B", "4xH100-SXM-80GB", {"tensor": 4, "expert": 4}, id="experts"),
    pytest.param("Qwen3-30B-A3B", "4xH100-SXM-80GB", {"tensor": 2, "data": 2}, id="data"),
    pytest.param(
        "Qwen3-8B",
        "1xH100-SXM-80GB",
        {
            "kv_cache_dtype": KvCacheDtype.FP8,
            "tuning": EngineTuning(
                gpu_memory_utilization=0.8,
                max_num_seqs=64,
                max_num_batched_tokens=4096,
                kv_cache_memory_bytes=8 * 2**30,
                cpu_offload_gib=2,
                enforce_eager=True,
            ),
        },
        id="tuned",
    ),
]


@pytest.mark.parametrize("version", RELEASES)
@pytest.mark.parametrize(("model", "on", "fields"), QUESTIONS)
def test_a_command_names_only_flags_that_its_version_takes(
    version: str, model: str, on: str, fields: dict[str, object]
) -> None:
    found = answer(model, on, engine=EngineName.SGLANG, engine_version=version, **fields)
    assert isinstance(found, Plan) or fields
    if isinstance(found, Plan):
        flags = [word for word in found.command if word.startswith("--")]
        assert [flag for flag in flags if not takes(flag, parse_version(version))] == []


@pytest.mark.parametrize(
    ("flag", "since", "until"),
    [
        ("--tp-size", "0.4.6.post1", None),
        ("--tensor-parallel-size", "0.4.6.post1", None),
        ("--pp-size", "0.4.6.post2", None),
        ("--ep-size", "0.4.6.post1", None),
        ("--attn-dp-size", "0.5.22", None),
        ("--enable-ep-moe", "0.4.6.post1", "0.5.3"),
        ("--cuda-graph-max-bs", "0.4.6.post1", "0.5.20"),
        ("--torchao-config", "0.4.6.post1", "0.5.18"),
    ],
)
def test_a_flag_is_taken_from_one_release_until_another(
    flag: str, since: str, until: str | None
) -> None:
    assert str(flag_ranges()[flag].since) == since
    assert takes(flag, parse_version(since))
    if until is None:
        assert takes(flag, Version(0, 5, 23))
    else:
        assert not takes(flag, parse_version(until))


def test_what_replaces_a_flag_is_known_and_still_taken() -> None:
    for gone, instead in REPLACED_BY.items():
        old, new = flag_ranges()[gone], flag_ranges()[instead.split()[0]]
        assert old.until is not None, gone
        assert new.until is None, instead
