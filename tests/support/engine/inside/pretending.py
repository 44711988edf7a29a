"""A GPU that is only described, so that vLLM decides as it would on one.

What is real: vLLM's parser, configuration, platform rules (`CudaPlatformBase`), model classes,
quantization methods, kernel choice and weight processing. What is put in their place, and named
here: the answers of the driver (capability, name, memory, count), which compiled kernels exist, and
for tensors without data the answers that would need data. No kernel is ever run.
"""

from __future__ import annotations

import os
import sys
import types
from dataclasses import dataclass
from typing import Any

import torch
import torch.fx.experimental._config as fx_config

COMPILED_MODULES = (
    "vllm._C_stable_libtorch",
    "vllm._moe_C_stable_libtorch",
    "vllm.vllm_flash_attn._vllm_fa2_C",
    "vllm.vllm_flash_attn._vllm_fa3_C",
)
"""Extensions of the CUDA wheel that are imported for their registrations only."""

SCHEMAS = (
    "gptq_marlin_repack(Tensor q, SymInt k, SymInt n, int num_bits, bool is_a_8bit) -> Tensor",
    "awq_marlin_repack(Tensor q, SymInt k, SymInt n, int num_bits, bool is_a_8bit) -> Tensor",
    "machete_prepack_B(Tensor B, ScalarType a_type, int b_type, ScalarType? scales) -> Tensor",
    "machete_mm(Tensor A, Tensor B, int b_type) -> Tensor",
)
"""Kernels for which vLLM brings the shapes of the results itself (`register_fake`), once they
exist by name. Source: vLLM 0.32.0 `_custom_ops.py`."""

NAMED_ONLY = (
    "silu_and_mul",
    "rms_norm",
    "fused_add_rms_norm",
    "gelu_and_mul",
    "gelu_tanh_and_mul",
    "gelu_new",
    "gelu_fast",
    "gelu_quick",
)
"""Kernels that modules look up when they are made, and call only in a forward pass."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """What the driver would say.

    Attributes:
        name: product.
        capability: compute capability (major, minor).
        total_bytes: of one device.
        count: in one node.
        compute_units: streaming multiprocessors.
    """

    name: str
    capability: tuple[int, int]
    total_bytes: int
    count: int
    compute_units: int

    @property
    def capability_number(self) -> int:
        """As vLLM's kernels are asked: 90 for 9.0."""
        return 10 * self.capability[0] + self.capability[1]


_KEPT: list[torch.library.Library] = []


