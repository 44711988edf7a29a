"""What whoever runs an engine's container needs to know of it, whatever the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qwen3_planner.engines.llamacpp import command as llamacpp_command
from qwen3_planner.engines.llamacpp import metrics as llamacpp_metrics
from qwen3_planner.engines.samples import (
    llamacpp_kv_cache_tokens,
    sglang_kv_cache_tokens,
    vllm_kv_cache_tokens,
)
from qwen3_planner.engines.sglang import command as sglang_command
from qwen3_planner.engines.sglang import metrics as sglang_metrics
from qwen3_planner.engines.versions import Version, parse_version
from qwen3_planner.engines.vllm import command as vllm_command
from qwen3_planner.engines.vllm import metrics as vllm_metrics
from qwen3_planner.engines.vllm.semantics import SHUTDOWN_TIMEOUT_SINCE
from qwen3_planner.errors import SpecError, nearest_first
from qwen3_planner.request import MODEL_MOUNT_PATH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from qwen3_planner.catalog.rows import EngineRelease
    from qwen3_planner.engines.samples import Sample
    from qwen3_planner.engines.vllm.metrics import MetricNames


def _ranks(_command: Sequence[str], data: int) -> int:
    return data


@dataclass(frozen=True, slots=True)
class EngineProfile:
    """The container's side of an engine.

    Attributes:
        name: of the engine.
        port: of its HTTP server.
        health_path: answers 200 once a model is served.
        metrics_path: Prometheus text.
        model_mount_path: where a volume with weights belongs.
        program: words at the head of a plan's command.
        entry_point: what stands for them in the engine's image, where the program may lie off the
            search path.
        api_key_variable: environment variable that sets the API key.
        api_key_arguments: arguments that pass that variable on; empty where the engine reads it.
        cache_variables: environment variables that name a folder the engine writes to, each with
            its place below the cache.
        switches: further environment the engine needs in a container, such as no calls home.
        metrics: names of the gauges, counters and histograms that matter.
        kv_cache_tokens: finds the tokens that fit into the KV cache among the samples of one
            server, given its data-parallel ranks; None where they do not say.
        figures_path: where those samples are: metrics, or a JSON document.
        cache_parts: counts, by command and data-parallel ranks, what the figure is a part of.
        drain_flag: option that bounds how long running requests may finish after SIGTERM, with
            the first version that has it; None where there is none.
        middleware_flag: names a class of Python that every request passes; empty: there is none.
        metrics_need_key: whether reading metrics takes the API key, where there is one.
    """

    name: str
    port: int
    health_path: str
    metrics_path: str
    model_mount_path: str
    program: tuple[str, ...]
    entry_point: tuple[str, ...]
    api_key_variable: str
    api_key_arguments: tuple[str, ...]
    cache_variables: tuple[tuple[str, str], ...]
    switches: tuple[tuple[str, str], ...]
    metrics: MetricNames
    kv_cache_tokens: Callable[[Iterable[Sample], int], int | None]
    figures_path: str = "/metrics"
    cache_parts: Callable[[Sequence[str], int], int] = _ranks
    drain_flag: tuple[str, Version] | None = None
    middleware_flag: str = ""
    metrics_need_key: bool = False

    def shutdown_arguments(self, version: str, seconds: int) -> tuple[str, ...]:
        """Return the flags that let running requests finish on SIGTERM.

        Keep the seconds below terminationGracePeriodSeconds. Empty where the version has no such
        flag: vLLM then aborts what is running, SGLang lets all of it finish.

        >>> engine_of("vllm").shutdown_arguments("0.32.0", 45)
        ('--shutdown-timeout', '45')
        >>> engine_of("sglang").shutdown_arguments("0.5.23", 45)
        ()
        """
        if self.drain_flag is None or parse_version(version) < self.drain_flag[1]:
            return ()
        return (self.drain_flag[0], str(seconds))


_VLLM = EngineProfile(
    name="vllm",
    port=vllm_command.PORT,
    health_path=vllm_command.HEALTH_PATH,
    metrics_path="/metrics",
    model_mount_path=MODEL_MOUNT_PATH,
    program=("vllm", "serve"),
    entry_point=("vllm", "serve"),
    api_key_variable="VLLM_API_KEY",
    api_key_arguments=(),
    cache_variables=(
        ("VLLM_CACHE_ROOT", "vllm"),
        ("TORCHINDUCTOR_CACHE_DIR", "torchinductor"),
        ("TRITON_CACHE_DIR", "triton"),
        ("FLASHINFER_WORKSPACE_BASE", ""),
    ),
    switches=(("VLLM_NO_USAGE_STATS", "1"),),
    metrics=vllm_metrics.NAMES,
    kv_cache_tokens=vllm_kv_cache_tokens,
    drain_flag=("--shutdown-timeout", SHUTDOWN_TIMEOUT_SINCE),
    middleware_flag="--middleware",
)

_SGLANG = EngineProfile(
    name="sglang",
    port=sglang_command.PORT,
    health_path=sglang_command.HEALTH_PATH,
    metrics_path="/metrics",
    model_mount_path=MODEL_MOUNT_PATH,
    program=sglang_command.PROGRAM,
    entry_point=sglang_command.PROGRAM,
    api_key_variable="SGLANG_API_KEY",
    api_key_arguments=("--api-key", "$(SGLANG_API_KEY)"),
    cache_variables=(
        ("SGLANG_CACHE_DIR", "sglang"),
        ("SGLANG_DG_CACHE_DIR", "deep_gemm"),
        ("TORCHINDUCTOR_CACHE_DIR", "torchinductor"),
        ("TRITON_CACHE_DIR", "triton"),
        ("FLASHINFER_WORKSPACE_BASE", ""),
    ),
    switches=(),
    metrics=sglang_metrics.NAMES,
    kv_cache_tokens=sglang_kv_cache_tokens,
)

_LLAMACPP = EngineProfile(
    name="llamacpp",
    port=llamacpp_command.PORT,
    health_path=llamacpp_command.HEALTH_PATH,
    metrics_path="/metrics",
    model_mount_path=MODEL_MOUNT_PATH,
    program=llamacpp_command.PROGRAM,
    entry_point=("/app/llama-server",),  # ggml-org/llama.cpp .devops/*.Dockerfile
    api_key_variable="LLAMA_API_KEY",
    api_key_arguments=(),
    cache_variables=(("LLAMA_CACHE", "llama.cpp"),),
    switches=(),
    metrics=llamacpp_metrics.NAMES,
    kv_cache_tokens=llamacpp_kv_cache_tokens,
    figures_path="/v1/models",
    cache_parts=llamacpp_metrics.cache_parts,
    metrics_need_key=True,  # only its health is public
)

_PROFILES = {profile.name: profile for profile in (_VLLM, _SGLANG, _LLAMACPP)}


def engine_of(name: str) -> EngineProfile:
    """Return the profile of an engine.

    >>> engine_of("vllm").port, engine_of("vllm").health_path
    (8000, '/health')

    Raises:
        SpecError: there is no such engine in this release.
    """
    profile = _PROFILES.get(name)
    if profile is None:
        raise SpecError(
            "--engine", name, "is no engine of this release", nearest_first(name, _PROFILES)
        )
    return profile


def image_of(release: EngineRelease, version: str, vendor: str) -> str:
    """Return the engine's container image.

    Args:
        release: the catalog's row of the engine.
        version: as in the plan.
        vendor: of the accelerator.

    Raises:
        SpecError: no image is known for that vendor; name one (``spec.engine.image``).
    """
    since = dict(release.images_since).get(vendor)
    is_there = since is None or parse_version(version) >= parse_version(since)
    for known, image in release.images:
        if known == vendor and is_there:
            return image.format(version=version, build=build_of(release, version, vendor))
    reason = f"no image of {release.name} is known for this vendor's accelerators; name one"
    raise SpecError("image", vendor, reason, [known for known, _ in release.images])


def build_of(release: EngineRelease, version: str, vendor: str) -> str:
    """Return what the image of a version is built against (``rocm720-mi30x``); empty: not said."""
    wanted = parse_version(version)
    return next(
        (
            build
            for known, since, build in reversed(release.image_builds)
            if known == vendor and parse_version(since) <= wanted
        ),
        "",
    )
