"""Start engines on the CPU with random weights, one after the other; say what each holds.

`python -m support.engine.inside.starting OPTIONS-AS-JSON`: a list of options of `vllm.LLM`.
Standard output has a line for each, in order. Each engine is a fork of this process, so that vLLM
is imported once and no engine inherits another's threads; vLLM spawns the workers.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NoReturn, TextIO


def main() -> None:
    """Start each in a fork of its own; end with the first that fails."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    import vllm  # noqa: F401, PLC0415 - once, for all forks

    for options in json.loads(sys.argv[1]):
        child = os.fork()
        if child == 0:
            _start(options, answers)
        _, status = os.waitpid(child, 0)
        if status != 0:
            sys.exit(os.waitstatus_to_exitcode(status))


def _start(options: dict[str, Any], answers: TextIO) -> NoReturn:
    """Start one engine, ask every worker, answer, and end this fork."""
    from vllm import LLM  # noqa: PLC0415 - imported by the parent

    engine = LLM(
        **options,
        load_format="dummy",
        enforce_eager=True,
        skip_tokenizer_init=True,
        dtype="bfloat16",
        distributed_executor_backend="mp",
        worker_extension_cls="support.engine.inside.weighing.Weighing",
    )
    answers.write(json.dumps(_describe(engine)) + "\n")
    answers.flush()
    engine.llm_engine.engine_core.shutdown()
    os._exit(0)


def _describe(engine: Any) -> dict[str, Any]:  # noqa: ANN401 - vllm.LLM
    cache = engine.llm_engine.vllm_config.cache_config
    return {
        "blocks": cache.num_gpu_blocks,
        "block_tokens": cache.block_size,
        "workers": engine.collective_rpc("held_tensors"),
    }


if __name__ == "__main__":
    main()
