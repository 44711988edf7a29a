"""Measured speeds, and what the performance model says of them."""
