"""``python -m qwen3_planner``: the same program as ``qwen3``."""

import sys

from qwen3_planner.cli import main

if __name__ == "__main__":
    sys.exit(main())
