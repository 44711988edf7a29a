"""A cache is filled from a hub: whole, once, from where it stopped, or with a reason why not."""

from __future__ import annotations

import errno
import shutil
from collections import namedtuple
from typing import TYPE_CHECKING, Any

import pytest

from qwen3_operator.fetching import transfer
from qwen3_operator.fetching.hubs import Repository, access
from qwen3_operator.fetching.problems import (
    DamagedError,
    FetchError,
    FullError,
    MissingError,
    RefusedError,
    UnreachableError,
)
from qwen3_operator.fetching.program import Order, fetch, run
from qwen3_operator.fetching.web import Web
from support.hub_server import Hub

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "config.json": b"{}",
    "model-00001-of-00002.safetensors": b"a" * 5000,
    "model-00002-of-00002.safetensors": b"b" * 3000,
    "pytorch_model.bin": b"the same once more",
    "original/consolidated.00.pth": b"and again",
}
READ = ["config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
SECRET = "hf_MARKER"  # noqa: S105 - of nobody


def order(folder: Path, hub: str = "hf", **fields: Any) -> Order:  # noqa: ANN401 - fields of an order
    return Order(Repository(hub, "org/model", fields.pop("revision", "")), folder, **fields)


def surroundings(hub: Hub) -> dict[str, str]:
    return {"HF_ENDPOINT": hub.url, "MODEL_ENDPOINT": hub.url}


def fetched(hub: Hub, wanted: Order, **environment: str) -> str:
    """Fetch without waiting between attempts."""
    given = surroundings(hub) | environment
    _, headers = access(wanted.repository.hub, given)
    return fetch(wanted, given, Web(headers, pause=lambda _: None))


def there(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".fetched-commit"
    }


@pytest.mark.parametrize("hub_name", ["hf", "modelscope"])
def test_what_an_engine_reads_is_fetched_and_other_formats_are_not(
    hub_name: str, tmp_path: Path
) -> None:
    with Hub(FILES) as hub:
        told = fetched(hub, order(tmp_path / "q", hub_name))
    assert there(tmp_path / "q") == {path: FILES[path] for path in READ}
    assert told == "3 files, 8002 bytes of org/model are there."


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    with Hub(FILES) as hub:
        fetched(hub, order(tmp_path))
        before = len(hub.fetched())
        fetched(hub, order(tmp_path))
        assert len(hub.fetched()) == before == 3


def test_parts_together_are_everything_and_share_nothing(tmp_path: Path) -> None:
    with Hub(FILES) as hub:
        for part in range(3):
            fetched(hub, order(tmp_path, part=part, parts=3))
        assert sorted(hub.fetched()) == READ
    assert sorted(there(tmp_path)) == READ


@pytest.mark.parametrize("ignores_ranges", [False, True])
def test_a_file_that_broke_off_goes_on_where_it_stopped(
    ignores_ranges: bool,  # noqa: FBT001 - a case
    tmp_path: Path,
) -> None:
    big = "model-00001-of-00002.safetensors"
    with Hub(FILES, breaks={big: 1234}, ignores_ranges=ignores_ranges) as hub:
        fetched(hub, order(tmp_path))
        asked = [headers.get("Range") for url, headers in hub.requests if big in url]
    assert asked == [None, "bytes=1234-"]
    assert there(tmp_path)[big] == FILES[big]


def test_a_later_run_goes_on_where_an_earlier_one_was_killed(tmp_path: Path) -> None:
    big = "model-00001-of-00002.safetensors"
    (tmp_path / f".{big}.part").write_bytes(FILES[big][:4000])
    with Hub(FILES) as hub:
        fetched(hub, order(tmp_path))
        asked = [headers.get("Range") for url, headers in hub.requests if big in url]
    assert asked == ["bytes=4000-"]
    assert there(tmp_path)[big] == FILES[big]


def test_parts_are_of_one_commit_even_if_the_branch_moves(tmp_path: Path) -> None:
    with Hub(FILES) as hub:
        fetched(hub, order(tmp_path, revision="v1", parts=2))
        hub.commit = "moved"
        fetched(hub, order(tmp_path, revision="v1", part=1, parts=2))
        lists = [url for url, _ in hub.requests if "/api/models/" in url]
    assert ["/v1?" in lists[0], "/c0ffee?" in lists[1]] == [True, True]


def test_a_file_that_is_not_what_the_hub_lists_is_removed(tmp_path: Path) -> None:
    big = "model-00001-of-00002.safetensors"
    (tmp_path / f".{big}.part").write_bytes(b"x" * len(FILES[big]))
    with Hub(FILES) as hub:
        with pytest.raises(DamagedError, match="not what the hub lists"):
            fetched(hub, order(tmp_path))
        assert big not in there(tmp_path)
        fetched(hub, order(tmp_path))
    assert there(tmp_path)[big] == FILES[big]


@pytest.mark.parametrize(
    ("include", "link", "names"),
    [
        (("*Q4_K_M*.gguf",), "", {"m-Q4_K_M.gguf"}),
        (
            ("*Q4_K_M*.gguf", "mmproj*"),
            "Qwen3-8B-Q4_K_M.gguf",
            {"m-Q4_K_M.gguf", "mmproj-F16.gguf"},
        ),
    ],
)
def test_of_many_gguf_files_the_planned_one_is_fetched_and_named(
    include: tuple[str, ...], link: str, names: set[str], tmp_path: Path
) -> None:
    files = {"m-Q4_K_M.gguf": b"4", "m-Q8_0.gguf": b"8", "mmproj-F16.gguf": b"e"}
    with Hub(files) as hub:
        fetched(hub, order(tmp_path, include=include, link=link))
    assert set(there(tmp_path)) == names | ({link} if link else set())
    if link:
        assert (tmp_path / link).read_bytes() == b"4"


def test_a_private_repository_needs_its_token(tmp_path: Path) -> None:
    with Hub(FILES, token=SECRET) as hub:
        with pytest.raises(RefusedError, match="401"):
            fetched(hub, order(tmp_path))
        fetched(hub, order(tmp_path), HF_TOKEN=SECRET)
    assert sorted(there(tmp_path)) == READ


def test_the_token_does_not_follow_to_another_host(tmp_path: Path) -> None:
    with (
        Hub(FILES) as network,
        Hub(FILES, token=SECRET, content_network=network.url) as hub,
    ):
        fetched(hub, order(tmp_path), HF_TOKEN=SECRET)
        assert network.requests
        assert not any("Authorization" in headers for _, headers in network.requests)
    assert sorted(there(tmp_path)) == READ


def test_a_hub_that_stumbles_is_asked_again(tmp_path: Path) -> None:
    with Hub(FILES, failures=[503, 429, 500]) as hub:
        fetched(hub, order(tmp_path))
    assert sorted(there(tmp_path)) == READ


def test_a_hub_that_stays_down_is_unreachable(tmp_path: Path) -> None:
    with Hub(FILES, failures=[503] * 9) as hub, pytest.raises(UnreachableError, match="503"):
        fetched(hub, order(tmp_path))
    with pytest.raises(UnreachableError, match="cannot be reached"):
        fetched(hub, order(tmp_path))


def test_a_repository_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    wanted = Order(Repository("hf", "org/other", ""), tmp_path)
    with Hub(FILES) as hub, pytest.raises(MissingError, match="404"):
        fetched(hub, wanted)


def test_a_file_outside_the_repository_is_refused(tmp_path: Path) -> None:
    with Hub({"../../etc/passwd": b"x"}) as hub, pytest.raises(FetchError, match="outside itself"):
        fetched(hub, order(tmp_path))


def test_a_volume_without_room_is_refused_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil's
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9000, 2000, 7000))
    with Hub(FILES) as hub:
        with pytest.raises(FullError, match="are to come and"):
            fetched(hub, order(tmp_path))
        assert hub.fetched() == []


def test_a_volume_that_runs_full_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(transfer, "_receive", full)
    with Hub(FILES) as hub, pytest.raises(FullError, match="ran full"):
        fetched(hub, order(tmp_path))


@pytest.mark.parametrize(
    ("environment", "code", "words"),
    [
        ({"HF_TOKEN": SECRET}, 0, "3 files"),
        ({"HF_TOKEN": "wrong"}, 41, "401"),
        ({"HF_ENDPOINT": "file:///etc"}, 1, "is not the URL of a hub"),
    ],
)
def test_the_last_words_say_how_it_went_without_the_token(
    environment: dict[str, str],
    code: int,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = tmp_path / "termination-log"
    with Hub(FILES, token=SECRET) as hub:
        assert run(order(tmp_path / "q"), surroundings(hub) | environment, message) == code
    said = message.read_text() + "".join(capsys.readouterr())
    assert words in message.read_text()
    assert not any(f"{token}" in said for token in (SECRET, "wrong"))
