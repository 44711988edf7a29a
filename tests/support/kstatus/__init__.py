"""The real kstatus, by which Helm and Flux know whether to wait for a resource."""

from .building import find_or_build, statuses_of

__all__ = ["find_or_build", "statuses_of"]
