"""What each engine does, by version: memory semantics, flags, image, probes."""
