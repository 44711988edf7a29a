"""The operator, which kills itself as `kill -9` does at one chosen write to the API server.

CRASH_AT_WRITE=n dies at the n-th write (Leases do not count): before it is sent where CRASH_WHEN is
`before`, when the answer has come but nothing was made of it where it is `after`.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from qwen3_operator.__main__ import main
from qwen3_operator.cluster.requests import Api, Request


def crash_at_that_write() -> None:
    """Count writes on their way out and die at the right one."""
    at, when = int(os.environ["CRASH_AT_WRITE"]), os.environ["CRASH_WHEN"]
    send = Api.send
    written = 0

    async def counting(self: Api, request: Request) -> dict[str, Any]:
        nonlocal written
        if request.method == "GET" or "/leases" in request.path:
            return await send(self, request)
        written += 1
        mine = written
        if mine == at and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await send(self, request)
        if mine == at and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    Api.send = counting  # type: ignore[method-assign]


if __name__ == "__main__":
    crash_at_that_write()
    main()
