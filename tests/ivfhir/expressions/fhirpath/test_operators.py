"""Logic and arithmetic."""

import pytest

from ivfhir.errors import FhirPathError
from tests.ivfhir.expressions.fhirpath.asked import ask

T, F, N = "true", "false", "{}"


@pytest.mark.parametrize(
    ("operator", "rows"),
    [
        ("and", [(T, T, T), (T, F, F), (T, N, N), (F, N, F), (N, F, F), (N, T, N), (N, N, N)]),
        ("or", [(F, F, F), (T, F, T), (T, N, T), (N, T, T), (F, N, N), (N, N, N)]),
        ("xor", [(T, T, F), (T, F, T), (T, N, N), (N, F, N)]),
        ("implies", [(T, T, T), (T, F, F), (F, N, T), (N, T, T), (N, F, N), (T, N, N)]),
    ],
)
def test_logic_has_three_values(operator, rows):
    for left, right, expected in rows:
        assert ask(f"{left} {operator} {right}") == ask(expected), (left, right)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 / 2", "0.5"),
        ("1 / 0", None),
        ("7 div 2", "3"),
        ("-7 mod 3", "-1"),
        ("12345678901234567890123456789012345678901234567890.5 mod 3", None),
        ("0.1 + 0.2", "0.3"),
        ("1.10 * 2", "2.20"),
        ("2147483647 * 2", "4294967294"),
        ("'a' + 'b'", "ab"),
        ("'a' + {}", None),
        ("'a' & {}", "a"),
        ("@2020-02-29 + 1 year", "2021-02-28"),
        ("@2020-01-31 + 1 month", "2020-02-29"),
        ("@2020-03-01 - 1 day", "2020-02-29"),
        ("@2020 + 18 months", "2021"),
        ("@T23:30 + 1 hour", "00:30"),
        ("@2020-01-01T10:00:00Z + 90 minutes", "2020-01-01T11:30:00+00:00"),
    ],
)
def test_arithmetic_keeps_digits_and_calendar(text, expected):
    assert [str(each) for each in ask(text)] == ([] if expected is None else [expected])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 + 'a'", r"\+ does not go between a Integer and a String"),
        ("'a' - 'b'", "does not go between"),
        ("@2020-01-01 + 5", "does not go between"),
        ("@2020-01-01 + 1 'mo'", "cannot be moved by 'mo'"),
        ("@2020-01-01 + 1 'cm'", "cannot be moved by 'cm'"),
        ("-'a'", "stands before a String"),
        ("(1 | 2) + 1", "2 items where one at most"),
        ("1 & 'a'", "joins texts"),
        ("(1 | 2) and true", "2 items where one at most"),
    ],
)
def test_what_cannot_be_meant_is_refused(text, said):
    with pytest.raises(FhirPathError, match=said):
        ask(text)
