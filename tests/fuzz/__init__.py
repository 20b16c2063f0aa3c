"""Hostile input: a service that is sent anything stays well, and says what was wrong.

`make test` tries it with a few examples. `make fuzz` does with many, on every base variant with all mixins, and writes
the section of docs/reliability.md.
"""
