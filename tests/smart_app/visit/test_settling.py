"""Two looks at what a written plan changes beside itself make one answer."""

import pytest

from smart_app.visit.settling import joined

FOUND = {"own": "CarePlan/1", "stays": "CarePlan/2", "author": "", "revoked": (), "left": ()}
UNKNOWN = {"unknown": True}
LEFT = {**FOUND, "left": ("CarePlan/3",)}
OWN_LEFT = {**FOUND, "left": ("CarePlan/1",)}


def body(rivals, *ended):
    rows = [{"reference": "D/1", "wanted": "superseded", "status": status} for status in ended]
    return {"signer": "A", "rivals": rivals, "ended": rows}


@pytest.mark.parametrize(
    ("first", "later", "together"),
    [
        (None, None, None),
        (None, FOUND, FOUND),
        (None, UNKNOWN, None),
        (UNKNOWN, None, None),
        (UNKNOWN, UNKNOWN, UNKNOWN),
        (UNKNOWN, FOUND, FOUND),
        (FOUND, None, FOUND),
        (FOUND, UNKNOWN, FOUND),
        (FOUND, LEFT, FOUND),
        (LEFT, FOUND, FOUND),
        (LEFT, UNKNOWN, LEFT),
        (LEFT, None, FOUND),
        (OWN_LEFT, None, None),
    ],
)
def test_what_was_found_out_counts(first, later, together):
    assert joined(body(first), body(later))["rivals"] == together


@pytest.mark.parametrize(
    ("first", "later", "together"),
    [
        (["current"], ["superseded"], ["superseded"]),
        (["superseded"], [""], ["superseded"]),
        ([""], ["current"], ["current"]),
        ([], ["superseded"], ["superseded"]),
        (["superseded"], [], ["superseded"]),
    ],
)
def test_what_was_seen_to_have_ended_stays_so(first, later, together):
    rows = joined(body(None, *first), body(None, *later))["ended"]
    assert [each["status"] for each in rows] == together


def test_all_else_is_the_first_ones():
    assert joined({**body(None), "n": 1}, {**body(None), "n": 2})["n"] == 1
