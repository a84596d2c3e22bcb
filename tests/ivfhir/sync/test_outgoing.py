"""`ivfhir sync` sends others' plans with their faults and says so, and none of its own."""

import pytest

from ivfhir.errors import NotFoundError
from ivfhir.sync import parcel
from ivfhir.sync.knowledge import definitions, sync_definitions
from tests.ivfhir.sync.scene import patient, results, run, small, stored, write

FAULTY = {"category": [{"coding": [{"system": "not absolute", "code": "a"}]}]}
WARNING = "It is not valid FHIR R4 and is sent as it is: CarePlan.category"


def test_a_plan_with_faults_of_its_own_is_sent_and_its_row_tells(sekmet, tmp_path):
    patient(sekmet)
    write(tmp_path, "plan", small(**FAULTY))
    for more in (["--dry-run"], []):
        code, (row,), _ = run(tmp_path, "--to", sekmet, *more)
        assert (code, row["result"]) == (0, "created")
        assert any(each["text"].startswith(WARNING) for each in row["differences"])
    assert results(tmp_path, sekmet) == ["unchanged"]
    write(tmp_path, "plan", small(**FAULTY, title="Another"))
    code, (row,), _ = run(tmp_path, "--to", sekmet)
    assert (code, row["result"]) == (0, "updated")
    assert any(each["text"].startswith(WARNING) for each in row["differences"])


@pytest.fixture
def broken(monkeypatch):
    """Let sync make a mistake of its own in every request that it sends."""
    made = parcel.created_entry

    def wrong(resource, *args, **more):
        if resource["resourceType"] == "ServiceRequest":
            resource = {**resource, "intent": "wish"}
        return made(resource, *args, **more)

    monkeypatch.setattr(parcel, "created_entry", wrong)
    return monkeypatch


def test_a_fault_of_sync_is_parked_and_nothing_is_sent(sekmet, tmp_path, broken):
    patient(sekmet)
    write(tmp_path, "plan", small())
    for more in (["--dry-run"], []):
        code, (row,), _ = run(tmp_path, "--to", sekmet, *more)
        assert (code, row["result"]) == (6, "parked")
        first, second = row["outcome"]["issue"]
        assert "a fault of ivfhir" in first["diagnostics"]
        assert "ServiceRequest.intent is 'wish'" in second["diagnostics"]
        assert stored(sekmet, "CarePlan") == []
    broken.undo()
    assert results(tmp_path, sekmet) == ["created"]


def test_a_change_of_what_is_there_is_asked_too(sekmet, tmp_path, broken):
    patient(sekmet)
    write(tmp_path, "plan", small())
    broken.undo()
    assert results(tmp_path, sekmet) == ["created"]
    made = parcel.created_entry

    def wrong(resource, *args, **more):
        if resource["resourceType"] == "CarePlan":
            resource = {**resource, "title": ["x"]}
        return made(resource, *args, **more)

    broken.setattr(parcel, "created_entry", wrong)
    write(tmp_path, "plan", small(title="Another"))
    code, (row,), _ = run(tmp_path, "--to", sekmet)
    assert (code, row["result"]) == (6, "parked")
    assert stored(sekmet, "CarePlan")[0]["title"] == "A plan"


def test_a_definition_that_is_not_valid_is_not_sent(sekmet):
    class Server:
        """Answers no search with anything, and takes nothing."""

        def search(self, kind, params):
            """Find nothing."""
            return []

        def read(self, kind, resource_id):
            """Have nothing."""
            raise NotFoundError("x")

        def update(self, resource, if_match=None):
            """Take nothing."""
            raise AssertionError("it was sent")

    wrong = {**definitions()[0], "status": "drafted"}
    [sent] = sync_definitions(Server, [wrong], to="x")
    assert sent.result == "parked"
    assert "CodeSystem.status is 'drafted'" in sent.why
