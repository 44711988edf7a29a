"""Adapters on the claim that caches the weights: which Jobs bring them there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_operator.desired.adapters import GGUF_FILES, is_gguf, placed_adapters, token_of
from qwen3_operator.desired.cache import SharedCache, slug
from qwen3_operator.desired.hashing import fingerprint
from qwen3_planner.engines.adapters import GGUF_NAME
from qwen3_planner.engines.sources import cached_folder, is_on_hub

if TYPE_CHECKING:
    from qwen3_planner.api.v1alpha1 import Qwen3Deployment
    from qwen3_planner.plan import Plan


def adapter_caches_of(
    resource: Qwen3Deployment, plan: Plan, shared: SharedCache
) -> tuple[SharedCache, ...]:
    """Say which Jobs bring adapters to the claim that caches the weights: one for each from a hub.

    Two resources with one adapter on one claim meet at one Job.
    """
    include = (GGUF_FILES,) if is_gguf(plan.engine) else ()
    caches = []
    for number, one in enumerate(placed_adapters(resource, plan)):
        spec = one.spec
        if not is_on_hub(spec.source):
            continue
        revision = spec.revision or ""
        content = {"source": spec.source, "revision": revision, "include": include}
        name = f"lora-{slug(spec.name)}-{fingerprint({**content, 'claim': shared.claim})[:8]}"
        caches.append(
            SharedCache(
                claim=shared.claim,
                is_made=shared.is_made,
                retain=shared.retain,
                job=f"fetch-{name}",
                folder=cached_folder(spec.source, spec.revision),
                source=spec.source,
                revision=revision,
                include=include,
                link=GGUF_NAME if include else "",
                checkpoint_bytes=0,
                parts=1,
                token=token_of(resource, spec),
                asked_in=f"spec.lora.adapters[{number}]",
            )
        )
    return tuple(caches)
