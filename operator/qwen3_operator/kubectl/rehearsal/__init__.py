"""The operator itself on a copy of the cluster: what it would do is what it does there.

- :mod:`.world` the API server's part: objects, listed from the cluster once, written here alone;
- :mod:`.selecting` which objects a list or a watch is about;
- :mod:`.controllers` what Deployments, StatefulSets, LeaderWorkerSets, Jobs and claims become;
- :mod:`.workloads` which pods these want, and which make way first;
- :mod:`.scheduling` where pods go;
- :mod:`.clock` time that passes when nothing else is to be done;
- :mod:`.stage` the operator, wired to all that, until it comes to rest.
"""
