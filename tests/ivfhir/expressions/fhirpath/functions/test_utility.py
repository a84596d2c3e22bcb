"""Trace, clock and the choice of what is there."""

import pytest

from ivfhir.expressions.fhirpath import Services, to_json
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask, ask_all_ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("today()", ["2025-03-03"]),
        ("now()", ["2025-03-03T10:30:15.250+01:00"]),
        ("timeOfDay()", ["10:30:15.250"]),
        ("coalesce(photo, gender, id)", ["female"]),
        ("coalesce(photo)", []),
        ("birthDate < today()", [True]),
    ],
)
def test_what_it_gives(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


def test_a_trace_tells_its_items_and_gives_them_on():
    told = []
    services = Services(trace=lambda name, items: told.append((name, [to_json(i) for i in items])))
    given = ask("name.trace('names', use).given.trace('g').count()", PATIENT, services=services)
    assert given == [4]
    assert told == [("names", ["official", "nickname"]), ("g", ["Per", "Olof", None, "Pelle"])]
