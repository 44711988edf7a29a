"""Errors of the operator; the tree of the whole project is drawn in qwen3_planner.errors.

::

    ServingError
    ├── SpecError        the user's; never retried, becomes SpecValid=False
    ├── ClusterError     the API server said no or did not answer; retried with backoff
    └── TelemetryError   metrics are missing; the operator goes on without them
"""

from __future__ import annotations

from qwen3_planner.errors import ServingError, SpecError

__all__ = ["ClusterError", "ServingError", "SpecError", "TelemetryError"]


UNKNOWN_FIELD = "failed to create typed patch object"
"""How server-side apply begins to say that a field is misspelt or of another type
(k8s.io/apimachinery@v0.37.2 util/managedfields/internal/structuredmerge.go, read 2026-11-23)."""


NO_SUCH_PATH = "404 page not found"
"""All that the API server says of a path that leads to no kind."""

GOING_KIND = "custom resource definition is terminating"
"""The end of what it says while somebody takes a definition away."""


class ClusterError(ServingError):
    """A request to the API server failed.

    Attributes:
        status: HTTP status; 0 where no answer came.
        reason: Kubernetes' own reason (``Conflict``, ``Forbidden``, ``NotFound`` …).
        message: the API server's sentence.
        retry_after_s: what the server asked for, if it did.
    """

    def __init__(
        self, status: int, reason: str, message: str, retry_after_s: float | None = None
    ) -> None:
        self.status = status
        self.reason = reason
        self.message = message
        self.retry_after_s = retry_after_s
        super().__init__(f"{status} {reason}: {message}")

    @property
    def is_refusal(self) -> bool:
        """Whether the API server understood and refused (quota, policy, validation).

        A field that a kind does not have is such a case, although server-side apply answers 500.
        """
        return self.status in (400, 403, 422) or UNKNOWN_FIELD in self.message

    @property
    def is_without_kind(self) -> bool:
        """Whether the API server does not know the kind, or is about to forget it."""
        return NO_SUCH_PATH in self.message or GOING_KIND in self.message


class TelemetryError(ServingError):
    """Metrics could not be read."""
