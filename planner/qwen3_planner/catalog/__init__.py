"""Data files about the world (models, accelerators, engines), each row with source and date."""
