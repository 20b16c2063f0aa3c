"""The template, broken on purpose, fails the checks."""
