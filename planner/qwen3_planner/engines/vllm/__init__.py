"""vLLM: its memory semantics, command line and container by version."""
