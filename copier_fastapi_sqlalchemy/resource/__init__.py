"""Adds a resource to a project made with the template: its table, its routes and their tests."""
