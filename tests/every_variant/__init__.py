"""What each of all variants must do: `migrations`, and what `checks` finds; `drive` runs it."""
