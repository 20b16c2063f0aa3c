"""The service as a process: out of reach of its database, overloaded, behind a proxy."""
