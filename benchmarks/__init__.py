"""Measurements of this project beside others: each is one command that prints a ratio."""
