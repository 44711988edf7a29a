"""Weights that a hub has cut into several GGUF files come as the one that an engine is told of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gguf
import numpy as np
import pytest

from qwen3_operator.fetching.hubs import RemoteFile, Repository, access
from qwen3_operator.fetching.joining import weights_in
from qwen3_operator.fetching.problems import DamagedError, MissingError
from qwen3_operator.fetching.program import Order, fetch
from qwen3_operator.fetching.web import Web
from support.hub_server import Hub

if TYPE_CHECKING:
    from pathlib import Path

INCLUDE = ("*Q8_0*.gguf", "mmproj*F16.gguf")
LINK = "Qwen3-8B-Q8_0.gguf"
TENSORS = {f"blk.{n}.weight": np.arange(n * 7, n * 7 + 33 + n, dtype=np.float32) for n in range(7)}
"""Of sizes that are no multiple of the alignment."""


@pytest.fixture
def split(tmp_path: Path) -> dict[str, bytes]:
    """A file in three parts, as the format's own package cuts it, in a folder of the repository."""
    folder = tmp_path / "split"
    folder.mkdir()
    writer = gguf.GGUFWriter(folder / "m-Q8_0.gguf", "qwen3", split_max_tensors=3)
    writer.add_context_length(40960)
    writer.add_array("tokenizer.ggml.tokens", ["a", "bc", ""])
    writer.add_array("odd.nested", [[1, 2], [3]])
    writer.add_string("general.name", "a" * 1000)
    for name, values in TENSORS.items():
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    found = {f"Q8_0/{path.name}": path.read_bytes() for path in folder.iterdir()}
    assert len(found) == 3
    return found


def order(folder: Path, **fields: Any) -> Order:  # noqa: ANN401 - fields of an order
    return Order(Repository("hf", "org/model", ""), folder, include=INCLUDE, link=LINK, **fields)


def fetched(hub: Hub, wanted: Order) -> str:
    given = {"HF_ENDPOINT": hub.url}
    _, headers = access("hf", given)
    return fetch(wanted, given, Web(headers, pause=lambda _: None))


def check(whole: Path) -> None:
    """Read the whole with the format's own package: every tensor, every key, nothing of a part."""
    reader = gguf.GGUFReader(whole)
    assert {t.name: t.data.tolist() for t in reader.tensors} == {
        name: values.tolist() for name, values in TENSORS.items()
    }
    assert reader.fields["qwen3.context_length"].contents() == 40960
    assert reader.fields["tokenizer.ggml.tokens"].contents() == ["a", "bc", ""]
    assert not [key for key in reader.fields if key.startswith("split.")]


def test_a_split_file_comes_as_one(split: dict[str, bytes], tmp_path: Path) -> None:
    with Hub({"README.md": b"", "m-Q4_K_M.gguf": b"4", **split}) as hub:
        told = fetched(hub, order(tmp_path / "cache"))

    check(tmp_path / "cache" / LINK)
    assert told.startswith("3 files, ")
    assert [path.name for path in (tmp_path / "cache").rglob("*.gguf")] == [LINK]


def test_what_is_joined_is_not_fetched_again(split: dict[str, bytes], tmp_path: Path) -> None:
    with Hub(split) as hub:
        fetched(hub, order(tmp_path / "cache"))
        hub.requests.clear()
        fetched(hub, order(tmp_path / "cache"))

    assert hub.fetched() == []


@pytest.mark.parametrize("ignores_ranges", [False, True])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_it_goes_on_where_it_stopped(
    split: dict[str, bytes], part: int, tmp_path: Path, *, ignores_ranges: bool
) -> None:
    path = sorted(split)[part]
    with Hub(split, ignores_ranges=ignores_ranges) as hub:
        original, answers = hub.breaks, iter((None, len(split[path]) - 40))
        hub.breaks = BreaksAt(path, answers)  # the head is read whole, the data breaks off
        fetched(hub, order(tmp_path / "cache"))
        assert hub.breaks is not original

    check(tmp_path / "cache" / LINK)


class BreaksAt(dict[str, int]):
    """Breaks off the answers for one path as told, one after the other."""

    def __init__(self, path: str, answers: Any) -> None:  # noqa: ANN401 - an iterator
        super().__init__()
        self._path, self._answers = path, answers

    def pop(self, key: str, default: Any = None) -> Any:  # noqa: ANN401 - as of a dict
        told = next(self._answers, None) if key == self._path else None
        return default if told is None else told


