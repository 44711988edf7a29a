"""Kubernetes operator for the Qwen3 family: one resource in, GPU-scheduled pods out."""
