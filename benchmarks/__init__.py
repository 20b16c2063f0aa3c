"""Measures how fast rendered services are, and writes docs/performance.md and docs/mixins/cost.md."""
