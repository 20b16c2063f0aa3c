"""A project is updated, or its answers are changed: what was edited and stored is kept."""
