"""Filling a cache: what the prefetch Job runs. Standard library alone, one folder, one repository.

It fetches the files of a repository into a folder, goes on where an earlier run stopped, and says
in one sentence and an exit code why it cannot. What runs inside an engine's server is here, too;
other rooms take its text and never call it. It knows no cluster.
"""
