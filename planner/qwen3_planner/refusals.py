"""What is said where a legal candidate has no place: hardware, checkpoints, memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwen3_planner.catalog.rows import AcceleratorClass
from qwen3_planner.plan import Refusal
from qwen3_planner.request import Quantization
from qwen3_planner.units import format_gib

if TYPE_CHECKING:
    from qwen3_planner.candidates import Candidate
    from qwen3_planner.inventory.hardware import Inventory
    from qwen3_planner.question import Question
    from qwen3_planner.serving.verdicts import Misfit
    from qwen3_planner.targeting import Missed, Shortfall


def checkpoint_unknown(question: Question) -> Refusal:
    """No checkpoint of the asked quantization is known, and the engine cannot make one."""
    request = question.request
    message = (
        f"No {request.quantization.value} checkpoint of {question.model.name} is known, and"
        f" {question.release.name} cannot make one while loading; name one as the source, or take"
        " another quantization."
    )
    return Refusal("CheckpointUnknown", message, request.quantization.value)


def no_matching_accelerator(question: Question, inventory: Inventory) -> Refusal:
    """None of the allowed accelerators is in the inventory."""
    request = question.request
    here = ", ".join(accelerator.name for accelerator in inventory.accelerators) or "no GPU"
    wanted = ", ".join(request.accelerators) or "any accelerator"
    message = f"The hardware has {here}; the request allows {wanted}."
    return Refusal("NoMatchingAccelerator", message, _wished(question))


def gpus_exceeded(question: Question, candidate: Candidate) -> Refusal | None:
    """All replicas together stay within max-gpus."""
    request, layout = question.request, candidate.layout
    total = layout.gpus_per_replica * request.replicas
    if request.max_gpus is None or total <= request.max_gpus:
        return None
    message = (
        f"{request.replicas} x {layout} takes {total} GPUs, {total - request.max_gpus} more than"
        f" max-gpus={request.max_gpus}."
    )
    return _refuse(candidate, "MaxGpusExceeded", message)


def not_enough_hardware(question: Question, candidate: Candidate) -> Refusal:
    """The pool lacks GPUs, or nodes large enough to hold each replica's share."""
    pool, layout, replicas = candidate.pool, candidate.layout, question.request.replicas
    total = layout.gpus_per_replica * replicas
    if total > pool.gpus:
        message = (
            f"{replicas} x {layout} takes {total} GPUs; there are {pool.gpus}"
            f" {pool.accelerator.name}: {total - pool.gpus} missing."
        )
        return _refuse(candidate, "NotEnoughGPUs", message)
    each, nodes = layout.gpus_per_node, layout.nodes_per_replica
    parts = sum(min(kind.gpus // each, replicas) * kind.count for kind in pool.nodes)
    missing = replicas * nodes - parts
    message = (
        f"{replicas} x {layout} takes {replicas * nodes} x {each} GPUs of one node; the"
        f" {pool.node_count} {pool.accelerator.name} nodes have room for {parts}: {missing}"
        " missing."
    )
    return _refuse(candidate, "NotEnoughNodes", message)


def multi_node_not_supported(question: Question, candidate: Candidate, limit: int) -> Refusal:
    """A replica spans more nodes than allowed, and nothing else is in the way."""
    layout = candidate.layout
    message = (
        f"{question.model.name} in {candidate.choice.fmt.quantization.value} as {layout} fits over"
        f" {layout.nodes_per_replica} nodes, {layout.gpus_per_node} x"
        f" {candidate.pool.accelerator.name} on each; a replica may span {limit} here."
    )
    return _refuse(candidate, "MultiNodeNotSupported", message)


def _refuse(candidate: Candidate, rule: str, message: str) -> Refusal:
    quantization = candidate.choice.fmt.quantization.value
    accelerator = candidate.pool.accelerator.name
    return Refusal(rule, message, quantization, candidate.layout, accelerator)


def _wished(question: Question) -> str:
    wished = question.request.quantization
    if wished is not Quantization.AUTO or not question.choices:
        return wished.value
    return question.choices[0].fmt.quantization.value


def memory_refusal(question: Question, misfit: Misfit) -> Refusal:
    """Say what one GPU would need, what it has, and how much is missing."""
    lacks_room_for_weights = misfit.stage.available <= 0
    rule = "InsufficientGPUMemory" if lacks_room_for_weights else "InsufficientKVCache"
    if _lacks_on_host(misfit):
        rule = "InsufficientHostMemory"
    return Refusal(
        rule=rule,
        message=_message(question, misfit),
        quantization=misfit.candidate.choice.fmt.quantization.value,
        layout=misfit.candidate.layout,
        accelerator=misfit.candidate.pool.accelerator.name,
        needed_bytes=misfit.needed_bytes,
        available_bytes=misfit.stage.budget,
    )


def _lacks_on_host(misfit: Misfit) -> bool:
    """Whether it is the node's memory that lacks: the stage after those of the GPUs."""
    return misfit.stage.stage >= misfit.candidate.layout.pipeline


def _message(question: Question, misfit: Misfit) -> str:
    candidate, stage = misfit.candidate, misfit.stage
    gpus = candidate.layout.gpus_per_replica
    where = "the GPU" if gpus == 1 else f"each of {gpus} GPUs ({candidate.layout})"
    if candidate.pool.accelerator.device_class is not AcceleratorClass.GPU:
        where = candidate.pool.accelerator.name
    cache = misfit.needed_blocks * stage.block
    if _lacks_on_host(misfit):
        quantization = candidate.choice.fmt.quantization.value
        return (
            f"{question.model.name} in {quantization} ({candidate.layout})"
            f" needs {format_gib(misfit.needed_bytes)} of the node's own memory;"
            f" {format_gib(stage.budget)} are stated: {format_gib(misfit.missing_bytes)} missing."
        )
    return (
        f"{question.model.name} in {candidate.choice.fmt.quantization.value} needs"
        f" {format_gib(misfit.needed_bytes)} on {where}: {format_gib(stage.weights)} weights,"
        f" {format_gib(stage.fixed - stage.weights)} activations and overhead,"
        f" {format_gib(cache)} KV cache for {_load(question, misfit)};"
        f" {candidate.pool.accelerator.name} has {format_gib(stage.budget)} usable at utilization"
        f" {misfit.setting.utilization:g}: {format_gib(misfit.missing_bytes)} missing per GPU."
    )


def _load(question: Question, misfit: Misfit) -> str:
    requests = question.request.workload.concurrency
    tokens = question.request_tokens or misfit.context
    if requests == 1:
        return f"one request of {misfit.context} tokens"
    each = f"{requests} requests of {tokens} tokens"
    return each if misfit.candidate.layout.data == 1 else f"its share of {each}"


_SAID = {
    "ttftMs": "{:,.4g} ms to the first token",
    "tpotMs": "{:,.4g} ms a token",
    "outputTokensPerSecond": "{:,.4g} output tokens/s",
    "requestsPerSecond": "{:,.4g} requests/s",
}
"""How a target's figure is said."""


def target_missed(question: Question, missed: Missed) -> Refusal:
    """Say which targets are missed, and by how much."""
    candidate = missed.fit.candidate
    what = (
        f"{question.model.name} in {candidate.choice.fmt.quantization.value} as {candidate.layout}"
    )
    if not missed.shortfalls:
        message = f"Nothing is known of the speed of {what} on {candidate.pool.accelerator.name}."
        return _refuse(candidate, "TargetMissed", message)
    if missed.replicas > 1:
        what += f" with {missed.replicas} replicas"
    reached = " and ".join(_reached(one) for one in missed.shortfalls)
    message = f"{what} takes {reached} under this load."
    if not missed.shortfalls[0].is_latency:
        message = f"{what} brings {reached} under this load."
    return _refuse(candidate, "TargetMissed", message)


def _reached(one: Shortfall) -> str:
    bound = "at most" if one.is_latency else "at least"
    said = _SAID[one.target].format(one.reached)
    return f"{said} ({bound} {one.wanted:,.4g} wanted)"
