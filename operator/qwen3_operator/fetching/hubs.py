"""What files a repository has, as each hub tells it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from qwen3_operator.fetching.problems import FetchError, MissingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from qwen3_operator.fetching.web import Web

HUGGING_FACE = "https://huggingface.co"
MODELSCOPE = "https://www.modelscope.cn"

OTHER_FORMATS = (
    "*.bin",
    "*.ckpt",
    "*.gguf",
    "*.h5",
    "*.msgpack",
    "*.onnx",
    "*.onnx_data",
    "*.ot",
    "*.pt",
    "*.pth",
    "*.tflite",
    "original/*",
)
"""Weights once more, which no engine reads where there are safetensors."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a repository.

    Attributes:
        path: in the repository.
        size: in bytes.
        sha256: of its bytes; empty where the hub does not tell.
        url: to read it from.
    """

    path: str
    size: int
    sha256: str
    url: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on a hub at a revision; empty revision: the hub's default branch."""

    hub: str
    name: str
    revision: str

    def files(self, web: Web, endpoint: str, pinned: str = "") -> tuple[str, list[RemoteFile]]:
        """Return the commit and its files.

        Args:
            web: access to the hub.
            endpoint: URL of the hub or its mirror.
            pinned: commit that was found earlier; empty: look it up.

        Raises:
            FetchError: the hub refuses, does not know it, or does not answer.
        """
        listing = _on_modelscope if self.hub == "modelscope" else _on_hugging_face
        commit, files = listing(self, web, endpoint.rstrip("/"), pinned)
        for file in files:
            if file.path.startswith("/") or ".." in file.path.split("/"):
                raise FetchError(f"{self.name} names a file outside itself: {file.path}.")
        return commit, files


def access(hub: str, environment: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return the hub's URL and the headers that carry the token, from the environment.

    >>> access("hf", {"HF_TOKEN": "t", "HF_ENDPOINT": "https://hf-mirror.com"})
    ('https://hf-mirror.com', {'User-Agent': 'qwen3-operator', 'Authorization': 'Bearer t'})
    """
    headers = {"User-Agent": "qwen3-operator"}
    if hub == "modelscope":
        token = environment.get("MODELSCOPE_API_TOKEN", "")
        if token:  # the session's cookie is what older servers read
            headers |= {"Authorization": f"Bearer {token}", "Cookie": f"m_session_id={token}"}
        return environment.get("MODEL_ENDPOINT") or MODELSCOPE, headers
    token = environment.get("HF_TOKEN", "")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return environment.get("HF_ENDPOINT") or HUGGING_FACE, headers


def _on_hugging_face(
    wanted: Repository, web: Web, endpoint: str, pinned: str
) -> tuple[str, list[RemoteFile]]:
    revision = quote(pinned or wanted.revision or "main", safe="")
    answer = web.read_json(f"{endpoint}/api/models/{wanted.name}/revision/{revision}?blobs=true")
    commit = str(answer["sha"])
    return commit, [
        RemoteFile(
            path=entry["rfilename"],
            size=int(entry.get("size") or 0),
            sha256=str((entry.get("lfs") or {}).get("sha256") or ""),
            url=f"{endpoint}/{wanted.name}/resolve/{commit}/{quote(entry['rfilename'])}",
        )
        for entry in answer["siblings"]
    ]


def _on_modelscope(
    wanted: Repository, web: Web, endpoint: str, pinned: str
) -> tuple[str, list[RemoteFile]]:
    revision = pinned or wanted.revision or "master"
    root = f"{endpoint}/api/v1/models/{wanted.name}/repo"
    answer: dict[str, Any] = web.read_json(
        f"{root}/files?Revision={quote(revision, safe='')}&Recursive=true"
    )
    if not answer.get("Data"):
        raise MissingError(f"{wanted.name} has no files at {revision}: {answer.get('Message')}.")
    return revision, [
        RemoteFile(
            path=entry["Path"],
            size=int(entry.get("Size") or 0),
            sha256=str(entry.get("Sha256") or ""),
            url=f"{root}?Revision={quote(revision, safe='')}&FilePath={quote(entry['Path'])}",
        )
        for entry in answer["Data"]["Files"]
        if entry.get("Type") != "tree"
    ]


def needed(files: Iterable[RemoteFile], include: Sequence[str]) -> list[RemoteFile]:
    """Pick the files that an engine reads, in order of their paths.

    Args:
        files: of the repository.
        include: patterns of paths; empty: all but other formats where there are safetensors.
    """
    found = sorted(files, key=lambda file: file.path)
    if include:
        return [file for file in found if any(fnmatch(file.path, one) for one in include)]
    if not any(file.path.endswith(".safetensors") for file in found):
        return found
    return [file for file in found if not any(fnmatch(file.path, one) for one in OTHER_FORMATS)]


def share(files: Sequence[RemoteFile], part: int, parts: int) -> list[RemoteFile]:
    """Return the files of one of several equal parts; together the parts are all of them.

    >>> files = [RemoteFile(str(n), n, "", "") for n in (7, 5, 4, 3, 1)]
    >>> [sum(f.size for f in share(files, part, 2)) for part in (0, 1)]
    [10, 10]
    """
    held = [0] * parts
    chosen = []
    for file in sorted(files, key=lambda file: (-file.size, file.path)):
        least = held.index(min(held))
        held[least] += file.size
        if least == part:
            chosen.append(file)
    return sorted(chosen, key=lambda file: file.path)
