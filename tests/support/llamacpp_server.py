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
from typing import TYPE_CHECKING

from support.availability import cannot_run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PACKAGE = "xllamacpp"
BUILD = "b11549"
"""Of the release that the development environment pins."""

SECONDS = 120.0
"""Longer than a start of a tiny model takes on a busy machine."""

INSIDE = """
import json, sys, urllib.error, urllib.request
import xllamacpp as x

def ask(path, headers):
    try:
        request = urllib.request.Request(server.listening_address + path, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        return str(error.code)

settings = json.loads(sys.argv[1])
key = settings.pop("api_key", "")
params = x.CommonParams()
params.model.path = settings.pop("model")
params.verbosity, params.warmup, params.port = 5, False, 0
params.no_extra_bufts = True
if key:
    params.api_keys = [key]
for name, value in settings.items():
    kind = {"cache_type_k": x.ggml_type, "cache_type_v": x.ggml_type,
            "flash_attn_type": x.llama_flash_attn_type}.get(name)
    setattr(params, name, value if kind is None else getattr(kind, value))
server = x.Server(params)
paths = ("/health", "/metrics", "/v1/models")
found = {path: ask(path, {"Authorization": "Bearer " + key}) for path in paths}
found |= {"without a key " + path: ask(path, {}) for path in paths}
print(json.dumps(found))
"""

_VALUES: dict[str, tuple[str, Callable[[str], object]]] = {
    "--model": ("model", str),
    "--ctx-size": ("n_ctx", int),
    "--parallel": ("n_parallel", int),
    "--n-gpu-layers": ("n_gpu_layers", int),
    "--batch-size": ("n_batch", int),
    "--ubatch-size": ("n_ubatch", int),
    "--cache-ram": ("cache_ram_mib", int),
    "--cache-type-k": ("cache_type_k", lambda name: f"GGML_TYPE_{name.upper()}"),
    "--cache-type-v": ("cache_type_v", lambda name: f"GGML_TYPE_{name.upper()}"),
    "--flash-attn": ("flash_attn_type", lambda _: "LLAMA_FLASH_ATTN_TYPE_ENABLED"),
    "--fit": ("fit_params", lambda word: word == "on"),
}
_FLAGS = {
    "--kv-unified": "kv_unified",
    "--metrics": "endpoint_metrics",
    "--jinja": "use_jinja",
    "--embeddings": "embedding",
}
_ELSEWHERE = frozenset(
    {"--alias", "--host", "--port", "--temp", "--top-p", "--top-k", "--min-p"}
    | {"--chat-template-kwargs", "--reasoning-budget"}
)
"""Options with a value that say nothing of memory; the address is the test's own."""

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


def settings_of(command: Sequence[str]) -> dict[str, object]:
    """Turn a command line into the settings its options stand for; none is passed over."""
    words = list(command[1:])
    settings: dict[str, object] = {}
    while words:
        word = words.pop(0)
        if word in _FLAGS:
            settings[_FLAGS[word]] = True
        elif word in _ELSEWHERE:
            words.pop(0)
        else:
            name, convert = _VALUES[word]
            settings[name] = convert(words.pop(0))
    return settings


def serve(command: Sequence[str], api_key: str = "") -> Served:
    """Start the server, ask it whether it is well, and stop it."""
    if importlib.util.find_spec(PACKAGE) is None:
        cannot_run(f"No llama.cpp: {PACKAGE} is not installed.", "make setup")
    done = subprocess.run(
        [sys.executable, "-c", INSIDE, json.dumps({**settings_of(command), "api_key": api_key})],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return Served(done.stderr, json.loads(done.stdout.splitlines()[-1]))
