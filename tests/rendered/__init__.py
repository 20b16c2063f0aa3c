"""What Copier writes: its files, its own tests, its tools."""
