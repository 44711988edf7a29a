"""How long the ledger takes to judge claims: 500 resources, 100 nodes, 1000 pods.

Prints JSON: microseconds per call, amortised over a whole burst, for pools of one size and of many.
Run: ``python benchmarks/ledger.py``.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from qwen3_operator.ledger import Ledger
from support.values import amount, claim, node, pod, selector

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwen3_operator.decisions.admission import Claim

NODES = 100
CLAIMS = 500
PODS = 1000
POOLS = ("h100", "a100", "l40s", "h200")
MICROSECONDS = 1e6


def cluster(shapes: int) -> tuple[Ledger, list[Claim]]:
    """Fill 100 nodes with 1000 pods of other people and make 500 claims of so many shapes."""
    ledger = Ledger()
    for number in range(NODES):
        pool = POOLS[number % len(POOLS)]
        ledger.upsert_node(node(f"n{number}", 16, labels={"pool": pool}))
    for number in range(PODS):
        where = f"n{number % NODES}"
        ledger.upsert_pod(
            pod(f"p{number}", amount(1, cpu=4), node=where, namespace=f"team-{number % 20}")
        )
    claims = [
        claim(
            f"q{number}",
            amount(1 + number % 4, cpu=4 + number % shapes),
            1 + number % 2,
            namespace=f"team-{number % 20}",
            where=selector(pool=POOLS[number % len(POOLS)]),
            created=f"{number:06d}",
        )
        for number in range(CLAIMS)
    ]
    return ledger, claims


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * MICROSECONDS


def measure(shapes: int) -> dict[str, float]:
    """Time a burst of claims, their pods being bound, other pods ending, and a quiet round."""
    ledger, claims = cluster(shapes)
    offers = [timed(lambda c=c: ledger.offer(c)) for c in claims]
    again = [timed(lambda c=c: ledger.offer(c)) for c in claims]
    admitted = [(c, a) for c in claims if (a := ledger.offer(c)).replicas]
    bound = [
        pod(
            f"{c.demand.key.name}-{number}",
            c.demand.per_pod,
            owner=c.demand.key,
            namespace=c.demand.key.namespace,
            node=f"n{index % NODES}",
            plan_hash="h1",
        )
        for index, (c, a) in enumerate(admitted)
        for number in range(a.replicas)
    ]
    made = [timed(lambda p=p: ledger.upsert_pod(replace(p, node=None))) for p in bound]
    binding = [timed(lambda p=p: ledger.upsert_pod(p)) for p in bound]
    settle = timed(ledger.settle)
    ending = [
        timed(lambda n=n: (ledger.delete_pod(f"uid-team-{n % 20}-p{n}"), ledger.settle()))
        for n in range(0, PODS, 4)
    ]
    quiet = [timed(lambda c=c: ledger.offer(c)) for c in claims]
    return {
        "claims": len(claims),
        "admitted_at_first": len(admitted),
        "waiting_at_the_end": len(ledger.waiting()),
        "offer_us_mean": sum(offers) / len(offers),
        "offer_us_median": median(offers),
        "offer_us_max": max(offers),
        "offer_again_us_mean": sum(again) / len(again),
        "pod_made_us_mean": sum(made) / len(made),
        "pod_bound_us_mean": sum(binding) / len(binding),
        "settle_us": settle,
        "pod_ends_and_settle_us_mean": sum(ending) / len(ending),
        "quiet_offer_us_mean": sum(quiet) / len(quiet),
    }


def main() -> None:
    result = {
        f"{shapes}_cpu_sizes": {name: round(value, 1) for name, value in measure(shapes).items()}
        for shapes in (1, 8, 125)
    }
    print(
        json.dumps(
            {"benchmark": "ledger", "nodes": NODES, "pods": PODS, "results": result}, indent=1
        )
    )


if __name__ == "__main__":
    main()
