"""Which variant for a need: ranked by published scores, each with its plan."""
