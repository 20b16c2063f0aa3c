"""The matrix: renders every variant, checks it, migrates it and drives its service."""
