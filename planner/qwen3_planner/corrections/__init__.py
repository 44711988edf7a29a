"""What was measured, and how it corrects a plan: pure functions over frozen values."""
