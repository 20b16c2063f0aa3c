"""What the checks run on: variants, servers, a warm process, which test runs on which variant, the report."""
