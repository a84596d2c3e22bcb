"""The database's tables, step by step: Alembic's scripts, inside the wheel."""
