"""Migrates and drives each of all variants: `crud.py` says what a service must do, `drive.py` runs it."""
