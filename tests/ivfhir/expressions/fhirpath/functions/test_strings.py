"""Texts."""

import pytest

from ivfhir.errors import FhirPathError
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask_all_ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'abc'.indexOf('c')", [2]),
        ("'abca'.lastIndexOf('a')", [3]),
        ("'abc'.substring(1)", ["bc"]),
        ("'abc'.substring(1, 1)", ["b"]),
        ("'abc'.substring(3)", []),
        ("'abc'.substring(-1)", []),
        ("'abc'.substring(0, 0)", [""]),
        ("'abc'.startsWith('ab')", [True]),
        ("'abc'.endsWith('')", [True]),
        ("'abc'.contains('x')", [False]),
        ("'aB'.upper()", ["AB"]),
        ("'aB'.lower()", ["ab"]),
        ("'abc'.replace('b', 'x')", ["axc"]),
        ("'abc'.matches('B')", [False]),
        ("'abc'.matchesFull('b')", [False]),
        ("'abc'.matchesFull('a.c')", [True]),
        ("'a1b2'.replaceMatches('[0-9]', '')", ["ab"]),
        ("'åäö'.length()", [3]),
        ("' a '.trim()", ["a"]),
        ("'ab'.toChars()", ["a", "b"]),
        ("'a,b,,c'.split(',')", ["a", "b", "", "c"]),
        ("('a' | 'b').join('-')", ["a-b"]),
        ("('a' | 'b').join()", ["ab"]),
        ("{}.join(',')", []),
        ("'å'.encode('base64')", ["w6U="]),
        ("'w6U='.decode('base64')", ["å"]),
        ("'a?~'.encode('urlbase64').decode('urlbase64')", ["a?~"]),
        ("'zz'.decode('hex')", []),
        ("'a'.encode('rot13')", []),
        ("'<a>'.escape('html')", ["&lt;a&gt;"]),
        ("'&lt;a&gt;'.unescape('html')", ["<a>"]),
        ("'a\\\\\"b'.escape('json')", ['a\\\\\\"b']),
        ("'a\\\\nb'.unescape('json')", ["a\nb"]),
        ("'a'.escape('sql')", []),
        ("name.given.first().upper()", ["PER"]),
        ("{}.upper()", []),
        ("'a'.startsWith({})", []),
    ],
)
def test_what_it_gives(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name.upper()", "takes one|items where one"),
        ("contact.name.upper()", "takes a String, not a HumanName"),
        ("1.length()", "takes a String, not a Integer"),
        ("(1 | 2).join(',')", "takes Strings"),
        ("'a'.substring('b')", "takes an Integer"),
        ("'a'.split(1)", "takes a String"),
        ("('a' | 'b').join(0)", "takes a String"),
        ("(1 'g').toQuantity(1)", "takes a String"),
        ("'a'.matches('(')", "no regular expression"),
    ],
)
def test_what_is_no_text_is_refused(text, said):
    with pytest.raises(FhirPathError, match=said):
        ask_all_ways(text, PATIENT)
