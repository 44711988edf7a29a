"""``python -m support.leaderworkerset``: build the controller if it is not there yet."""

from __future__ import annotations

import sys

from support.controlplane import BuildError, MissingPrerequisiteError

from .building import find_or_build


def main() -> None:
    """Build, or say in one line what is missing."""
    try:
        built = find_or_build()
    except (MissingPrerequisiteError, BuildError) as error:
        sys.exit(f"leaderworkerset: {error}")
    sys.stdout.write(f"{built.program}\n")


if __name__ == "__main__":
    main()
