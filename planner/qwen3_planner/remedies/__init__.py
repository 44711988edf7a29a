"""What would help where nothing fits: every step is tried by the planner before it is told."""
