"""The words of an expression."""

import pytest

from ivfhir.expressions.fhirpath.lexer import MAX_LENGTH, tokens_of
from ivfhir.expressions.fhirpath.place import PlacedError


def words(text):
    return [(token.kind, token.text) for token in tokens_of(text)[:-1]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b", [("name", "a"), ("sign", "."), ("name", "b")]),
        (
            "a<=b !~ c",
            [("name", "a"), ("sign", "<="), ("name", "b"), ("sign", "!~"), ("name", "c")],
        ),
        (
            "1.abs()",
            [("number", "1"), ("sign", "."), ("name", "abs"), ("sign", "("), ("sign", ")")],
        ),
        ("1.50", [("number", "1.50")]),
        (r"'it\'s \u00e5\n'", [("string", "it's å\n")]),
        (r"'\ud83d\uDE00'", [("string", "\U0001f600")]),
        ("`a b`", [("quoted", "a b")]),
        ("$this", [("special", "$this")]),
        ("@2015", [("date", "2015")]),
        ("@2015-02-04T", [("dateTime", "2015-02-04T")]),
        ("@2015-02-04T14:34:28.5+02:00", [("dateTime", "2015-02-04T14:34:28.5+02:00")]),
        ("@T14:30", [("time", "T14:30")]),
        ("a // to the end\n/* and\nhere */ b", [("name", "a"), ("name", "b")]),
    ],
)
def test_a_text_falls_into_words(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("a ? b", 2, "begins nothing"),
        ("'open", 0, "has no end"),
        ("a /* open", 2, "comment has no end"),
        ("@20", 0, "begins a date"),
        (r"'\q'", 0, "no escape"),
        (r"1 + '\ud800'", 4, "half of a surrogate"),
        (r"'\ude00\ud83d'", 0, "half of a surrogate"),
        (r"`\udc00`", 0, "half of a surrogate"),
        ("'\udcff'", 0, "half of a surrogate"),
    ],
)
def test_what_is_no_word_is_refused_with_its_place(text, at, said):
    with pytest.raises(PlacedError, match=said) as raised:
        tokens_of(text)
    assert raised.value.at == at


def test_a_text_without_bounds_is_refused():
    with pytest.raises(PlacedError, match="longer than"):
        tokens_of("a" * (MAX_LENGTH + 1))
