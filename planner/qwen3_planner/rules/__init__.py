"""Legality rules, each written once, and a chain per engine that reads as prose."""