def pretend(gpu: Gpu) -> None:
    """Make this process believe in the GPU; call before anything of vLLM is imported."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # Triton counts as usable without an active driver
    # DeepGEMM and FlashInfer are packages of their own, which the images bring and this rig does
    # not: vLLM finds them absent, as a plain `pip install vllm` on a machine without nvcc does.
    for name in COMPILED_MODULES:
        sys.modules[name] = types.ModuleType(name)
    torch.cuda.Stream = types.SimpleNamespace  # shared experts would run beside the others on one
    _name_kernels(gpu)
    _answer_for_tensors_without_data()

    import vllm.platforms  # noqa: PLC0415 - after the above

    vllm.platforms.vllm_version_matches_substr = lambda _part: False  # this is no CPU build now
    from vllm.platforms import cuda  # noqa: PLC0415
    from vllm.platforms.interface import DeviceCapability  # noqa: PLC0415

    answers: dict[str, Any] = {
        "get_device_capability": DeviceCapability(*gpu.capability),
        "get_device_name": gpu.name,
        "get_device_uuid": "GPU-described",
        "get_device_total_memory": gpu.total_bytes,
        "device_count": gpu.count,
        "num_compute_units": gpu.compute_units,
        "is_fully_connected": True,
        "is_pin_memory_available": False,
        "is_integrated_gpu": False,
        "import_kernels": None,
        "get_current_memory_usage": 0.0,
        "set_device": None,
        "current_device": "meta",
        "get_device_communicator_cls": f"{__package__}.groups.SilentCommunicator",
    }
    methods = {
        name: classmethod(lambda _cls, *_args, _answer=answer, **_options: _answer)
        for name, answer in answers.items()
    }
    described = type("DescribedGpu", (cuda.CudaPlatformBase,), methods)
    vllm.platforms._current_platform = described()


def _name_kernels(gpu: Gpu) -> None:
    library = torch.library.Library("_C", "FRAGMENT")
    _KEPT.append(library)
    number = gpu.capability_number
    # Which families of CUTLASS kernels the wheel holds for a capability; CUDA 13 builds. Source:
    # vllm-project/vllm csrc/quantization/w8a8/cutlass/scaled_mm_entry.cu and csrc/quantization/fp4.
    exists = {
        "cutlass_scaled_mm_supports_fp8": number >= 89,
        "cutlass_scaled_mm_supports_block_fp8": number >= 90,
        "cutlass_scaled_mm_supports_fp4": number >= 100,
        "cutlass_group_gemm_supported": 90 <= number < 110,
    }
    for name, answer in exists.items():
        library.define(f"{name}(int capability) -> bool")
        library.impl(name, lambda _capability, it=answer: it, "CompositeExplicitAutograd")
    for schema in SCHEMAS:
        library.define(schema)
    library.define(
        "static_scaled_fp8_quant(Tensor(a!) result, Tensor input, Tensor scale,"
        " int[]? group_shape=None) -> ()"
    )
    library.impl("static_scaled_fp8_quant", lambda *_args: None, "Meta")
    for name in NAMED_ONLY:
        setattr(torch.ops._C, name, _called)


def _called(*_args: object, **_options: object) -> None:
    raise RuntimeError("a kernel was called; this rig only constructs")


def _answer_for_tensors_without_data() -> None:
    """Take a single number on the meta device for 1, everything else for zeros and agreeing.

    Weight processing asks whether scales of fused layers agree, whether a scale was never loaded
    (NaN), for the largest scale, and repacks zero points with numpy: none of it changes a shape.
    """
    fx_config.meta_nonzero_assume_all_nonzero = True
    real_cpu, real_greater = torch.Tensor.cpu, torch.Tensor.__gt__

    def cpu(self: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:  # noqa: ANN401
        if self.is_meta:
            return torch.zeros(self.shape, dtype=self.dtype, device="cpu")
        return real_cpu(self, *args, **options)

    def greater(self: torch.Tensor, other: Any) -> Any:  # noqa: ANN401
        is_number = self.is_meta and self.numel() == 1 and isinstance(other, int | float)
        return other < 1 if is_number else real_greater(self, other)

    torch.Tensor.cpu, torch.Tensor.__gt__ = cpu, greater

    def answer(name: str, value: Any) -> None:  # noqa: ANN401 - of several types
        real = getattr(torch.Tensor, name)

        def method(self: torch.Tensor, *args: Any, **options: Any) -> Any:  # noqa: ANN401
            return value if self.is_meta else real(self, *args, **options)

        setattr(torch.Tensor, name, method)

    answer("item", 1.0)
    answer("__bool__", False)  # noqa: FBT003 - the answer itself
    answer("__float__", 1.0)
    answer("__int__", 1)
    real_unique, real_equal, real_allclose = torch.unique, torch.equal, torch.allclose

    def unique(tensor: torch.Tensor, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        return tensor.flatten()[:1] if tensor.is_meta else real_unique(tensor, *args, **options)

    def equal(left: torch.Tensor, right: torch.Tensor) -> bool:
        return True if left.is_meta else real_equal(left, right)

    def allclose(left: torch.Tensor, *args: Any, **options: Any) -> bool:  # noqa: ANN401
        return True if left.is_meta else real_allclose(left, *args, **options)

    torch.unique, torch.equal, torch.allclose = unique, equal, allclose
