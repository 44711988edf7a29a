"""What running engines say of themselves."""
