"""The plugin's commands about a cluster: what runs, why, who holds what, and what if."""
