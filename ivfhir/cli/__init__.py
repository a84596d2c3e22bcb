"""The command line: one file a subcommand; `main` wires them."""
