"""The digest tells every input that an evaluation rests on, and nothing else."""

from copy import deepcopy
from dataclasses import replace
from decimal import Decimal

import pytest

from ivfhir.expressions.values import DateTime
from ivfhir.fhir.types import Resource
from ivfhir.inputs_digest import inputs_digest
from ivfhir.read import PatientRecord


def instant(text: str) -> DateTime:
    found = DateTime.parse(text)
    assert found is not None
    return found


AS_OF = instant("2025-03-03T23:59:59.999+01:00")
PATIENT: Resource = {"resourceType": "Patient", "id": "p", "gender": "male"}
PLATELETS: Resource = {
    "resourceType": "Observation",
    "id": "o1",
    "valueQuantity": {"value": Decimal("220.0"), "code": "10*9/L"},
}
DIAGNOSIS: Resource = {"resourceType": "Condition", "id": "c1", "code": {"text": "lung cancer"}}
RECORD = PatientRecord(PATIENT, (PLATELETS, DIAGNOSIS), {})


def digest(record: PatientRecord = RECORD, **more: object) -> str:
    return inputs_digest(record, as_of=AS_OF, parameters=dict(more))  # type: ignore[arg-type]


def with_platelets(value: object) -> PatientRecord:
    other = deepcopy(PLATELETS)
    other["valueQuantity"]["value"] = value
    return replace(RECORD, resources=(other, DIAGNOSIS))


def test_the_order_of_entries_and_of_members_does_not_matter() -> None:
    turned = dict(reversed(PLATELETS.items()))
    assert digest(replace(RECORD, resources=(DIAGNOSIS, turned))) == digest()
    assert len(digest()) == 64


def test_a_new_version_that_says_the_same_is_the_same_input() -> None:
    again = {**PLATELETS, "meta": {"versionId": "7"}, "text": {"status": "generated"}}
    assert digest(replace(RECORD, resources=(again, DIAGNOSIS))) == digest()


@pytest.mark.parametrize("value", [Decimal("220.1"), Decimal("220.00"), 220, "220.0", None])
def test_another_value_is_another_digest(value: object) -> None:
    assert digest(with_platelets(value)) != digest()


def test_everything_that_an_answer_rests_on_is_in_it() -> None:
    women = replace(RECORD, patient={**PATIENT, "gender": "female"})
    others = [
        digest(women),
        digest(replace(RECORD, resources=(PLATELETS,))),
        digest(replace(RECORD, resources=(PLATELETS, PLATELETS, DIAGNOSIS))),
        digest(replace(RECORD, unread={"Condition": "it could not be read"})),
        digest(segments="5"),
        digest(segments="6"),
        inputs_digest(RECORD, as_of=instant("2025-03-04T23:59:59.999+01:00")),
    ]
    assert len({digest(), *others}) == len(others) + 1


def test_why_a_type_was_not_read_is_no_input() -> None:
    """The message of a server may hold anything; that the type is unread is what counts."""
    first, second = (replace(RECORD, unread={"Condition": why}) for why in ("one", "another"))
    assert digest(first) == digest(second)
