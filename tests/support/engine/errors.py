"""Errors of the rig around the real engine.

EngineRigError
├── EngineUnavailableError   this machine cannot hold or run it; the message says how to get it
├── EnvironmentBuildError    installing it failed; carries the end of the installer's output
└── EngineDiedError          the engine's process ended on its own; carries the end of its log
"""

from __future__ import annotations


class EngineRigError(Exception):
    """Anything that keeps the rig from asking the engine."""


class EngineUnavailableError(EngineRigError):
    """The machine lacks something that no program here can supply."""

    def __init__(self, missing: str, fix: str) -> None:
        super().__init__(f"{missing}. {fix}")
        self.missing = missing
        self.fix = fix


class EnvironmentBuildError(EngineRigError):
    """The engine's environment could not be built; nothing half-built is left to be used."""


class EngineDiedError(EngineRigError):
    """The engine's process ended without answering."""
