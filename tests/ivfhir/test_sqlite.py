"""A file that another connection has is told from what asking again does not mend."""

import sqlite3
from contextlib import closing

import pytest

from ivfhir.sqlite import is_busy


def test_a_file_that_another_connection_has_is_busy_and_a_wrong_statement_is_not(tmp_path):
    with (
        closing(sqlite3.connect(tmp_path / "a")) as one,
        closing(sqlite3.connect(tmp_path / "a", timeout=0)) as two,
    ):
        one.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as held:
            two.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as wrong:
            two.execute("SELECT * FROM nothing")
    assert (is_busy(held.value), is_busy(wrong.value)) == (True, False)
