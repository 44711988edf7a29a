"""Filling a cache: what the prefetch Job runs. Standard library alone, one folder, one repository.

It fetches the files of a repository into a folder, goes on where an earlier run stopped, and says
in one sentence and an exit code why it cannot. No other room imports it; it knows no cluster.
"""
