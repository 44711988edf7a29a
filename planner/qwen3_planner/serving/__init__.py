"""How each engine serves a model: its settings, the memory of each rank, its command line."""
