"""llama.cpp's own server, started as a plan's command says, and what it logs of its memory.

It comes as a Python package (PyPI xllamacpp, MIT) that holds llama.cpp of one build; the server
runs in a process of its own, so that its log is its own.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.availability import cannot_run
from support.llamacpp_options import settings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = "xllamacpp"
BUILD = "b11549"
"""Of the release that the development environment pins."""

SECONDS = 120.0
"""Longer than a start of a tiny model takes on a busy machine."""

INSIDE = """
import json, sys, urllib.error, urllib.request
sys.path.insert(0, sys.argv[2])
import xllamacpp as x
from llamacpp_options import parameters_of

def ask(path, headers):
    try:
        request = urllib.request.Request(server.listening_address + path, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return str(error.code)

settings = json.loads(sys.argv[1])
key = settings.pop("api_key", "")
params = parameters_of(settings, x)
params.verbosity, params.warmup, params.port = 5, False, 0
params.no_extra_bufts = True
if key:
    params.api_keys = [key]
server = x.Server(params)
paths = ("/health", "/metrics", "/v1/models")
found = {path: ask(path, {"Authorization": "Bearer " + key}) for path in paths}
found |= {"without a key " + path: ask(path, {}) for path in paths}
print(json.dumps(found))
"""

_ELSEWHERE = frozenset({"hostnames", "port"})
"""The address is the test's own."""

_SIZE = re.compile(r"(\S+)\s+(model|KV|RS|compute|output) buffer size =\s+([\d.]+) MiB")


@dataclass(frozen=True, slots=True)
class Served:
    """What a server said.

    Attributes:
        log: all of it.
        answers: by path, and ``without a key PATH``; the status alone where it is an error.
    """

    log: str
    answers: dict[str, str]

    def mib(self, kind: str) -> float:
        """Sum the buffers of a kind: model, KV, RS, compute or output."""
        return sum(float(size) for _, found, size in _SIZE.findall(self.log) if found == kind)


def serve(command: Sequence[str], api_key: str = "") -> Served:
    """Start the server, ask it whether it is well, and stop it."""
    if importlib.util.find_spec(PACKAGE) is None:
        cannot_run(f"No llama.cpp: {PACKAGE} is not installed.", "make setup")
    asked = settings_of(command[1:]).items()
    settings = {name: value for name, value in asked if name not in _ELSEWHERE}
    words = [json.dumps({**settings, "api_key": api_key}), str(Path(__file__).parent)]
    done = subprocess.run(
        [sys.executable, "-c", INSIDE, *words],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return Served(done.stderr, json.loads(done.stdout.splitlines()[-1]))
