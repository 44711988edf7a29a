"""Run by an interpreter that has PyTorch, in a process of its own: rates that a device reaches.

Prints one JSON object. It imports nothing of this package, so any interpreter will do.
"""

from __future__ import annotations

import json
import sys
import time
from functools import partial

REPEATS = 9
WARM_UPS = 3
HEADS = 32
HEAD_DIM = 128
BF16_CAPABILITY = (8, 0)


def main(arguments: list[str]) -> int:
    """Measure ``cuda`` (or ``cpu``) with sizes divided by a number, and print what it reached."""
    device, smaller = arguments[0], int(arguments[1])
    try:
        import torch  # noqa: PLC0415 - may be missing, which is told as a value
    except ImportError as error:
        return _say({"error": "no-torch", "detail": str(error)})
    if device == "cuda" and not torch.cuda.is_available():
        return _say({"error": "no-gpu", "detail": f"torch {torch.__version__}"})
    try:
        return _say(_rates(torch, device, smaller))
    except RuntimeError as error:  # out of memory, a kernel that the device lacks
        return _say({"error": "failed", "detail": str(error).splitlines()[0]})


def _say(document: dict[str, object]) -> int:
    print(json.dumps(document))  # noqa: T201 - its answer
    return 0


def _rates(torch, device: str, smaller: int) -> dict[str, object]:  # type: ignore[no-untyped-def] # noqa: ANN001 - a module
    on_gpu = device == "cuda"
    capability = torch.cuda.get_device_capability() if on_gpu else BF16_CAPABILITY
    dtype = torch.bfloat16 if capability >= BF16_CAPABILITY else torch.float16

    def seconds(work) -> float:  # type: ignore[no-untyped-def] # noqa: ANN001 - a callable
        for _ in range(WARM_UPS):
            work()
        took = []
        for _ in range(REPEATS):
            if on_gpu:
                torch.cuda.synchronize()
            begun = time.perf_counter()
            work()
            if on_gpu:
                torch.cuda.synchronize()
            took.append(time.perf_counter() - begun)
        return sorted(took)[REPEATS // 2]

    n_bytes = (1 << 31) // smaller
    source = torch.ones(n_bytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copied = 2 * n_bytes / seconds(partial(target.copy_, source))
    del source, target
    side = max(64, int(8192 / smaller**0.5) // 64 * 64)
    left, right = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    multiplied = 2 * side**3 / seconds(lambda: left @ right)
    tokens = max(64, 4096 // smaller)
    heads = [torch.randn(1, HEADS, tokens, HEAD_DIM, device=device, dtype=dtype) for _ in range(3)]
    attend = torch.nn.functional.scaled_dot_product_attention
    attended = 2 * HEADS * tokens**2 * HEAD_DIM / seconds(lambda: attend(*heads, is_causal=True))
    properties = torch.cuda.get_device_properties(0) if on_gpu else None
    return {
        "device": properties.name if properties else "cpu",
        "total_bytes": torch.cuda.mem_get_info()[1] if on_gpu else 0,
        "dtype": str(dtype).rpartition(".")[2],
        "torch": torch.__version__,
        "memory_bytes_per_s": copied,
        "compute_flops": multiplied,
        "attention_flops": attended,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
