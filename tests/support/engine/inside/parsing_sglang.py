"""Parse commands, a JSON list of words each line: `parsing_sglang.py FOLDER-WITH-SGLANG`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any, NoReturn


class ParserError(Exception):
    """The parser refused the command."""


class Parser(argparse.ArgumentParser):
    """Raises where it would end the process."""

    def error(self, message: str) -> NoReturn:
        """Refuse."""
        raise ParserError(message)


def main() -> None:
    """Serve until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever prints goes beside the answers, not between them
    sys.path.append(sys.argv[1])
    from sglang.srt.server_args import ServerArgs  # noqa: PLC0415 - from the folder just named

    parser = Parser()
    ServerArgs.add_cli_args(parser)
    for line in sys.stdin:
        answers.write(json.dumps(parsed(parser, json.loads(line)), default=str) + "\n")


def parsed(parser: argparse.ArgumentParser, words: list[str]) -> dict[str, Any]:
    """Return what the words mean, or why they mean nothing."""
    try:
        return vars(parser.parse_args(words))
    except ParserError as error:
        return {"refused": str(error)}


if __name__ == "__main__":
    main()
