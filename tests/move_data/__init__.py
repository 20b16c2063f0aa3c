"""`move-data` moves the rows of a service to another database."""
