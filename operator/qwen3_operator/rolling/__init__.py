"""Rollouts: whether pods are made anew, kept as they are, or made again from what worked last.

Pure. :mod:`qwen3_operator.decisions.rollout` decides; here is what it decides on, and what follows:

- :mod:`.inputs` what pods come from, as fingerprints that every release works out alike;
- :mod:`.workloads` which part of a child its pods are made from, and how another part is put there;
- :mod:`.revisions` what is kept of templates, as ControllerRevisions;
- :mod:`.turns` one look at a resource: the children that shall live now.
"""
