"""Precedence, and what is refused with its place."""

import pytest

from ivfhir.errors import FhirPathError
from ivfhir.expressions.fhirpath import compile_fhirpath
from tests.ivfhir.expressions.fhirpath.asked import ask


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", [7]),
        ("(1 + 2) * 3", [9]),
        ("10 - 3 - 2", [5]),
        ("-2.abs()", [-2]),
        ("- 2 + 5", [3]),
        ("1 | 2 = 2 | 1", [False]),
        ("1 + 1 is Integer", [True]),
        ("1 in 1 | 2", [True]),
        ("1 < 2 = true", [True]),
        ("true or false and false", [True]),
        ("false implies false or false", [True]),
        ("true and 2 in (1 | 2) and 'a' = 'a'", [True]),
        ("'a' & 'b' + 'c'", ["abc"]),
        ("(1 | 2 | 3)[1]", [2]),
        (
            "5 'mg' as Quantity",
            [{"value": 5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}],
        ),
        ("{}", []),
        ("3 days = 72 hours", [True]),
    ],
)
def test_what_binds_tighter_comes_first(text, expected):
    assert ask(text) == expected


@pytest.mark.parametrize("name", ["contains", "in", "as", "is", "`div`"])
def test_some_operators_may_be_names(name):
    assert ask(f"x.{name}", {"resourceType": "Other", "x": {name.strip("`"): 1}}) == [1]


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("a.", 1, 3, "the expression ends where the name of an element"),
        ("a\n  .b..c", 2, 6, "'.' stands where"),
        ("(1 + 2", 1, 7, r"where '\)' is expected"),
        ("1 2", 1, 3, "an operator, or the end"),
        ("a b", 1, 3, "an operator, or the end"),
        ("$that", 1, 1, "only \\$this"),
        ("@2015-13-01", 1, 1, "the calendar has no"),
        ("99999999999", 1, 1, "no Integer"),
        ("a is 3", 1, 6, "name of a type"),
        ("a.where(b c)", 1, 11, "','"),
        ("% 5", 1, 3, "name of a variable"),
        ("", 1, 1, "the expression ends"),
    ],
)
def test_a_mistake_has_line_and_column(text, line, column, said):
    with pytest.raises(FhirPathError, match=said) as raised:
        compile_fhirpath(text)
    assert (raised.value.line, raised.value.column) == (line, column)
    assert f"line {line}, column {column}" in raised.value.message


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "1" + ")" * 5000,
        "-" * 5000 + "1",
        "a" + ".a" * 5000,
        "1" + "+1" * 5000,
        "a.b(" * 90,
    ],
)
def test_what_is_nested_without_end_is_refused(text):
    with pytest.raises(FhirPathError):
        compile_fhirpath(text)


def test_a_long_row_of_alternatives_is_no_depth():
    text = " or ".join(f"1 = {number}" for number in range(2000))
    assert ask(text) == [True]
