from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import DATA_FOLDER, load_catalog, read_catalog

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(DATA_FOLDER, tmp_path / "data")


@pytest.mark.parametrize(
    "file", ["models.json", "checkpoints.json", "accelerators.json", "engines.json"]
)
def test_two_rows_of_one_name_are_refused_whatever_their_case(folder: Path, file: str) -> None:
    rows = json.loads((folder / file).read_text())
    key = "uri" if file == "checkpoints.json" else "name"
    rows.append({**rows[0], key: rows[0][key].upper()})
    (folder / file).write_text(json.dumps(rows))

    with pytest.raises(ValueError, match=f"{file}: two rows"):
        read_catalog(folder)


def test_a_row_that_lacks_a_field_is_refused(folder: Path) -> None:
    rows = json.loads((folder / "models.json").read_text())
    del rows[0]["source"]
    (folder / "models.json").write_text(json.dumps(rows))

    with pytest.raises(TypeError, match="source"):
        read_catalog(folder)


def test_the_catalog_is_read_once() -> None:
    assert load_catalog() is load_catalog()


def test_the_catalog_can_be_a_key() -> None:
    assert hash(load_catalog()) == hash(read_catalog(DATA_FOLDER))
    assert load_catalog() == read_catalog(DATA_FOLDER)
