"""The ranks of a replica over several nodes: what each is started with.

A plan's command is the leader's. The others take the same one but for their number; vLLM's have no
HTTP server. Through Ray the others only join the leader's cluster, and vLLM puts its workers there.

Sources: vLLM 0.11.1 and 0.32.0 ``entrypoints/cli/serve.py`` (``--headless``, ``--api-server-count``
refused with it); PyPI sglang 0.5.23 ``sglang/srt/entrypoints/engine.py`` (``node_rank >= 1``);
``ray start --help`` of Ray 2.55.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

RANK_FLAG: Final = "--node-rank"
"""Both vLLM and SGLang call it so."""

EXECUTOR_FLAG: Final = "--distributed-executor-backend"

RAY_PORT: Final = 6379
"""Of Ray's head; the default of ``ray start``."""

JOIN_S: Final = 900
"""How long the ranks wait for one another: the slowest may still be pulling the image."""

LEADER_ONLY: Final = ("--api-server-count", "-asc")
"""Options of vLLM's HTTP servers, which the other ranks have not."""


def takes_ray(words: Sequence[str]) -> bool:
    """Whether a command starts the other ranks' workers through Ray.

    >>> takes_ray(["--distributed-executor-backend", "ray"])
    True
    """
    return (EXECUTOR_FLAG, "ray") in pairwise(words)


def with_rank(words: Sequence[str], rank: str) -> list[str]:
    """Return the command of a rank: the leader's with another number.

    >>> with_rank(["--nnodes", "2", "--node-rank", "0"], "$(RANK)")
    ['--nnodes', '2', '--node-rank', '$(RANK)']
    """
    before = ["", *words]
    return [
        rank if previous == RANK_FLAG else word
        for previous, word in zip(before, words, strict=False)
    ]


def worker_words(engine: str, words: Sequence[str], rank: str) -> list[str]:
    """Return the arguments of a rank other than the leader's.

    Args:
        engine: by name.
        words: the leader's arguments.
        rank: number of the rank, or what stands for it.

    >>> worker_words("vllm", ["m", "--node-rank", "0", "--api-server-count=2"], "1")
    ['m', '--node-rank', '1', '--headless']
    >>> worker_words("sglang", ["--node-rank", "0"], "1")
    ['--node-rank', '1']
    """
    ranked = with_rank(words, rank)
    if engine != "vllm":
        return ranked
    return [*_without(ranked, LEADER_ONLY), "--headless"]


def on_other_nodes(engine: str, words: Sequence[str], nodes: int) -> str:
    """Say what is started on the nodes that do not lead; empty where there are none.

    >>> on_other_nodes("vllm", ["--node-rank", "0"], 2)
    'on the other node: the same with --node-rank 1 and --headless'
    >>> on_other_nodes("sglang", ["--node-rank", "0"], 4)
    'on the other nodes: the same with --node-rank 1 to 3'
    >>> on_other_nodes("vllm", ["--distributed-executor-backend", "ray"], 2)
    'before: ray start --head, and on the other node ray start --address LEADER:6379'
    """
    if nodes == 1:
        return ""
    others = "on the other node" if nodes == 2 else "on the other nodes"  # noqa: PLR2004 - one other
    if takes_ray(words):
        return f"before: ray start --head, and {others} ray start --address LEADER:{RAY_PORT}"
    ranks = f"1 to {nodes - 1}" if nodes > 2 else "1"  # noqa: PLR2004 - more than one other
    server = " and --headless" if "--headless" in worker_words(engine, words, "1") else ""
    return f"{others}: the same with {RANK_FLAG} {ranks}{server}"


def _without(words: Sequence[str], flags: Sequence[str]) -> list[str]:
    """Leave out options with their values, in either spelling."""
    kept: list[str] = []
    skipping = False
    for word in words:
        name, equals, _ = word.partition("=")
        if skipping:
            skipping = False
        elif name.replace("_", "-") in flags:
            skipping = not equals
        else:
            kept.append(word)
    return kept


def ray_worker_script(leader: str) -> str:
    """Return the shell script of a rank that joins the leader's Ray cluster and stays.

    It ends when the leader's cluster does; whoever runs it restarts the whole group then.

    Args:
        leader: address of the leader, or a variable of the shell that holds it.
    """
    return f"""\
end=$(($(date +%s) + {JOIN_S}))
until ray start --address="{leader}:{RAY_PORT}" --block; do
  [ "$(date +%s)" -lt "$end" ] || exit 1
  sleep 5
done"""


def ray_leader_script(nodes: int) -> str:
    """Return the shell script of the leader; the engine's command follows as its arguments.

    It starts Ray's head, waits until all nodes have joined, and becomes the engine.

    Args:
        nodes: of the replica.
    """
    alive = "sum(node['Alive'] for node in ray.nodes())"
    joined = f"import ray; ray.init(address='auto'); assert {alive} >= {nodes}"
    return f"""\
ray start --head --port={RAY_PORT} --disable-usage-stats
end=$(($(date +%s) + {JOIN_S}))
until python3 -c "{joined}" 2>/dev/null; do
  [ "$(date +%s)" -lt "$end" ] || {{ echo "not all {nodes} nodes joined" >&2; exit 1; }}
  sleep 5
done
exec "$@\""""
