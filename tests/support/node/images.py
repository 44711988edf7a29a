"""Images for containerd without a registry: a root filesystem of Debian, and layers on top of it.

An image is written as an archive that `ctr images import` reads. Layers are plain tars: packing
gigabytes is cheap only while nothing compresses them.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from support.debian import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

SUITE = "bookworm"
"""Whose Python, 3.11, is that of the image's base (distroless python3-debian12)."""

PACKAGES = ("python3", "ca-certificates", "libnuma1")
"""The last is for vLLM on a CPU."""

_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Layer:
    """A folder of this machine and where its content lies in the image.

    Attributes:
        source: what is packed.
        target: absolute; "/" for a whole root filesystem.
    """

    source: Path
    target: str = "/"


@dataclass(frozen=True, slots=True)
class Image:
    """An image to be.

    Attributes:
        name: with its tag; as pods name it.
        layers: the lowest first.
        command: what runs where a pod says nothing.
        environment: of every process in it.
        user: number of user and group.
    """

    name: str
    layers: Sequence[Layer]
    command: Sequence[str] = ("/bin/sleep", "infinity")
    environment: Mapping[str, str] = field(default_factory=dict)
    user: int = 65_532


def base_filesystem(say: Callable[[str], None], *more: str) -> Path:
    """Return a root filesystem with Debian's Python, made once (half a minute, network).

    Args:
        say: is told of what takes long.
        more: Debian's packages that it has besides.

    Raises:
        CalledProcessError: debootstrap failed; it has said why on stderr.
    """
    packages = (*PACKAGES, *more)
    key = hashlib.sha256("\0".join((SUITE, *packages)).encode()).hexdigest()[:16]
    folder = cache_folder("rootfs") / key
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    say(f"making a root filesystem of Debian {SUITE} (half a minute)")
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        made = Path(name) / "root"
        options = ["--variant=minbase", f"--include={','.join(packages)}"]
        done = subprocess.run(
            ["debootstrap", *options, SUITE, made, "http://deb.debian.org/debian"],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = "\n".join(done.stdout.splitlines()[-10:])
            raise RuntimeError(f"debootstrap failed:\n{said}")
        for needless in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man"):
            shutil.rmtree(made / needless, ignore_errors=True)
        made.chmod(0o755)
        made.rename(folder)
    return folder


def write_archive(image: Image, archive: Path) -> None:
    """Write an image as the archive that `docker save` would: names in it are of no account."""
    with tempfile.TemporaryDirectory(dir=archive.parent) as name:
        layers, digests = [], []
        for number, layer in enumerate(image.layers):
            packed = Path(name) / f"{number}.tar"
            digests.append(f"sha256:{_pack(layer, packed)}")
            layers.append(packed)
        configuration = {
            "architecture": _architecture(),
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": digests},
            "config": {
                "Env": [f"{key}={value}" for key, value in sorted(_environment(image).items())],
                "Cmd": list(image.command),
                "User": f"{image.user}:{image.user}",
                "WorkingDir": "/",
            },
        }
        manifest = [
            {
                "Config": "config.json",
                "RepoTags": [image.name],
                "Layers": [packed.name for packed in layers],
            }
        ]
        with tarfile.open(archive, "w") as whole:
            for packed in layers:
                whole.add(packed, packed.name)
            for file, content in (("config.json", configuration), ("manifest.json", manifest)):
                data = json.dumps(content).encode()
                told = tarfile.TarInfo(file)
                told.size = len(data)
                whole.addfile(told, io.BytesIO(data))


def _environment(image: Image) -> dict[str, str]:
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", **image.environment}


class _Hashed:
    """A file that knows the hash of what was written into it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sum = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.sum.update(data)
        return self._file.write(data)


def _pack(layer: Layer, packed: Path) -> str:
    """Write a layer's tar; return its sha256."""
    with packed.open("wb", buffering=_CHUNK) as file:
        hashed = _Hashed(file)
        with tarfile.open(
            fileobj=hashed, mode="w|", bufsize=_CHUNK, format=tarfile.GNU_FORMAT
        ) as tar:  # type: ignore[call-overload]
            for parent in _parents(layer.target):
                tar.addfile(parent)
            where = layer.target.strip("/") or "."
            tar.add(layer.source, where, filter=_owned_by_root)
    return hashed.sum.hexdigest()


def _parents(target: str) -> Iterator[tarfile.TarInfo]:
    parts = target.strip("/").split("/")
    for depth in range(1, len(parts)):
        folder = tarfile.TarInfo("/".join(parts[:depth]))
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        yield folder


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Let anybody read: containers run as nobody in particular."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode |= 0o555 if member.isdir() or member.mode & 0o100 else 0o444
    return member


def _architecture() -> str:
    asked = subprocess.run(
        ["dpkg", "--print-architecture"], capture_output=True, check=True, text=True
    )
    return asked.stdout.strip()
