"""The scanner's own environment: half a minute to install, 290 MB.

checkov (Apache-2.0) brings a hundred packages, so nothing else may share them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from support.tool_environments import ToolEnvironment

if TYPE_CHECKING:
    from collections.abc import Callable

BUILD_COMMAND = "make scanner"
ENVIRONMENT = ToolEnvironment(
    "scanner", Path(__file__).with_name("requirements.txt"), BUILD_COMMAND
)


def find_or_install(say: Callable[[str], None] | None = None) -> Path:
    """Return checkov's command.

    Raises:
        EnvironmentBuildError: the installer failed; the message has the end of what it said.
    """
    return ENVIRONMENT.find_or_install(say) / "bin" / "checkov"
