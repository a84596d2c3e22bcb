"""A ledger that is damaged is said to be so; the server is written to without it alone."""

import sqlite3
import zlib
from contextlib import closing

import pytest

from ivfhir.sync.ledger import NAME
from tests.ivfhir.sync.scene import patient, results, run, small, stored, write


@pytest.mark.parametrize(
    ("element", "value"),
    [
        (("sent_plan", "parts"), b"no such thing"),
        (("sent_plan", "parts"), b""),
        (("sent_plan", "parts"), "a text"),
        (("sent_plan", "parts"), zlib.compress(b"\xff")),
        (("sent_plan", "parts"), zlib.compress(b'{"cut')),
        (("sent_plan", "parts"), zlib.compress(b"[]")),
        (("sent_plan", "parts"), zlib.compress(b"{}")),
        (("sent_part", "reference"), b"\xff"),
    ],
)
def test_a_plan_of_which_the_ledger_is_damaged_is_not_overwritten(sekmet, tmp_path, element, value):
    table, column = element
    patient(sekmet)
    write(tmp_path, "plan", small())
    assert results(tmp_path, sekmet) == ["created"]
    with closing(sqlite3.connect(tmp_path / NAME)) as db, db:
        db.execute(f"UPDATE {table} SET {column} = ?", (value,))  # noqa: S608 - no words of others
    write(tmp_path, "plan", small(title="Another"))
    for more in ([], ["--dry-run"]):
        code, _, sentence = run(tmp_path, "--to", sekmet, *more)
        assert code == 2
        assert "ledger cannot be read any more (what it holds of a plan is damaged)" in sentence
        assert "move the file away" in sentence
    assert [each["title"] for each in stored(sekmet, "CarePlan")] == ["A plan"]
    (tmp_path / NAME).unlink()
    assert results(tmp_path, sekmet) == ["updated"]
