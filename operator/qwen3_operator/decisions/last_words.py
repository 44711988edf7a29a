"""The last error line of a container's last words, with nothing in it that nobody may read.

Kubernetes keeps the end of a failed container's log (80 lines or 2048 bytes, whichever is less) as
its termination message where ``terminationMessagePolicy`` is FallbackToLogsOnError. The engines end
it in their own ways: vLLM and SGLang with a traceback of the process that waited, llama.cpp with a
line that begins with ``error``.
"""

from __future__ import annotations

import re

HIDDEN = "***"
"""Stands for what is not repeated."""

SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bhf_[A-Za-z0-9]{8,}"), HIDDEN),  # Hugging Face's tokens
    (re.compile(r"\bms-[0-9a-fA-F-]{20,}"), HIDDEN),  # ModelScope's
    (re.compile(r"\bsk-[A-Za-z0-9_-]{8,}"), HIDDEN),  # API keys as OpenAI began to write them
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"), HIDDEN),  # signed web tokens
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"(?i)([a-z][a-z0-9+.-]*://)[^/\s:@]*:[^/\s@]+@"), rf"\1{HIDDEN}@"),
    (
        re.compile(
            r"(?i)(--?[\w-]*(?:api-?key|token|secret|password|passwd|credential)[ =])"
            r"(?!-)['\"\[]*[^\s'\",\]]+"
        ),
        rf"\1{HIDDEN}",
    ),
    (
        re.compile(
            r"(?i)((?:api[_-]?key|token|secret|password|passwd|authorization|credential|signature)"
            r"['\"]?\s*[:=]\s*)(?:\[\s*)?(?:'[^']*'|\"[^\"]*\"|[^\s'\",;&\]}]+)"
        ),
        rf"\1{HIDDEN}",
    ),
)
"""What secrets look like in logs, and what is written instead. What they are is not known here: the
operator reads no Secret."""

MAX_LINE = 300
"""Characters of a line: enough for a sentence with its figures."""

_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PREFIX = re.compile(
    r"^\s*(?:\([A-Za-z]\w*(?: [^)]*)?pid=\d+\)\s*"  # vLLM names its process: (APIServer pid=1)
    r"|\[\d{4}-\d\d-\d\d[ T][\d:.,]+[^\]]*\]\s*"  # SGLang: [2026-11-23 10:00:00 TP0]
    r"|(?:ERROR|CRITICAL|WARNING|INFO)\s+\d\d-\d\d [\d:.,]+ \[[^\]]*\]\s*"  # vLLM's level and place
    r"|\d{4}-\d\d-\d\d[ T][\d:.,]+\S*\s+)"
)
_EXCEPTION = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Z]\w*(?:Error|Exception|Exit|Interrupt)(?::\s|$)")
_COMPLAINT = re.compile(
    r"(?i)\berror\b|\bfatal\b|\bfailed\b|\bpanic\b|out of memory|\bcannot\b|not found|\babort"
    r"|no such file|permission denied|segmentation fault"
)
_TRACE = re.compile(r'^(?:File "|Traceback \(|raise |\^+$|~*\^+~*$|During handling|The above exc)')
_HEARSAY = re.compile(
    r"(?i)see root cause above|sigquit from a child|leaked \w+ objects|destroy_process_group"
    r"|exiting due to|failed core proc|resource_tracker|initialization failed due to an exception"
)
"""Lines that say that something else failed."""


def redacted(text: str) -> str:
    """Hide what looks like a secret.

    >>> redacted("GET https://me:pw123@hub/x with hf_abcdefghijkl failed, token='abc'")
    'GET https://***@hub/x with *** failed, token=***'
    >>> redacted("KV cache tokens: 4096, --max-num-batched-tokens 8192")
    'KV cache tokens: 4096, --max-num-batched-tokens 8192'
    """
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text


def last_error_line(text: str) -> str:
    r"""Return the line that tells most of why a program ended; empty where nothing was said.

    The last line with an exception's name counts more than one that complains otherwise, and
    either more than one that only points at another failure.

    >>> last_error_line('  File "x.py", line 3\nValueError: too long\n\x1b[0mGoodbye.\n')
    'ValueError: too long'
    >>> last_error_line("OSError: no GPU\nRuntimeError: Engine died. See root cause above.")
    'OSError: no GPU'
    """
    lines = [line for raw in redacted(text).splitlines() if (line := _bare(raw))]
    for is_telling in (_is_exception, _is_complaint, _is_hearsay):
        found = next((line for line in reversed(lines) if is_telling(line)), "")
        if found:
            return _short(found)
    return _short(lines[-1]) if lines else ""


def _bare(line: str) -> str:
    """Take colours, process, time, level and place from the front of a line."""
    line = _COLOUR.sub("", line)
    while True:
        shorter = _PREFIX.sub("", line, count=1)
        if shorter == line:
            return line.strip()
        line = shorter


def _is_exception(line: str) -> bool:
    return bool(_EXCEPTION.match(line)) and not _HEARSAY.search(line)


def _is_complaint(line: str) -> bool:
    return bool(_COMPLAINT.search(line)) and not _TRACE.match(line) and not _HEARSAY.search(line)


def _is_hearsay(line: str) -> bool:
    return bool(_HEARSAY.search(line)) and not _TRACE.match(line)


def _short(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 1]}…"
