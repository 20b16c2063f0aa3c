"""What the questions of copier.yml accept and refuse."""
