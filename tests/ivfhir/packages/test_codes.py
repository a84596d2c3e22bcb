"""Sets of codes, known in part."""

import pytest

from ivfhir.packages.codes import NOT_KNOWN, Codes, listed

AB, BC, OPEN = listed("s", "ab"), listed("s", "bc"), Codes(open_systems=frozenset({"s"}))


@pytest.mark.parametrize(
    ("codes", "answers"),
    [
        (AB, [True, True, False]),
        (AB | BC, [True, True, True]),
        (AB & BC, [False, True, False]),
        (AB - BC, [True, False, False]),
        (AB | OPEN, [True, True, None]),
        (AB & OPEN, [None, None, None]),
        (AB - OPEN, [None, None, None]),
        (AB & NOT_KNOWN, [None, None, None]),
        (AB - NOT_KNOWN, [None, None, None]),
        (AB & Codes(), [False, False, False]),
        (NOT_KNOWN, [None, None, None]),
    ],
)
def test_a_code_is_in_or_not_or_that_is_not_known(codes, answers):
    assert [codes.has("s", each) for each in "abc"] == answers
    assert [codes.has_code(each) for each in "abc"] == answers


def test_a_system_that_is_not_named_is_not_in():
    assert (AB | OPEN).has("t", "a") is False
    assert (AB & NOT_KNOWN).has("t", "a") is False
    assert (AB.is_whole, OPEN.is_whole, NOT_KNOWN.is_whole) == (True, False, False)
