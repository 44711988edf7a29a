"""Answer questions, one JSON line each: `python -m support.engine.inside.answering GPU-AS-JSON`.

Questions are `{"ask": "configure"|"tensors"|"slots"|"kv", "words": [...], "env": {...}, ...}`;
answers are `{"answer": ...}`, or `{"refused": {"type": ..., "text": ..., "where": ...}}` where
vLLM raised.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import TYPE_CHECKING, Any

from .pretending import Gpu, pretend

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever prints goes beside the answers, not between them
    described = json.loads(sys.argv[1])
    described["capability"] = tuple(described["capability"])
    pretend(Gpu(**described))
    ask = _asking()
    answers.write(json.dumps({"answer": "ready"}) + "\n")
    for line in sys.stdin:
        answers.write(json.dumps(ask(json.loads(line))) + "\n")


def _asking() -> Callable[[dict[str, Any]], dict[str, Any]]:
    from . import adapting, configuring, constructing, groups  # noqa: PLC0415 - once the GPU is described

    groups.silence()
    constructing.prepare()
    parser = configuring.make_parser()

    def ask(question: dict[str, Any]) -> dict[str, Any]:
        try:
            with configuring.environment(question.get("env", {})):
                config = configuring.configure(parser, question["words"])
                match question["ask"]:
                    case "configure":
                        return {"answer": configuring.describe(config)}
                    case "tensors":
                        found = constructing.tensors_of_rank(config, question["rank"])
                        return {"answer": found}
                    case "slots":
                        return {"answer": adapting.slots_of_rank(config, question["rank"])}
                    case "kv":
                        ranks, available = question["ranks"], question["available"]
                        return {"answer": constructing.kv_pool(config, ranks, available)}
                    case other:
                        return {"refused": {"type": "Question", "text": other, "where": ""}}
        except Exception as error:  # noqa: BLE001 - whatever vLLM raises is the answer
            where = "".join(traceback.format_exception(error)[-12:])
            return {"refused": {"type": type(error).__name__, "text": str(error), "where": where}}

    return ask


if __name__ == "__main__":
    main()
