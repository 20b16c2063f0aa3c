"""Measurements: none is a test, and `make bench-…` runs each."""
