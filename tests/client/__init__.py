"""A typed client for TypeScript is generated from what a service says of itself, compiled strictly, and run."""
