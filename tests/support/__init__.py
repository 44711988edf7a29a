"""What the tests stand on: a real control plane, waiting for conditions."""
