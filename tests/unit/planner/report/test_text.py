from __future__ import annotations

import shlex

import pytest

from qwen3_planner.plan import Layout, PlacedNode, Placement
from qwen3_planner.report.memory_text import BLOCKS
from qwen3_planner.report.text import to_text, verdict
from support.plan_builders import make_gpu, make_memory, make_no_plan, make_plan, make_refusal


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({}, "Qwen3-32B fits: bf16, TP 2 on 2 x H100-SXM-80GB", id="tensor"),
        pytest.param(
            {"layout": Layout()}, "Qwen3-32B fits: bf16 on 1 x H100-SXM-80GB", id="one GPU"
        ),
        pytest.param(
            {"layout": Layout(tensor=8, pipeline=2, nodes_per_replica=2)},
            "Qwen3-32B fits: bf16, TP 8, PP 2 on 16 x H100-SXM-80GB over 2 nodes",
            id="two nodes",
        ),
        pytest.param(
            {"replicas": 3},
            "Qwen3-32B fits: 3 replicas, each bf16, TP 2 on 2 x H100-SXM-80GB",
            id="replicas",
        ),
        pytest.param(
            {"layout": Layout(tensor=8, expert=8)},
            "Qwen3-32B fits: bf16, TP 8, EP 8 on 8 x H100-SXM-80GB",
            id="experts",
        ),
    ],
)
def test_the_first_line_is_a_verdict_for_people(fields: dict[str, Layout], said: str) -> None:
    plan = make_plan(**fields)

    assert to_text(plan).splitlines()[0] == said == verdict(plan)


def test_memory_of_equal_gpus_is_told_once_and_adds_up() -> None:
    text = to_text(make_plan())

    assert "Memory of each of 2 GPUs, in GiB" in text
    assert "  weights         30.59  #" in text
    assert "  on the device   79.18  of which the engine takes 72.85 (92 %)" in text


def test_stages_that_differ_become_columns() -> None:
    gpus = (
        make_gpu(0),
        make_gpu(1),
        make_gpu(2, stage=1, weights_bytes=10**9),
        make_gpu(3, stage=1, weights_bytes=10**9),
    )
    plan = make_plan(layout=Layout(tensor=2, pipeline=2), memory=make_memory(per_gpu=gpus))

    lines = to_text(plan).splitlines()

    header = next(line for line in lines if "rank 0-1" in line)
    weights = next(line for line in lines if line.strip().startswith("weights"))
    assert header.split() == ["rank", "0-1", "rank", "2-3"]
    assert weights.split() == ["weights", "30.59", "0.93"]


@pytest.mark.parametrize("width", [72, 80, 100])
def test_lines_keep_to_the_width(width: int) -> None:
    refusals = (make_refusal(message="why " * 60), make_refusal(rule="Other", message="so " * 90))
    plan = make_plan(warnings=("beware " * 40,), refusals=refusals)

    for text in (to_text(plan, width), to_text(make_no_plan(refusals=refusals), width)):
        assert max(map(len, text.splitlines())) <= width


def test_the_command_can_be_pasted_into_a_shell() -> None:
    words = [
        "vllm",
        "serve",
        "Qwen/Qwen3-32B",
        "--hf-overrides",
        '{"a": 1}',
        "--max-model-len",
        "40960",
    ]
    words += [f"--option-{i}" for i in range(10)]
    text = to_text(make_plan(command=tuple(words), env=(("A", "b c"),)))

    block = text.split("Command\n")[1].split("\n\n")[0]

    assert shlex.split(block.replace("\\\n", " ")) == ["A=b c", *words]
    assert "--max-model-len 40960" in block


def test_nothing_is_styled_unless_asked_for() -> None:
    plan = make_plan()

    assert "\x1b" not in to_text(plan)
    assert to_text(plan).isascii()
    assert "\x1b[1m" in to_text(plan, styled=True)
    assert "\x1b[1mMemory of each" in to_text(plan, styled=True)
    assert "\nEngine       vllm" in to_text(plan, styled=True)


