"""Builders of expressions, a module for each kind of ELM node (see `elm.table`)."""
