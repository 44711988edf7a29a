"""Many questions at once: cases in, one row each out; interrupted, it goes on where it was."""
