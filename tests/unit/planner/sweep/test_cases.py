from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwen3_planner.errors import SpecError
from qwen3_planner.sweep.cases import read_cases

if TYPE_CHECKING:
    from pathlib import Path

GRID = """
grid:
  model: [Qwen3-8B, Qwen3-32B]
  hardware: 1xL4
  max-model-len: [2048, 4096]
cases:
- {model: Qwen3-4B, hardware: 1xT4, kv_cache_dtype: fp8}
"""


def written(folder: Path, name: str, text: str) -> str:
    file = folder / name
    file.write_text(text)
    return str(file)


def test_a_grid_is_its_product_in_order_and_then_the_list(tmp_path: Path) -> None:
    cases = read_cases(written(tmp_path, "a.yaml", GRID))

    assert cases.count == 5
    assert list(cases.read()) == [
        {"model": "Qwen3-8B", "hardware": "1xL4", "maxModelLen": 2048},
        {"model": "Qwen3-8B", "hardware": "1xL4", "maxModelLen": 4096},
        {"model": "Qwen3-32B", "hardware": "1xL4", "maxModelLen": 2048},
        {"model": "Qwen3-32B", "hardware": "1xL4", "maxModelLen": 4096},
        {"model": "Qwen3-4B", "hardware": "1xT4", "kvCacheDtype": "fp8"},
    ]
    assert list(cases.read()) == list(cases.read())


def test_lines_of_json_and_rows_of_csv_say_the_same(tmp_path: Path) -> None:
    lines = '{"model": "Qwen3-8B", "hardware": "1xL4", "tensor": "2"}\n\n{"model": "Qwen3-4B"}\n'
    table = "model,hardware,tensor\nQwen3-8B,1xL4,2\nQwen3-4B,,\n"

    from_lines = read_cases(written(tmp_path, "a.jsonl", lines))
    from_table = read_cases(written(tmp_path, "a.csv", table))

    assert list(from_lines.read()) == list(from_table.read())
    assert from_lines.count == from_table.count == 2


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("name", "text", "field", "said"),
    [
        pytest.param("a.txt", "x", "CASES", "ending", id="no form"),
        pytest.param("a.jsonl", "\n", "CASES", "holds no case", id="nothing"),
        pytest.param("a.yaml", "rows: []", "CASES", "a grid, a list of cases", id="other keys"),
        pytest.param("a.yaml", "grid: [1]", "grid", "must name fields", id="no fields"),
        pytest.param(
            "a.yaml", "[{model: Qwen3-8B, hardwear: 1}]", "cases[0]", "hardware", id="typo"
        ),
        pytest.param(
            "a.yaml", "[{model: [Qwen3-8B]}]", "cases[0]", "text or a number", id="a list"
        ),
        pytest.param("a.yaml", "{a: ]", "CASES", "is no YAML", id="no YAML"),
        pytest.param(
            "a.yaml",
            f"grid: {{model: {['m'] * 10000}, hardware: {['h'] * 10001}, tensor: [1, 2]}}",
            "CASES",
            "more than 100,000,000",
            id="a slip of the pen",
        ),
    ],
)
def test_a_wrong_file_is_told_at_once(
    tmp_path: Path, name: str, text: str, field: str, said: str
) -> None:
    with pytest.raises(SpecError) as caught:
        read_cases(written(tmp_path, name, text))

    assert field in caught.value.field
    assert said in str(caught.value)


def test_a_bad_line_names_its_number(tmp_path: Path) -> None:
    cases = read_cases(written(tmp_path, "a.jsonl", '{"model": "Qwen3-8B"}\nnonsense\n'))

    with pytest.raises(SpecError, match=r"a\.jsonl:2"):
        list(cases.read())


def test_a_missing_file_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot be read"):
        read_cases(str(tmp_path / "none.csv"))
