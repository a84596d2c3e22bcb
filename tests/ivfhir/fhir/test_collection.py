"""Copies are settled, and each resource stands with its patient."""

from typing import Any

import pytest

from ivfhir.errors import InputError, NotFoundError
from ivfhir.fhir.bundles import Entry
from ivfhir.fhir.collection import Collection


def _patient(resource_id: str | None = "p", **more: object) -> dict[str, Any]:
    named = {} if resource_id is None else {"id": resource_id}
    return {"resourceType": "Patient", **named, **more}


def _condition(reference: str | None, resource_id: str = "c", **more: object) -> dict[str, Any]:
    subject = {} if reference is None else {"subject": {"reference": reference}}
    return {"resourceType": "Condition", "id": resource_id, **subject, **more}


def _ids(collection: Collection, patient_id: str = "p") -> list[str]:
    return [resource["id"] for resource in collection.resources(patient_id, "Condition")]


@pytest.mark.parametrize(
    ("patient", "condition"),
    [
        (Entry(_patient()), Entry(_condition("Patient/p"))),
        (Entry(_patient()), Entry(_condition("Patient/p/_history/2"))),
        (Entry(_patient()), Entry(_condition("https://ehr.example/Patient/p"))),
        (Entry(_patient(), "urn:uuid:1", 1), Entry(_condition("urn:uuid:1"), "urn:uuid:2", 1)),
        (Entry(_patient(), "urn:uuid:1", 1), Entry(_condition("urn:uuid:1"), "urn:uuid:2", 2)),
        (
            Entry(_patient(), "http://x/Patient/p", 1),
            Entry(_condition("Patient/p"), "http://x/Condition/c", 1),
        ),
        (
            Entry(_patient(identifier=[{"system": "urn:mrn", "value": "7"}])),
            Entry(_condition("Patient?identifier=urn:mrn|7")),
        ),
        (
            Entry(_patient(identifier=[{"system": "urn:mrn", "value": "7"}])),
            Entry(_condition(None, subject={"identifier": {"system": "urn:mrn", "value": "7"}})),
        ),
    ],
)
def test_a_reference_finds_its_patient(patient: Entry, condition: Entry) -> None:
    collection = Collection([condition, patient])
    assert _ids(collection) == ["c"]
    assert collection.notes == ()


@pytest.mark.parametrize(
    "condition",
    [
        _condition(None),
        _condition("Patient/other"),
        _condition("urn:uuid:9"),
        _condition("#p", contained=[_patient()]),
        _condition("Group/p"),
        _condition(None, subject={"display": "Somebody"}),
        _condition(None, subject={"identifier": {"system": "urn:mrn", "value": "7"}}),
    ],
)
def test_what_belongs_to_nobody_is_left_out_with_a_note(condition: dict[str, Any]) -> None:
    collection = Collection([Entry(_patient()), Entry(condition)])
    assert _ids(collection) == []
    assert collection.notes == (
        "Left out, because they name no patient of the input: Condition 1.",
    )


def test_the_same_id_on_another_server_is_another_patient() -> None:
    patient = Entry(_patient(), "https://a.example/Patient/p", 1)
    collection = Collection([patient, Entry(_condition("https://b.example/Patient/p"))])
    assert _ids(collection) == []


def test_a_full_url_names_first_the_patient_of_its_own_bundle() -> None:
    entries = [
        Entry(_patient("p"), "urn:uuid:1", 1),
        Entry(_condition("urn:uuid:1", "c1"), "urn:uuid:2", 1),
        Entry(_patient("q"), "urn:uuid:1", 2),
        Entry(_condition("urn:uuid:1", "c2"), "urn:uuid:3", 2),
    ]
    collection = Collection(entries)
    assert (_ids(collection, "p"), _ids(collection, "q")) == (["c1"], ["c2"])


def test_care_givers_need_no_patient() -> None:
    practitioner = Entry({"resourceType": "Practitioner", "id": "d"})
    assert Collection([Entry(_patient()), practitioner]).notes == ()