def test_bars_are_drawn_with_blocks_where_the_encoding_has_them() -> None:
    plan = make_plan()

    drawn, typed = to_text(plan, blocks=True), to_text(plan)

    bars = [
        next(line for line in text.splitlines() if "  weights" in line).split()[-1]
        for text in (drawn, typed)
    ]
    assert set(bars[0]) <= set(BLOCKS)
    assert bars[0].count("█") == pytest.approx(bars[1].count("#"), abs=1)
    assert bars[1].count("#") > 10
    assert max(map(len, drawn.splitlines())) <= 80


@pytest.mark.parametrize("blocks", [False, True])
def test_ranks_that_differ_have_a_stacked_bar_each(*, blocks: bool) -> None:
    gpus = tuple(make_gpu(rank, stage=rank, weights_bytes=(rank + 1) * 2**34) for rank in range(2))
    plan = make_plan(layout=Layout(pipeline=2), memory=make_memory(per_gpu=gpus))

    lines = to_text(plan, blocks=blocks).splitlines()

    bars = [line.split()[-1] for line in lines if line.startswith("  rank ")][-2:]
    weights, left = ("█", "░") if blocks else ("W", ".")
    assert len(bars[0]) == len(bars[1])
    assert bars[1].count(weights) == pytest.approx(2 * bars[0].count(weights), abs=1)
    assert bars[0].count(left) > bars[1].count(left)
    assert f"{weights} weights" in "\n".join(lines)
    assert max(map(len, lines)) <= 80


def test_warnings_and_alternatives_are_told() -> None:
    text = to_text(
        make_plan(warnings=("2 GPUs idle.",), alternatives=(make_plan(quantization="fp8"),))
    )

    assert "  ! 2 GPUs idle." in text
    assert "fp8    tp2     2 x H100-SXM-80GB   40,960    327,600     8.00" in text


def test_a_price_a_revision_and_another_name_are_told() -> None:
    text = to_text(make_plan(usd_per_hour=7.98, revision="abc123", served_name="chat"))

    assert "Price        $7.98 an hour" in text
    assert "Revision     abc123" in text
    assert "Served as    chat" in text


def test_where_nothing_fits_it_says_what_is_missing_and_what_would_fit() -> None:
    text = to_text(make_no_plan())

    assert text.splitlines()[0] == "Qwen3-32B does not fit"
    assert "bf16 tp1 on L40S-48GB: InsufficientGPUMemory, 21.7 GiB missing per GPU" in text
    assert "    try  --quantization fp8" in text
    assert "Nearest that fits\n  --quantization fp8\n  Qwen3-32B fits: fp8, TP 2" in text


def test_where_nothing_is_near_it_says_so() -> None:
    assert "No single change" in to_text(make_no_plan(nearest=None))


def test_refusals_that_differ_in_quantization_only_are_told_once() -> None:
    rule = {"rule": "AttentionHeadDivisibility", "needed_bytes": None, "available_bytes": None}
    refusals = tuple(make_refusal(quantization=q, **rule) for q in ("bf16", "fp8"))

    text = to_text(make_no_plan(refusals=refusals))

    assert text.count("AttentionHeadDivisibility") == 1
    assert "  bf16, fp8 tp1 on L40S-48GB: AttentionHeadDivisibility\n" in text


def test_many_refusals_are_counted_not_poured_out() -> None:
    refusals = tuple(make_refusal(rule=f"Rule{i}") for i in range(12))

    text = to_text(make_plan(refusals=refusals))

    assert "Rule4" in text
    assert "Rule5" not in text
    assert "and 7 more: -o json lists all" in text


def test_a_single_device_is_named_and_has_no_line_for_graphs_it_does_not_have() -> None:
    board = Placement("RaspberryPi5-8GB", (PlacedNode(None, 1),))
    memory = make_memory(per_gpu=(make_gpu(0, graph_bytes=0),))
    text = to_text(make_plan(layout=Layout(), placement=board, memory=memory))

    assert "Memory of RaspberryPi5-8GB, in GiB" in text
    assert "GPU, in GiB" not in text
    assert "CUDA graphs" not in text
    assert "CUDA graphs" in to_text(make_plan())
