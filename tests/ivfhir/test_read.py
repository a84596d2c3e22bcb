"""Stage read: what could not be read is unknown, never absent."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ivfhir import errors
from ivfhir.fhir.types import Resource
from ivfhir.read import read_record
from ivfhir.servers.memory import MemoryRepository

PATIENT = {"resourceType": "Patient", "id": "p"}
CONDITION = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}
ALLERGY = {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p"}}
TYPES = {"Patient", "Condition", "AllergyIntolerance"}


class _Failing(MemoryRepository):
    """Fails the searches for the types named."""

    def __init__(self, **failures: Callable[[], Exception]) -> None:
        super().__init__([PATIENT, CONDITION, ALLERGY])
        self.failures = failures
        self.asked: list[str] = []

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        self.asked.append(resource_type)
        if resource_type in self.failures:
            raise self.failures[resource_type]()
        return super().search(resource_type, params)


def _ids(resources: tuple[dict[str, Any], ...]) -> list[str]:
    return [resource["id"] for resource in resources]


def test_the_patient_and_the_types_asked_for_are_read() -> None:
    record = read_record(_Failing(), "p", TYPES)
    assert record.patient["id"] == "p"
    assert _ids(record.resources) == ["a", "c"]
    assert record.unread == {}


def test_a_failed_search_leaves_its_type_unread_with_the_reason() -> None:
    record = read_record(
        _Failing(Condition=lambda: errors.ForbiddenError("Not allowed.")), "p", TYPES
    )
    assert _ids(record.resources) == ["a"]
    assert record.unread == {"Condition": "Condition could not be read to its end: Not allowed."}


def test_a_type_that_the_scopes_lack_is_not_asked_for() -> None:
    repository = _Failing()
    record = read_record(repository, "p", TYPES, granted_types={"Patient", "Condition"})
    assert repository.asked == ["Condition"]
    assert list(record.unread) == ["AllergyIntolerance"]


def test_data_that_name_no_patient_leave_their_type_unread() -> None:
    class Careless(_Failing):
        def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
            found = super().search(resource_type, params)
            return [*found, {"resourceType": resource_type, "id": "n"}]

    record = read_record(Careless(), "p", {"Patient", "Condition"})
    assert record.resources == ()
    assert "1 that name no patient" in record.unread["Condition"]


def test_resources_without_an_id_get_one_each_that_nothing_else_has() -> None:
    class Nameless(_Failing):
        def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
            nameless = {name: value for name, value in CONDITION.items() if name != "id"}
            return [{**CONDITION, "id": "without-id-1"}, nameless, CONDITION, nameless]

    record = read_record(Nameless(), "p", {"Patient", "Condition"})
    assert _ids(record.resources) == ["without-id-1", "without-id-2", "c", "without-id-3"]
    assert record.notes == (
        "2 entries came without an id and are named by this program: Condition/without-id-2 and "
        "1 more.",
    )


def test_another_patients_data_spoil_the_whole_search() -> None:
    class _Careless(_Failing):
        def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
            stranger = {**CONDITION, "id": "s", "subject": {"reference": "Patient/q"}}
            found = super().search(resource_type, params)
            return [*found, stranger] if resource_type == "Condition" else found

    record = read_record(_Careless(), "p", TYPES)
    assert _ids(record.resources) == ["a"]
    assert "another patient's data" in record.unread["Condition"]


@pytest.mark.parametrize("family", [errors.UnreachableError, errors.ForbiddenError])
def test_a_server_that_answers_no_search_is_an_error(family: type[errors.ServerError]) -> None:
    failing = _Failing(Condition=lambda: family("x"), AllergyIntolerance=lambda: family("x"))
    with pytest.raises(family):
        read_record(failing, "p", TYPES)


def test_the_patient_alone_is_an_answer_where_that_is_asked_for() -> None:
    failing = _Failing(
        Condition=lambda: errors.UnreachableError("x"),
        AllergyIntolerance=lambda: errors.ForbiddenError("x"),
    )
    record = read_record(failing, "p", TYPES, without_any=True)
    assert (record.patient["id"], record.resources) == ("p", ())
    assert sorted(record.unread) == ["AllergyIntolerance", "Condition"]
    assert record.refused == {"AllergyIntolerance"}


def test_a_type_outside_the_scopes_is_refused_and_a_failed_one_is_not() -> None:
    failing = _Failing(Condition=lambda: errors.ServerError("x"))
    record = read_record(failing, "p", TYPES, granted_types={"Patient", "Condition"})
    assert sorted(record.unread) == ["AllergyIntolerance", "Condition"]
    assert record.refused == {"AllergyIntolerance"}


def test_parts_of_every_search_are_still_an_answer() -> None:
    def part() -> Exception:
        return errors.IncompleteError("The next page is missing.")

    record = read_record(_Failing(Condition=part, AllergyIntolerance=part), "p", TYPES)
    assert sorted(record.unread) == ["AllergyIntolerance", "Condition"]


def test_an_expired_token_is_an_error_whatever_else_was_read() -> None:
    with pytest.raises(errors.UnauthorisedError):
        read_record(_Failing(Condition=lambda: errors.UnauthorisedError("x")), "p", TYPES)


def test_a_patient_that_is_not_there_is_an_error() -> None:
    with pytest.raises(errors.NotFoundError):
        read_record(_Failing(), "q", TYPES)


def test_a_resource_of_another_fhir_version_is_refused() -> None:
    repository = MemoryRepository([PATIENT, {**CONDITION, "clinicalStatus": "active"}])
    with pytest.raises(
        errors.InputError, match=r"Condition/c has text as Condition\.clinicalStatus"
    ):
        read_record(repository, "p", TYPES)
