"""What a value of limited precision can mean."""

import pytest

from ivfhir.errors import FhirPathError
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask_all_ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.587.lowBoundary() = 1.5865", [True]),
        ("1.587.highBoundary() = 1.5875", [True]),
        ("1.587.highBoundary(2) = 1.59", [True]),
        ("(-1.587).lowBoundary(2) = -1.59", [True]),
        ("1.lowBoundary(29)", []),
        ("1.lowBoundary(-1)", []),
        ("12345678901234567890123456789012345678901234567890.5.lowBoundary(28)", []),
        ("12345678901234567890123456789012345678901234567890.5.highBoundary(28)", []),
        ("@2014.lowBoundary()", ["2014-01-01"]),
        ("@2014-02.highBoundary()", ["2014-02-28"]),
        ("birthDate.highBoundary()", ["1960-05-31"]),
        ("@2014.highBoundary(6)", ["2014-12"]),
        ("@2014-01-01T08.lowBoundary()", ["2014-01-01T08:00:00.000+14:00"]),
        ("@2014-01-01T08.highBoundary()", ["2014-01-01T08:59:59.999-12:00"]),
        ("@2014-01-01T08:05Z.highBoundary(14)", ["2014-01-01T08:05:59+00:00"]),
        ("@T10:30.highBoundary()", ["10:30:59.999"]),
        ("@T10:30.lowBoundary(6)", ["10:30:00"]),
        ("(1.5 'mg').lowBoundary(3) = 1.450 'mg'", [True]),
        ("1.500.precision()", [3]),
        ("@2014-05.precision()", [6]),
        ("@T10.precision()", [2]),
        ("name.suffix.precision()", []),
        ("1 'g'.comparable(1 'kg')", [True]),
        ("1 'g'.comparable(1 's')", [False]),
        ("1 '[s]'.comparable(1 '[s]')", [True]),
        ("1 'g'.comparable(1 '[s]')", [False]),
    ],
)
def test_what_it_gives(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


@pytest.mark.parametrize("name", ["lowBoundary", "highBoundary", "precision"])
def test_a_text_has_no_boundary_and_no_precision(name):
    with pytest.raises(FhirPathError, match="not a String"):
        ask_all_ways(f"'a'.{name}()", PATIENT)
