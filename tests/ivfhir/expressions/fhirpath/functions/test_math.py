"""Numbers."""

import pytest

from ivfhir.errors import FhirPathError
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask_all_ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(-5).abs()", [5]),
        ("1.1.ceiling()", [2]),
        ("(-1.1).floor()", [-2]),
        ("(-1.9).truncate()", [-1]),
        ("2.power(10)", [1024]),
        ("(-1).power(0.5)", []),
        ("(-1).sqrt()", []),
        ("0.ln()", []),
        ("{}.abs()", []),
        ("10.exp() > 22026.4", [True]),
        ("100000.exp()", []),
        ("2.power(-1) = 0.5", [True]),
        ("9.sqrt() = 3", [True]),
        ("1.5.round() = 2", [True]),
        ("3.14159.round(2) = 3.14", [True]),
        ("8.log(2) = 3", [True]),
        ("(-5 'mg').abs() = 5 'mg'", [True]),
        ("2.power(99999)", []),
        ("1000000000000000000000000000000.0.round(28)", []),
        ("1000000000000000000000000000000.05.round(1) = 1000000000000000000000000000000.1", [True]),
    ],
)
def test_what_it_gives(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


@pytest.mark.parametrize(
    "text", ["'a'.abs()", "'a'.ceiling()", "1.round(-1)", "1.round('a')", "(1 | 2).abs()"]
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(FhirPathError):
        ask_all_ways(text, PATIENT)
