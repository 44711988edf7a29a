"""Why a fetch ends, each with its exit code: by that the Job's controller and the operator know."""

from __future__ import annotations

from qwen3_operator.errors import ServingError


class FetchError(ServingError):
    """A fetch cannot go on; the message is for the condition of the resource."""

    exit_code = 1


class RefusedError(FetchError):
    """The hub wants a token, or the token may not read this repository."""

    exit_code = 41


class MissingError(FetchError):
    """The hub knows no such repository, revision or file."""

    exit_code = 42


class FullError(FetchError):
    """The volume has no room."""

    exit_code = 43


class UnreachableError(FetchError):
    """The hub does not answer, or breaks off again and again. Worth another try."""

    exit_code = 44


class DamagedError(FetchError):
    """A file is not what the hub says it should be. It was removed; worth another try."""

    exit_code = 45


class UnfitError(FetchError):
    """An adapter cannot be served as it is planned."""

    exit_code = 46
