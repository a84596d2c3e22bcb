"""Adapters of the `Repository` port: in memory, a file or folder, and HTTP."""
