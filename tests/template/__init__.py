"""The template's sources are files of their language."""
