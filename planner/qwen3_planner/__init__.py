"""Capacity planner for the Qwen3 family: will it fit, on what, and if not, why not.

The front door is :func:`qwen3_planner.planning.plan`; the command line is ``qwen3``.
"""
