#!/usr/bin/python3
"""What is called `/app/llama-server` in the image: llama.cpp's own server, from its package.

The options are read here, since the package has none; everything after that is llama.cpp. The
API key comes from the variable that the real program reads.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "lib"))

import xllamacpp  # type: ignore[import-untyped]
from llamacpp_options import parameters_of, settings_of  # type: ignore[import-not-found]


def main() -> None:
    """Serve until told to stop."""
    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)  # for every thread that the server starts
    parameters = parameters_of(settings_of(sys.argv[1:]), xllamacpp)
    if key := os.environ.get("LLAMA_API_KEY"):
        parameters.api_keys = [key]
    server = xllamacpp.Server(parameters)
    signal.sigwait(stops)
    del server


if __name__ == "__main__":
    main()
