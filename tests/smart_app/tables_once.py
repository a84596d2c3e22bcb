"""The tables of the app's database, made once for all tests of a process: each begins with a copy.

That they are made, and brought up from older releases, is tested in `store/test_schema.py`.
"""

import shutil
import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy.engine import make_url

from smart_app.store.engine import make_engine
from smart_app.store.schema import upgrade_schema


def begin_with_tables(url: str) -> None:
    """Put the tables where an SQLite file is to be made; what is there already stays.

    Args:
        url: a database's URL; one that names no SQLite file is left as it is.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return
    file = Path(parsed.database)
    if file.parent.is_dir() and not file.exists():
        file.write_bytes(_tables())


@cache
def _tables() -> bytes:
    folder = Path(tempfile.mkdtemp(prefix="ivfhir-tables-"))
    try:
        make_tables(f"sqlite:///{folder}/app.sqlite3")
        return (folder / "app.sqlite3").read_bytes()
    finally:
        shutil.rmtree(folder)


def make_tables(url: str) -> None:
    """Make this release's tables in an empty database, and leave it."""
    engine = make_engine(url)
    upgrade_schema(engine)
    engine.dispose()
