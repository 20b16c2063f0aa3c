"""`resource add`, `list` and `remove`: what they read of a project, write to it and refuse."""
