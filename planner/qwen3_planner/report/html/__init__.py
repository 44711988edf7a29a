"""Answers as one self-contained HTML page each: no network, and readable without scripts."""
