"""The accuracy scoreboard: measured rows, what the planner says of each, and the errors."""
