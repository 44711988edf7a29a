"""What serving costs: per hour, per million tokens, in energy."""
