"""Ask the real engine: a process of its Python that answers JSON lines."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from .errors import EngineDiedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .environment import EngineEnvironment

TESTS = Path(__file__).resolve().parents[2]
"""The folder from which the engine's Python imports this package."""


@dataclass(frozen=True, slots=True)
class DescribedGpu:
    """What the driver would say; see `inside.pretending.Gpu`."""

    name: str
    capability: tuple[int, int]
    total_bytes: int
    count: int = 8
    compute_units: int = 132


@dataclass(frozen=True, slots=True)
class HeldTensor:
    """One tensor that a rank of the real engine holds.

    Attributes:
        name: path of the module and name of the tensor in it.
        shape: as the kernels hold it.
        dtype: torch's name.
        n_bytes: of its storage.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Refused:
    """What the engine raised.

    Attributes:
        kind: class of the exception.
        text: its message.
        where: the end of its traceback.
    """

    kind: str
    text: str
    where: str

    def says(self, part: str) -> bool:
        """Whether the message (or, for a bare assertion, the traceback) holds this text."""
        return part in self.text or (not self.text and part in self.where)


class Oracle:
    """A long-lived process that imports vLLM once and answers as often as it is asked."""

    def __init__(self, environment: EngineEnvironment, gpu: DescribedGpu) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="oracle-")
        self._log = Path(self._folder.name) / "log"
        variables = engine_variables(Path(self._folder.name))
        argv = [str(environment.python), "-m", "support.engine.inside.answering"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*argv, json.dumps(asdict(gpu))],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self._folder.name,
                env=variables,
            )
        self._is_ready = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process and remove its folder."""
        self._process.terminate()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._folder.cleanup()

    def configure(
        self, words: Sequence[str], env: Mapping[str, str] | None = None
    ) -> dict[str, Any] | Refused:
        """Return what the engine would be started with, or its refusal."""
        question = {"ask": "configure", "words": list(words), "env": dict(env or {})}
        found: dict[str, Any] | Refused = self._ask(question)
        return found

    def tensors(
        self, words: Sequence[str], rank: int, env: Mapping[str, str] | None = None
    ) -> tuple[HeldTensor, ...] | Refused:
        """Return what one rank (order dp, pp, tp) holds after loading, or the refusal."""
        return self._held("tensors", words, rank, env)

    def slots(self, words: Sequence[str], rank: int) -> tuple[HeldTensor, ...] | Refused:
        """Return the slots for LoRA adapters of one rank, or the refusal."""
        return self._held("slots", words, rank, None)

    def _held(
        self, ask: str, words: Sequence[str], rank: int, env: Mapping[str, str] | None
    ) -> tuple[HeldTensor, ...] | Refused:
        question = {"ask": ask, "words": list(words), "rank": rank, "env": dict(env or {})}
        found = self._ask(question)
        if isinstance(found, Refused):
            return found
        return tuple(
            HeldTensor(row["name"], tuple(row["shape"]), row["dtype"], row["bytes"])
            for row in found
        )

    def kv_pool(
        self,
        words: Sequence[str],
        ranks: Sequence[int],
        available: Sequence[int],
        env: Mapping[str, str] | None = None,
    ) -> dict[str, Any] | Refused:
        """Return blocks and tokens of the pool that the memory of these ranks makes."""
        question = {"ask": "kv", "words": list(words), "env": dict(env or {})}
        found: dict[str, Any] | Refused = self._ask(
            {**question, "ranks": list(ranks), "available": list(available)}
        )
        return found

    def _ask(self, question: dict[str, Any]) -> Any:  # noqa: ANN401 - by question
        if not self._is_ready:
            self._read()
            self._is_ready = True
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            self._died()
        answer = self._read()
        if "refused" in answer:
            no = answer["refused"]
            return Refused(no["type"], no["text"], no["where"])
        return answer["answer"]

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._died()
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _died(self) -> None:
        self._process.wait()
        tail = "".join(self._log.read_text().splitlines(keepends=True)[-40:])
        raise EngineDiedError(f"the engine's process ended; its last lines:\n{tail}")


def engine_variables(home: Path) -> dict[str, str]:
    """Return the environment of the engine's processes: no hub, no reports, caches in `home`."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
    return {
        **kept,
        "HOME": str(home),
        "PYTHONPATH": str(TESTS),
        "PYTHONDONTWRITEBYTECODE": "",
        "HF_HUB_OFFLINE": "1",
        "VLLM_NO_USAGE_STATS": "1",
        "DO_NOT_TRACK": "1",
        "VLLM_LOGGING_LEVEL": "INFO",
        "VLLM_CACHE_ROOT": str(home / "vllm"),
        "OMP_NUM_THREADS": "1",
    }
