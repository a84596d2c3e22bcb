"""A reading comes back from the database as it went in, whatever attributes it gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from flask import Flask, g

from ivfhir.expressions.values import DateTime
from ivfhir.fhir.json import loads
from smart_app.fake_ehr.sample_patients import SUMMARIES
from smart_app.pages import context
from smart_app.smart.session import open_launch
from smart_app.store.readings import to_text
from smart_app.visit.reading import Reading
from smart_app.visit.reading_json import decode, encode
from tests.smart_app.pages.conftest import Clinician


@pytest.mark.parametrize("patient", SUMMARIES)
def test_what_was_read_of_each_sample_patient_comes_back(
    clinician_for, app: Flask, patient: str
) -> None:
    clinician: Clinician = clinician_for(patient)
    launch_id = clinician.launched.launch_id
    cookie = clinician.client.get_cookie(f"__Host-ivfhir-{launch_id}")
    headers = {"Cookie": f"__Host-ivfhir-{launch_id}={cookie.value}"}
    with app.test_request_context(clinician.launched.url("match"), headers=headers):
        launch = open_launch(launch_id)
        reading = context.visit_of(launch).read_anew()
        assert isinstance(reading, Reading)
        back = decode(loads(to_text(encode(reading)), place="it"), Reading)
        assert back == reading
        assert str(back.as_of) == str(reading.as_of)
        assert to_text(encode(back)) == to_text(encode(reading))
        assert "turn" in g


@dataclass(frozen=True)
class Part:
    name: str
    resource: dict[str, object] | None


@dataclass(frozen=True)
class Whole:
    parts: Mapping[str, tuple[Part, ...]]
    at: datetime
    as_of: DateTime
    words: frozenset[str]
    text: str


def test_nested_values_come_back_by_their_types() -> None:
    whole = Whole(
        {"a": (Part("x", {"v": Decimal("1.0")}), Part("y", None)), "b": ()},
        datetime(2026, 1, 2, tzinfo=UTC),
        DateTime.parse("2025-03-03T23:59:59.999+01:00"),
        frozenset({"b", "a"}),
        "t",
    )
    assert decode(loads(to_text(encode(whole)), place="it"), Whole) == whole


def test_a_type_that_its_json_does_not_tell_is_refused() -> None:
    @dataclass(frozen=True)
    class Odd:
        number: complex

    with pytest.raises(TypeError, match="complex"):
        decode({"number": 1}, Odd)
    with pytest.raises(KeyError):
        decode({}, Odd)