def test_a_patient_without_id_is_known_by_its_full_url() -> None:
    entries = [
        Entry(_patient(None), "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", 1),
        Entry(_condition("urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"), "urn:uuid:2", 1),
    ]
    collection = Collection(entries)
    assert list(collection.patients) == ["0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"]
    assert _ids(collection, "0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0") == ["c"]


@pytest.mark.parametrize("resource_id", [None, "", 7])
def test_a_patient_without_any_name_is_refused(resource_id: Any) -> None:
    with pytest.raises(InputError, match="no id"):
        Collection([Entry({"resourceType": "Patient", "id": resource_id})])


@pytest.mark.parametrize("patient_id", ["p q", "p/1", "p_1", "p" * 65, "\u00fc"])
def test_an_id_that_fhir_does_not_allow_fails_its_patient_alone(patient_id: str) -> None:
    collection = Collection([Entry(_patient(patient_id)), Entry(_patient("q"))])
    with pytest.raises(InputError, match="none that FHIR allows"):
        collection.patient(patient_id)
    assert collection.patient("q") == _patient("q")


def test_a_patient_whose_full_url_names_another_is_refused() -> None:
    entry = Entry(_patient("p"), "https://ehr.example/fhir/Patient/q", 1)
    with pytest.raises(InputError, match="not that of its fullUrl"):
        Collection([entry]).patient("p")


@pytest.mark.parametrize("full_url", ["https://ehr.example/fhir/Patient/p", "urn:uuid:7"])
def test_a_full_url_of_the_same_id_or_of_no_id_is_right(full_url: str) -> None:
    assert Collection([Entry(_patient("p"), full_url, 1)]).patient("p") == _patient("p")


def test_an_unknown_patient_is_not_found() -> None:
    with pytest.raises(NotFoundError):
        Collection([Entry(_patient())]).resources("q", "Condition")


def _version(value: str, **meta: str) -> Entry:
    return Entry(_condition("Patient/p", recordedDate=value, meta=meta))


@pytest.mark.parametrize(
    "copies",
    [
        [
            _version("new", lastUpdated="2025-02-02T00:00:00Z"),
            _version("old", lastUpdated="2025-02-01T23:00:00-00:30"),
        ],
        [_version("old"), _version("new", lastUpdated="2025-02-02T00:00:00Z")],
        [_version("new", versionId="10"), _version("old", versionId="9")],
        [_version("new"), _version("new", versionId="x")],
        [
            Entry(_condition("Patient/p", recordedDate="new", text={"status": "generated"})),
            _version("new"),
        ],
    ],
)
def test_the_newest_copy_counts_once(copies: list[Entry]) -> None:
    collection = Collection([Entry(_patient()), *copies])
    found = collection.resources("p", "Condition")
    assert [condition["recordedDate"] for condition in found] == ["new"]


def test_copies_that_contradict_each_other_fail_their_patient_alone() -> None:
    entries = [Entry(_patient("p")), Entry(_patient("q")), _version("a"), _version("b")]
    collection = Collection(entries)
    with pytest.raises(InputError, match="two different versions of Condition/c") as caught:
        collection.patient("p")
    assert caught.value.expression == "Condition/c"
    assert collection.patient("q") == _patient("q")


@pytest.mark.parametrize("second_name", ["urn:uuid:4", "urn:uuid:2"])
def test_an_id_made_up_in_two_bundles_names_two_resources(second_name: str) -> None:
    entries = [
        Entry(_patient("p"), "urn:uuid:1", 1),
        Entry(_condition("urn:uuid:1", "condition-id"), "urn:uuid:2", 1),
        Entry(_patient("q"), "urn:uuid:3", 2),
        Entry(_condition("urn:uuid:3", "condition-id"), second_name, 2),
    ]
    collection = Collection(entries)
    assert _ids(collection, "p") == _ids(collection, "q") == ["condition-id"]


def test_one_name_for_two_things_of_one_patient_is_a_contradiction() -> None:
    def named(scope: int, day: str) -> Entry:
        return Entry(_condition("Patient/p", recordedDate=day), "urn:uuid:2", scope)

    collection = Collection([Entry(_patient()), named(1, "2025-01-01"), named(2, "2025-01-02")])
    with pytest.raises(InputError, match="two different versions"):
        collection.resources("p", "Condition")
