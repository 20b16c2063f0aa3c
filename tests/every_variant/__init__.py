"""What each of all variants must do: `migrations`, `crud`, `mixins` and `first_model_crud`; `drive` runs it."""
