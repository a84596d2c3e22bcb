"""Formats of primitives (http://hl7.org/fhir/R4/datatypes.html#primitive)."""

from decimal import Decimal

import pytest

from ivfhir.validation.primitive import primitive_problem


@pytest.mark.parametrize(
    ("type_name", "raw"),
    [
        ("boolean", False),
        ("integer", -5),
        ("integer", 2147483647),
        ("unsignedInt", 0),
        ("positiveInt", 1),
        ("decimal", Decimal("1.50")),
        ("decimal", 3),
        ("string", " a b\n"),
        ("code", "a b"),
        ("id", "A-1.b"),
        ("uri", "urn:oid:1.2"),
        ("oid", "urn:oid:1.2.0"),
        ("uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
        ("date", "2020"),
        ("date", "2020-02-29"),
        ("dateTime", "2020-02-29T10:00:00.5+01:00"),
        ("instant", "2020-02-29T10:00:00Z"),
        ("time", "23:59:60"),
        ("base64Binary", "aGVsbG8="),
        ("base64Binary", "aGVs\nbG8="),
        ("xhtml", "<div/>"),
    ],
)
def test_what_is_right_passes(type_name, raw):
    assert primitive_problem(raw, type_name) is None


@pytest.mark.parametrize(
    ("type_name", "raw", "said"),
    [
        ("boolean", "true", "without quotes"),
        ("integer", "5", "without quotes"),
        ("integer", True, "is true or false"),
        ("integer", Decimal("5.0"), "whole number"),
        ("integer", 2147483648, "out of bounds"),
        ("unsignedInt", -1, "between 0"),
        ("positiveInt", 0, "between 1"),
        ("decimal", "1.5", "without quotes"),
        ("string", 5, "is a number; a string is text"),
        ("string", "", "empty text"),
        ("string", " \n", "blanks alone"),
        ("string", "a\x07b", "control character"),
        ("string", "a" * (2**20 + 1), "longer than"),
        ("code", " a", "is no code"),
        ("code", "a  b", "is no code"),
        ("id", "a_b", "is no id"),
        ("id", "a" * 65, "is no id"),
        ("id", "é", "is no id"),
        ("uri", "a b", "is no uri"),
        ("uri", "urn:uuid:f3b2bd36-199b-4591-b4db-f49db0912b6", "is no uuid"),
        ("canonical", "urn:oid:1.a", "is no oid"),
        ("oid", "1.2.3", "urn:oid:"),
        ("uuid", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520", "small letters"),
        ("date", "2020-13", "is no date"),
        ("date", "2019-02-29", "calendar"),
        ("date", "2020-02-29T10:00:00Z", "is no date"),
        ("dateTime", "2020-02-29T10:00Z", "is no dateTime"),
        ("dateTime", "2020-02-29T10:00:00", "is no dateTime"),
        ("instant", "2020-02-29", "is no instant"),
        ("time", "24:00:00", "is no time"),
        ("base64Binary", "a", "no base64"),
        ("base64Binary", 5, "is a number"),
        ("base64Binary", "", "is empty"),
        ("base64Binary", " \n ", "is empty"),
        ("xhtml", {}, "is an object"),
    ],
)
def test_what_is_wrong_is_said(type_name, raw, said):
    assert said in (primitive_problem(raw, type_name) or "")
