"""LoRA adapters: may the pods mount and fetch them, and why an init container gave up on one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from qwen3_operator.decisions.verdict import Verdict
from qwen3_planner.api.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwen3_operator.observed import Pod

ENDED = re.compile(r"exit code (4[1-6])(?:: (.*))?", re.DOTALL)
"""What a container of ours ends with; no engine takes these codes."""

EXITS: dict[int, tuple[Reason, str]] = {
    41: (
        Reason.MODEL_SOURCE_UNAUTHORIZED,
        "Check that the adapter's tokenSecretRef, or spec.model's on its hub, may read it.",
    ),
    42: (
        Reason.MODEL_SOURCE_NOT_FOUND,
        "Check source and revision in spec.lora.adapters: a hub says the same of what is private.",
    ),
    43: (
        Reason.MODEL_TRANSFER_OUT_OF_SPACE,
        "spec.resources.requests.ephemeral-storage reserves room on the node.",
    ),
    44: (
        Reason.MODEL_SOURCE_UNREACHABLE,
        "Check mirror, proxy and network policies of the namespace; it is tried again by itself.",
    ),
    45: (Reason.DOWNLOAD_FAILED, "It is tried again by itself."),
    46: (Reason.ADAPTER_UNUSABLE, ""),
}
"""Exit codes of the programs that bring adapters and look them over
(:mod:`qwen3_operator.fetching.problems`)."""


def brings_no_adapter(pod: Pod) -> Verdict | None:
    """An init container could not bring an adapter, or found it unfit."""
    ended = ENDED.fullmatch(pod.problem_message)
    if ended is None:
        return None
    reason, fix = EXITS[int(ended[1])]
    words = (ended[2] or "An adapter could not be brought").strip().rstrip(".")
    return Verdict(reason, f"{words}. {fix}".rstrip())


def object_to_adapters(
    missing_claims: Sequence[str], on_hubs: Sequence[str], *, is_offline: bool
) -> Verdict | None:
    """Say what keeps adapters from the pods before there is one; None if nothing does.

    Args:
        missing_claims: that adapters lie on and that do not exist.
        on_hubs: sources that each pod would fetch.
        is_offline: whether nothing may be fetched from hubs.
    """
    if missing_claims:
        names = ", ".join(missing_claims)
        return Verdict(
            Reason.CLAIM_NOT_FOUND,
            f"spec.lora.adapters lie on {names}: no PersistentVolumeClaim of that name exists in"
            " this namespace. Create it; the model then starts by itself.",
        )
    if on_hubs and is_offline:
        return Verdict(
            Reason.HUB_OFFLINE,
            f"{', '.join(on_hubs)}: the operator's setting offline forbids fetching from hubs. Take"
            " the adapters from a claim (pvc://).",
        )
    return None
