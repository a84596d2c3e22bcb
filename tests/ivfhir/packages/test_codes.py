"""Sets of codes, known in part."""

import pytest

from ivfhir.packages.codes import NOT_KNOWN, Codes, listed

AB, BC, OPEN = listed("s", "ab"), listed("s", "bc"), Codes(open_systems=frozenset({"s"}))
MAY_BE = Codes({"s": frozenset("a")}, {"s": frozenset("b")})
"""a is in, b may be."""


@pytest.mark.parametrize(
    ("codes", "answers"),
    [
        (AB, [True, True, False]),
        (AB | BC, [True, True, True]),
        (AB & BC, [False, True, False]),
        (AB - BC, [True, False, False]),
        (AB | OPEN, [True, True, None]),
        (AB & OPEN, [None, None, False]),
        (OPEN & AB, [None, None, False]),
        (OPEN & OPEN, [None, None, None]),
        (AB - OPEN, [None, None, False]),
        (OPEN - AB, [None, None, None]),
        (AB & NOT_KNOWN, [None, None, False]),
        (AB - NOT_KNOWN, [None, None, False]),
        (MAY_BE, [True, None, False]),
        (MAY_BE | BC, [True, True, True]),
        (MAY_BE | OPEN, [True, None, None]),
        (MAY_BE & AB, [True, None, False]),
        (MAY_BE & BC, [False, None, False]),
        (MAY_BE & OPEN, [None, None, False]),
        (MAY_BE - BC, [True, False, False]),
        (AB - MAY_BE, [False, None, False]),
        (MAY_BE - MAY_BE, [False, None, False]),
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


def test_where_case_does_not_count_a_code_is_the_same_in_any():
    codes = Codes({"s": frozenset({"Ab"})}, {"s": frozenset("c")}, any_case=frozenset({"s"}))
    assert [codes.has("s", each) for each in ("Ab", "aB", "C", "x")] == [True, True, None, False]
    assert [codes.has_code(each) for each in ("ab", "C", "x")] == [True, None, False]
    assert ((codes & codes) | AB).has("s", "AB") is True
    assert not codes.is_whole
    assert listed("s", "a").has("s", "A") is False
