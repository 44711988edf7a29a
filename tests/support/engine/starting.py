"""Start small engines for real, on the CPU, and read what they hold and log."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .errors import EngineDiedError
from .oracle import HeldTensor, engine_variables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .environment import EngineEnvironment

KV_SPACE_GIB = 1
"""`VLLM_CPU_KVCACHE_SPACE`: the KV pool of each worker."""

CPU_BLOCK_TOKENS = 128
"""Tokens of a KV block that the CPU build takes (16 on GPUs)."""

START_SECONDS = 540
"""Longest that all starts together may take: each 20 s on two idle cores, minutes on busy ones."""


@dataclass(frozen=True, slots=True)
class Started:
    """An engine that has started.

    Attributes:
        blocks: of the KV pool.
        block_tokens: of a block.
        logged_tokens: what the log calls the size of the KV cache.
        workers: the tensors of each worker, in rank order.
    """

    blocks: int
    block_tokens: int
    logged_tokens: int
    workers: tuple[tuple[HeldTensor, ...], ...]


def start_each(
    environment: EngineEnvironment, options: Sequence[dict[str, Any]], folder: Path
) -> list[Started]:
    """Start one engine after the other with random weights; return what each says.

    Args:
        environment: of the engine.
        options: of `vllm.LLM`, one per engine.
        folder: for logs and caches.

    Raises:
        EngineDiedError: one of them did not start.
    """
    variables = {
        **engine_variables(folder),
        "VLLM_CPU_KVCACHE_SPACE": str(KV_SPACE_GIB),
        "VLLM_CPU_OMP_THREADS_BIND": "0|1",
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    }
    argv = [str(environment.python), "-m", "support.engine.inside.starting"]
    ran = subprocess.run(
        [*argv, json.dumps(list(options))],
        env=variables,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=START_SECONDS,
    )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    sizes = re.findall(r"KV cache size: ([\d,]+) tokens", ran.stderr)
    if ran.returncode != 0 or not len(answers) == len(sizes) == len(options):
        tail = "\n".join(ran.stderr.splitlines()[-40:])
        raise EngineDiedError(f"status {ran.returncode}, {len(answers)} started:\n{tail}")
    return [
        Started(
            blocks=answer["blocks"],
            block_tokens=answer["block_tokens"],
            logged_tokens=int(size.replace(",", "")),
            workers=tuple(_worker(rows) for rows in answer["workers"]),
        )
        for answer, size in zip(answers, sizes, strict=True)
    ]


def _worker(rows: list[dict[str, Any]]) -> tuple[HeldTensor, ...]:
    return tuple(
        HeldTensor(row["name"], tuple(row["shape"]), row["dtype"], row["bytes"]) for row in rows
    )
