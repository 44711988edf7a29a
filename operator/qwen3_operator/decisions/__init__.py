"""Decisions: facts in, verdicts out. Pure; one question a module, policies as lists.

- :mod:`.eligibility` which nodes a pod may go to, exactly as the scheduler judges;
- :mod:`.capacity` what hardware the cluster has for one resource, for the planner;
- :mod:`.admission` how many replicas surely get their GPUs now;
- :mod:`.supply` whether the weights can reach the pods;
- :mod:`.replan` whether the running plan stays;
- :mod:`.readiness` what Deployment and pods say about scheduling, availability and progress.
"""
