"""What each of all variants must do: `migrations.py` and `crud.py` hold the checks, `drive.py` runs them."""
