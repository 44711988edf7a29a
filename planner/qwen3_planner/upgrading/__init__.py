"""What changes for a plan when its engine is upgraded."""
