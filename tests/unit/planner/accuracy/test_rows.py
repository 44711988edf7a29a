from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from support.accuracy.comparing import Figure, Verdict
from support.accuracy.page import percent, readme_table, with_table
from support.accuracy.planned import NotPlannedError, estimate
from support.accuracy.rows import (
    FILE_COLUMNS,
    LAUNCH_COLUMNS,
    exclusions,
    fitted,
    launches,
    weight_files,
)
from support.accuracy.scores import confusion, coverage, percentile, score

if TYPE_CHECKING:
    from pathlib import Path

    from support.accuracy.rows import Launch


def a_folder(tmp_path: Path, *cells: dict[str, str]) -> Path:
    (tmp_path / "launches").mkdir()
    lines = [",".join(LAUNCH_COLUMNS)]
    honest = {
        "id": "X1", "engine": "vllm", "version": "0.28.0", "model": "Qwen3-8B",
        "quantization": "bf16", "accelerator": "L40S-48GB", "tensor": "1",
        "weights_gib": "15.27", "source": "a log",
    }  # fmt: skip
    for cell in cells:
        row = {**honest, **cell}
        lines.append(",".join(row.get(name, "") for name in LAUNCH_COLUMNS))
    (tmp_path / "launches" / "some.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return tmp_path


def a_launch(tmp_path: Path, **cells: str) -> Launch:
    (row,) = launches(a_folder(tmp_path, cells))
    return row


def test_a_blank_is_not_stated(tmp_path: Path) -> None:
    row = a_launch(tmp_path)
    assert row.max_model_len is None
    assert row.utilization is None
    assert row.enforce_eager is None
    assert row.weights_gib == 15.27


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"outcome": "works"}, "X1: outcome 'works'"),
        ({"assumed": "weather"}, "X1: assumed 'weather' names no column"),
        ({"kv_tokens": "many"}, "X1: kv_tokens is 'many'"),
        ({"source": ""}, "X1: no source"),
        ({"compiled": "twice"}, "X1: compiled 'twice'"),
    ],
)
def test_a_wrong_cell_is_named(tmp_path: Path, cells: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        launches(a_folder(tmp_path, cells))


def test_two_rows_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="these ids occur twice: X1"):
        launches(a_folder(tmp_path, {}, {"model": "Qwen3-4B"}))


def test_another_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "some.csv").write_text(",".join(FILE_COLUMNS[1:]) + "\n", "utf-8")
    with pytest.raises(ValueError, match="its columns must be"):
        weight_files(tmp_path)


def test_an_exclusion_without_a_reason_is_refused(tmp_path: Path) -> None:
    (tmp_path / "excluded.csv").write_text("id,parts,reason\nX1,kv,\n", "utf-8")
    with pytest.raises(ValueError, match="X1"):
        exclusions(tmp_path)


def test_a_row_that_states_a_term_apart_is_for_fitting(tmp_path: Path) -> None:
    assert a_launch(tmp_path, activation_gib="5.64").is_for_fitting


def fitted_in(tmp_path: Path, line: str) -> Path:
    folder = a_folder(tmp_path, {"id": "X1", "graphs_gib": "0.6"}, {"id": "X2"})
    (folder / "fitted.csv").write_text(f"id,parts,constants\n{line}\n", "utf-8")
    return folder


def test_a_row_is_fitted_in_the_parts_that_a_constant_decides(tmp_path: Path) -> None:
    found = fitted(fitted_in(tmp_path, "X1,graphs verdict,GRAPH_SIGMA"))["X1"]
    assert found.decides("graphs")
    assert not found.decides("kv")
    assert replace(found, parts=("all",)).decides("kv")


@pytest.mark.parametrize("line", ["X2,all,GRAPH_SIGMA", "X1,all,", "X1,weather,GRAPH_SIGMA"])
def test_a_fitted_row_states_a_term_and_names_a_constant(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError, match=r"fitted.csv: X"):
        fitted(fitted_in(tmp_path, line))


def test_a_start_that_was_compiled_before_has_more_cache(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "before")]
    for folder in folders:
        folder.mkdir()
    first, before = (a_launch(folder, compiled=folder.name) for folder in folders)
    assert first.compiled is False
    assert before.compiled is True
    assert estimate(before).kv > estimate(first).kv


def test_settings_that_a_row_states_reach_the_estimate(tmp_path: Path) -> None:
    plain, folder = a_launch(tmp_path), tmp_path / "other"
    folder.mkdir()
    lower = a_launch(folder, utilization="0.5", device_gib="40")
    assert estimate(lower).budget == int(0.5 * 40 * 2**30)
    assert estimate(lower).kv < estimate(plain).kv
    assert estimate(lower).weights == estimate(plain).weights


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"model": "Qwen3-9B"}, "the catalog has no Qwen3-9B"),
        ({"accelerator": "H100-SXM-81GB"}, "the catalog has no H100-SXM-81GB"),
        ({"quantization": "fp7"}, "no weight format is called fp7"),
        ({"version": "0.1.0"}, "serves Qwen3 from"),
    ],
)
def test_what_is_not_planned_is_said(tmp_path: Path, cells: dict[str, str], reason: str) -> None:
    with pytest.raises(NotPlannedError, match=reason):
        estimate(a_launch(tmp_path, **cells))


def a_figure(logged: float, computed: float, low: float = 0.0, high: float = 9.0) -> Figure:
    return Figure(
        "X", "weights", "vllm", "Qwen3-8B", "bf16", "tp1", "GiB", logged, computed, low, high
    )


def test_errors_are_summed_up_without_their_sign() -> None:
    found = score([a_figure(1, 1.1), a_figure(1, 0.8), a_figure(1, 1.0)])
    assert found.median == pytest.approx(0.1)
    assert found.worst == found.p90 == pytest.approx(0.2)


def test_the_percentile_is_a_value_that_occurs() -> None:
    assert percentile([1.0] * 9 + [5.0], 90) == 1.0
    assert percentile([1.0] * 8 + [5.0, 6.0], 90) == 5.0


def test_coverage_counts_the_truth_not_the_estimate() -> None:
    found = coverage([a_figure(1, 5, 4, 6), a_figure(5, 5, 4, 6)])
    assert found is not None
    assert (found.inside, found.rows) == (1, 2)
    assert found.median_width == pytest.approx((2 / 1 + 2 / 5) / 2)


def test_verdicts_are_told_by_which_way_they_are_wrong() -> None:
    def verdict(*, started: bool, planned: bool) -> Verdict:
        return Verdict("X", "vllm", "Qwen3-8B", "bf16", "tp1", started, planned, is_fitted=False)

    told = confusion(
        [
            verdict(started=True, planned=True),
            verdict(started=True, planned=False),
            verdict(started=False, planned=True),
            verdict(started=False, planned=True),
        ]
    )
    assert len(told.starts_wrongly) == 2
    assert len(told.refuses_wrongly) == 1
    assert told.share_right == 0.25


def test_shares_are_written_with_two_telling_digits() -> None:
    assert [percent(x) for x in (0.00007, 0.0032, 0.032, 0.32)] == [
        "0.007 %",
        "0.32 %",
        "3.2 %",
        "32 %",
    ]


def test_the_table_of_the_readme_replaces_the_old_one() -> None:
    from support.accuracy.comparing import compare  # noqa: PLC0415 - reads every row

    text = with_table("a <!-- accuracy: -->old<!-- :accuracy --> b", compare())
    assert "old" not in text
    assert "\n".join(readme_table(compare())) in text
    assert text.startswith("a ")
    assert text.endswith(" b")
    with pytest.raises(ValueError, match="has no"):
        with_table("no place", compare())
