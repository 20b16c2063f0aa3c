"""Faults under load: what clients see, and what becomes of what they were promised.

`make faults` runs them on every base variant with all mixins, and writes docs/reliability.md.
"""
