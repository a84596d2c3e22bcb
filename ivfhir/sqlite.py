"""What SQLite's errors say: https://www.sqlite.org/rescode.html."""

import sqlite3

_PRIMARY_CODE = 0xFF
"""An error code without what its extended codes add."""


def is_busy(error: sqlite3.Error) -> bool:
    """Return whether another connection has the file, so that asking again may help."""
    return error.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
