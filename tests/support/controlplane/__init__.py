"""A real Kubernetes control plane on loopback, with KWOK nodes that carry GPU labels."""
