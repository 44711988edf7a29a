"""Does what was installed work? Asked from inside of the cluster, by `helm test`."""
