"""Images that stay between runs, and copies of them: each node gets its own in seconds.

Files of images are never changed once they are there, so a copy is links to them. Only the two
databases that say what there is are copied. Whatever a node does to its copy, pull, unpack, die,
the next one starts from the same images; and several may run at once.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from support.debian import cache_folder

from .containerd import Containerd
from .images import write_archive
from .owned import OwnedFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    from .supply import Images

STORE = "containerd"
"""Its folder in the cache."""

COPIES = "nodes"
"""Where copies are, on the same file system."""

PREFIX = "node-"
"""Of the name of each."""

COMPLETE = "qwen3-images"
"""A file in the store: names of the images that are whole in it, a line each."""


class Copy:
    """A containerd's root that has the images of the tests.

    Attributes:
        path: the root.
    """

    def __init__(self, images: Images, say: Callable[[str], None]) -> None:
        """Make it; images that are new are taken into the store.

        Args:
            images: what a node may use.
            say: is told of what takes long.

        Raises:
            RuntimeError: containerd refused an image; carries what it said.
        """
        store, copies = cache_folder(STORE), cache_folder(COPIES)
        for folder in (store, copies):
            folder.mkdir(parents=True, exist_ok=True)
        with store.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            wanted = [image.name for image in images]
            if not set(wanted) <= _complete(store):
                _take_in(images, store, say)
                (store / COMPLETE).write_text("\n".join(wanted))
            self._folder = OwnedFolder(copies, PREFIX, say)
            self.path = self._folder.path / STORE
            subprocess.run(["cp", "--archive", "--link", store, self.path], check=True)
        for database in self.path.rglob("*.db"):
            own = database.with_suffix(".own")
            shutil.copyfile(database, own)
            own.replace(database)

    def remove(self) -> None:
        """Remove it; the images stay in the store."""
        self._folder.remove()


def _complete(store: Path) -> set[str]:
    stamp = store / COMPLETE
    return set(stamp.read_text().splitlines()) if stamp.exists() else set()


def _take_in(images: Images, store: Path, say: Callable[[str], None]) -> None:
    """Import what is not there yet; forget what else is there."""
    (store / COMPLETE).unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(prefix="qwen3-images-") as running:
        containerd = Containerd(Path(running) / "containerd", store, images.pause.name)
        try:
            there = containerd.keep([image.name for image in images])
            for image in images:
                if image.name in there:
                    continue
                say(f"importing {image.name}")
                with tempfile.TemporaryDirectory(dir=cache_folder("rootfs")) as name:
                    archive = Path(name) / "image.tar"
                    write_archive(image, archive)
                    containerd.import_archive(archive)
        finally:
            containerd.stop()
