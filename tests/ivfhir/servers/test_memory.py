"""The repository in memory behaves as a FHIR server does."""

from typing import Any

import pytest

from ivfhir import errors
from ivfhir.servers.memory import MemoryRepository

CONDITION = {
    "resourceType": "Condition",
    "id": "c",
    "subject": {"reference": "Patient/p"},
    "identifier": [{"system": "urn:x", "value": "7"}],
    "meta": {"tag": [{"system": "urn:t", "code": "1"}]},
}


def _transaction(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def _post(resource: dict[str, Any], **request: str) -> dict[str, Any]:
    return {
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"], **request},
    }


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, 1),
        ({"patient": "p", "_count": "5"}, 1),
        ({"subject": "Patient/p"}, 1),
        ({"patient": "q"}, 0),
        ({"identifier": "urn:x|7"}, 1),
        ({"identifier": "7"}, 1),
        ({"identifier": "urn:y|7"}, 0),
        ({"_id": "c"}, 1),
        ({"_id": "x,c"}, 1),
        ({"_tag": "urn:t|1"}, 1),
        ({"_tag": "|1"}, 0),
    ],
)
def test_searches(params: dict[str, str], found: int) -> None:
    assert len(MemoryRepository([CONDITION]).search("Condition", params)) == found


def test_an_unknown_parameter_is_refused_rather_than_ignored() -> None:
    with pytest.raises(errors.RejectedError):
        MemoryRepository([CONDITION]).search("Condition", {"code": "x"})


def test_what_is_absent_is_not_found() -> None:
    with pytest.raises(errors.NotFoundError):
        MemoryRepository().read("Patient", "p")
    with pytest.raises(errors.NotFoundError):
        MemoryRepository().operation("$apply", {})


def test_a_transaction_names_its_resources_and_links_them() -> None:
    """http://hl7.org/fhir/R4/http.html#trules: references to fullUrls become the new ids."""
    repository = MemoryRepository()
    plan = {"resourceType": "CarePlan", "activity": [{"reference": {"reference": "urn:uuid:2"}}]}
    group = {"resourceType": "RequestGroup"}
    answer = repository.transact(
        _transaction(
            {**_post(plan), "fullUrl": "urn:uuid:1"}, {**_post(group), "fullUrl": "urn:uuid:2"}
        )
    )
    statuses = [entry["response"]["status"] for entry in answer["entry"]]
    assert statuses == ["201 created", "201 created"]
    stored = repository.read("CarePlan", "1")
    assert stored["activity"][0]["reference"]["reference"] == "RequestGroup/2"


def test_a_conditional_create_finds_what_is_there() -> None:
    repository = MemoryRepository([CONDITION])
    again = _post({**CONDITION, "id": "d"}, ifNoneExist="identifier=urn:x|7")
    answer = repository.transact(_transaction(again))
    assert answer["entry"][0]["response"]["location"] == "Condition/c/_history/1"
    assert len(repository.search("Condition", {})) == 1


def test_an_update_of_an_older_version_changes_nothing_at_all() -> None:
    repository = MemoryRepository([CONDITION])
    put = {"method": "PUT", "url": "Condition/c", "ifMatch": 'W/"1"'}
    repository.transact(_transaction({"resource": CONDITION, "request": put}))
    assert repository.read("Condition", "c")["meta"]["versionId"] == "2"
    late = _transaction(
        _post({"resourceType": "CarePlan"}), {"resource": CONDITION, "request": put}
    )
    with pytest.raises(errors.VersionConflictError):
        repository.transact(late)
    assert repository.search("CarePlan", {}) == []


@pytest.mark.parametrize("kind", ["batch", "collection"])
def test_only_transactions_are_carried_out(kind: str) -> None:
    with pytest.raises(errors.RejectedError):
        MemoryRepository().transact({"resourceType": "Bundle", "type": kind, "entry": []})


def test_it_says_what_it_can_do() -> None:
    assert MemoryRepository().capabilities()["fhirVersion"] == "4.0.1"