def test_a_later_run_goes_on_with_what_an_earlier_one_left(
    split: dict[str, bytes], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    with Hub(split) as hub:
        fetched(hub, order(cache))
        whole = (cache / LINK).read_bytes()
        (cache / LINK).unlink()
        (cache / f".{LINK}.part").write_bytes(whole[:-100])
        hub.requests.clear()
        fetched(hub, order(cache))
        ranges = [h.get("Range") for _, h in hub.requests if h.get("Range")]

    assert (cache / LINK).read_bytes() == whole
    assert len(ranges) == 1
    assert ranges[0] == f"bytes={len(split[max(split)]) - 100}-"


def test_the_rest_of_another_file_is_thrown_away(split: dict[str, bytes], tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / f".{LINK}.part").write_bytes(b"x" * 1200)
    with Hub(split) as hub:
        fetched(hub, order(cache))

    check(cache / LINK)


def test_a_part_that_is_not_what_the_hub_lists_is_thrown_away(
    split: dict[str, bytes], tmp_path: Path
) -> None:
    last = max(split)
    broken = {**split, last: split[last][:-4] + b"\0\1\2\3"}
    with Hub(broken) as hub:
        hub.files = Lying(broken, split)
        with pytest.raises(DamagedError, match="not what the hub lists"):
            fetched(hub, order(tmp_path / "cache"))
        hub.files = split
        fetched(hub, order(tmp_path / "cache"))

    check(tmp_path / "cache" / LINK)


class Lying(dict[str, bytes]):
    """Lists the files as they should be and serves others."""

    def __init__(self, served: dict[str, bytes], listed: dict[str, bytes]) -> None:
        super().__init__(served)
        self._listed = listed

    def items(self) -> Any:  # noqa: ANN401 - a view of a dict
        return self._listed.items()


def test_an_encoder_of_images_is_reachable_by_the_planned_name(tmp_path: Path) -> None:
    files = {"Qwen3VL-8B-Q8_0.gguf": b"8", "mmproj-F16.gguf": b"e", "mmproj-BF16.gguf": b"b"}
    with Hub(files) as hub:
        fetched(hub, order(tmp_path, encoder_link="mmproj-Qwen3-VL-8B-F16.gguf"))

    assert (tmp_path / "mmproj-Qwen3-VL-8B-F16.gguf").read_bytes() == b"e"
    assert not (tmp_path / "mmproj-BF16.gguf").exists()
    assert (tmp_path / LINK).read_bytes() == b"8"


def remote(*paths: str) -> list[RemoteFile]:
    return [RemoteFile(path, 1, "", "") for path in paths]


@pytest.mark.parametrize(
    ("paths", "chosen"),
    [
        (("a-Q2_K.gguf", "a-Q2_K_L.gguf", "a-UD-Q2_K_XL.gguf"), ["a-Q2_K.gguf"]),
        (("a-q2_k.gguf",), ["a-q2_k.gguf"]),
        (("whatever.gguf",), ["whatever.gguf"]),
        (
            ("Q2_K/a-Q2_K-00002-of-00002.gguf", "Q2_K/a-Q2_K-00001-of-00002.gguf"),
            ["Q2_K/a-Q2_K-00001-of-00002.gguf", "Q2_K/a-Q2_K-00002-of-00002.gguf"],
        ),
    ],
)
def test_of_files_of_like_names_the_planned_type_is_taken(
    paths: tuple[str, ...], chosen: list[str]
) -> None:
    assert [part.path for part in weights_in(remote(*paths), "Q2_K").parts] == chosen


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (("a-Q2_K.gguf", "b-Q2_K.gguf"), "there are: a-Q2_K, b-Q2_K"),
        (("mmproj-F16.gguf",), "there are: none"),
        (("a-Q2_K-00001-of-00003.gguf", "a-Q2_K-00003-of-00003.gguf"), "3 parts, and 2 are there"),
    ],
)
def test_what_is_not_one_whole_file_is_refused(paths: tuple[str, ...], words: str) -> None:
    with pytest.raises(MissingError, match=words):
        weights_in(remote(*paths), "Q2_K")


def test_a_part_that_is_no_gguf_file_is_refused(tmp_path: Path) -> None:
    files = {f"m-Q8_0-0000{n}-of-00002.gguf": b"<html>" * 100 for n in (1, 2)}
    with Hub(files) as hub, pytest.raises(DamagedError, match="no GGUF file"):
        fetched(hub, order(tmp_path))
