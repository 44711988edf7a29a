"""Arguments, files, exit codes and terminal tables of `qwen3`."""
