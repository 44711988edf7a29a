"""Measurements in, an overlay file out: logs, benchmarks, rates of the card itself."""
