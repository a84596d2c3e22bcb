"""Words of the user become instants, days and parameters, or one sentence."""

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ivfhir.errors import ParameterError, UsageError
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.parameters import parse_as_of, parse_day, typed_parameters

FULL_WIDTH = "\uff12\uff10\uff12\uff15-03-03"
NOW = datetime(2025, 3, 3, 12, 0, 0, 123_456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2025-03-03", "Europe/Berlin", "2025-03-03T23:59:59.999+01:00"),
        ("2025-03-03", "UTC", "2025-03-03T23:59:59.999+00:00"),
        ("2025-07-01", "Europe/Berlin", "2025-07-01T23:59:59.999+02:00"),
        ("2025-03-30", "Europe/Berlin", "2025-03-30T23:59:59.999+02:00"),
        ("2025-03-03T10:30:00-05:00", "Europe/Berlin", "2025-03-03T10:30:00.000-05:00"),
        ("2025-03-03T10:30:00Z", "Europe/Berlin", "2025-03-03T10:30:00.000+00:00"),
        ("2025-03-03T10:30", "Asia/Kolkata", "2025-03-03T10:30:00.000+05:30"),
        ("2025-03-03T10:30:00.1234567Z", "UTC", "2025-03-03T10:30:00.123+00:00"),
        (None, "America/New_York", "2025-03-03T07:00:00.123-05:00"),
    ],
)
def test_the_evaluation_instant(text: str | None, zone: str, expected: str) -> None:
    assert str(parse_as_of(text, time_zone=zone, now=NOW)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2025",
        "2025-03",
        "2025-02-30",
        "03.03.2025",
        "2025-03-03 10:30",
        "2025-03-03T25:00",
        FULL_WIDTH,
    ],
)
def test_other_words_are_no_evaluation_instant(text: str) -> None:
    with pytest.raises(UsageError, match="evaluation date"):
        parse_as_of(text, time_zone="UTC", now=NOW)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/localtime"])
def test_an_unknown_time_zone_is_a_usage_error(zone: str) -> None:
    with pytest.raises(UsageError, match="IVFHIR_TIME_ZONE"):
        parse_as_of("2025-03-03", time_zone=zone, now=NOW)


def test_a_day_is_a_day_of_the_calendar() -> None:
    assert str(parse_day("2025-03-10")) == "2025-03-10"
    for text in ("2025-03", "2025-02-30", "tomorrow", "2025-03-10T00:00:00Z", FULL_WIDTH):
        with pytest.raises(UsageError, match="no day of the calendar"):
            parse_day(text)


def _protocol(**types: str) -> ClinicalProtocol:
    parameters = {name: SimpleNamespace(type_name=type_name) for name, type_name in types.items()}
    return cast("ClinicalProtocol", SimpleNamespace(id="X", declared=parameters))


@pytest.mark.parametrize(
    ("type_name", "text", "value"),
    [
        ("System.Integer", "6", 6),
        ("{urn:hl7-org:elm-types:r1}Integer", "-1", -1),
        ("System.Decimal", "0.50", Decimal("0.50")),
        ("System.Boolean", "false", False),
        ("System.String", "RG-LU1", "RG-LU1"),
    ],
)
def test_a_parameter_takes_its_declared_type(type_name: str, text: str, value: Any) -> None:
    typed = typed_parameters(_protocol(p=type_name), {"p": text})
    assert typed == {"p": value}
    assert type(typed["p"]) is type(value)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"q": "6"}, "X has no parameter 'q'. It has: p."),
        ({"p": "six"}, "p is a whole number; 'six' is none."),
        ({"p": "6.0"}, "p is a whole number"),
        ({"p": ""}, "p is a whole number"),
        ({"p": "99999999999"}, "p is a whole number"),
        ({"AsOf": "2025-03-03"}, "AsOf is given by --as-of"),
        ({"Start": "2025-03-03"}, "Start is given by --start"),
        ({"OverrideReason": "x"}, "OverrideReason is given by --override-reason"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused(raw: dict[str, str], words: str) -> None:
    protocol = _protocol(p="System.Integer", AsOf="System.DateTime", Start="System.Date")
    with pytest.raises(ParameterError) as caught:
        typed_parameters(protocol, raw)
    assert words in caught.value.message
