"""Replacing a plan replaces its orders: in words, and on a real server."""

from collections.abc import Iterator

import pytest

from ivfhir.servers.http import HttpRepository
from ivfhir.writing.bundle import PLAN_SYSTEM
from smart_app.pages.replacing import after_replacing, before_replacing
from tests.smart_app.conftest import running_samples

SCOPES = (
    "openid fhirUser launch patient/Patient.rs patient/Condition.rs patient/Observation.rs "
    "patient/AllergyIntolerance.rs patient/CarePlan.crus patient/RequestGroup.crus "
    "patient/Goal.crus patient/ServiceRequest.crus patient/MedicationRequest.crus "
    "patient/Provenance.crus patient/CommunicationRequest.crs"
)


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with three sample patients, of this test's own."""
    with running_samples("halloran", "duarte", "sato") as base:
        yield base


def part(reference, *, stays="", title="", status="draft"):
    return {
        "reference": reference,
        "title": title,
        "status": status,
        "version": "1",
        "stays": stays,
    }


def plan(*parts):
    return {"reference": "CarePlan/1", "version": "1", "parts": list(parts)}


def test_what_ends_and_what_stays_is_counted_before():
    said = before_replacing(
        [
            plan(
                part("RequestGroup/1"),
                part("ServiceRequest/1", title="Scan", stays="its status is active"),
                part("ServiceRequest/2", title="Check"),
                part("MedicationRequest/3", title="Platinum"),
                part("Goal/1"),
                part("Goal/2", title="No harm", stays="its status is active"),
            )
        ]
    )
    assert said.sentences == (
        "The earlier plan and 2 of its 3 orders will be revoked (1 of them, medicines or tasks, "
        "as cancelled).",
        "1 of its 2 goals will be cancelled.",
    )
    (left,) = said.left
    assert left.reason == "its status is active"
    assert left.names == ("Scan (ServiceRequest/1)", "No harm (Goal/2)")


def test_nothing_that_is_not_there_is_counted():
    assert before_replacing([plan()]).sentences == (
        "The earlier plan will be revoked; no orders of it were found.",
    )
    stays = part("Task/1", stays="it could not be read")
    assert before_replacing([plan(stays)]).sentences == (
        "The earlier plan will be revoked; none of its 1 order.",
    )


def test_afterwards_only_what_was_seen_counts():
    parts = [part(f"ServiceRequest/{number}") for number in (1, 2, 3)]
    statuses = {"CarePlan/1": "revoked", "ServiceRequest/1": "revoked", "ServiceRequest/2": ""}
    ended = [
        {"reference": reference, "wanted": "revoked", "status": status}
        for reference, status in (statuses | {"ServiceRequest/3": "active"}).items()
    ]
    said = after_replacing([plan(*parts)], ended)
    assert said.sentences == ("The earlier plan and 1 of its 3 orders were revoked.",)
    assert said.doubtful == (
        "ServiceRequest/2: it could not be read back",
        "ServiceRequest/3: it was to become revoked, and reads active",
    )


def written_orders(repository, draft_id, resource_type="ServiceRequest"):
    """Return the plan's resources of a type."""
    return [
        each
        for each in repository.search(resource_type, {"patient": "halloran"})
        if any(i["value"].startswith(f"{draft_id}.") for i in each.get("identifier", ()))
    ]


def store(repository, resource):
    """Let somebody in the EHR change a resource."""
    request = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
    entries = [{"resource": resource, "request": request}]
    repository.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def accepted_plan(clinician):
    """Accept a plan and return its draft's id."""
    draft_id = clinician.make_draft()
    assert clinician.accept(draft_id).status_code == 303
    return draft_id


def statuses(repository, draft_id, resource_type="ServiceRequest"):
    found = written_orders(repository, draft_id, resource_type)
    values = [each.get("status", each.get("lifecycleStatus")) for each in found]
    return {value: values.count(value) for value in values}


def test_a_replaced_plan_takes_its_drafts_with_it_and_leaves_the_others(clinician, repository):
    first = accepted_plan(clinician)
    one, two, three = written_orders(repository, first)[:3]
    store(repository, {**one, "status": "active"})
    store(repository, {**two, "note": [{"text": "in the morning"}]})
    store(repository, {**three, "status": "completed"})
    second = clinician.make_draft()
    review = clinician.open(f"review/{second}").text
    assert "The earlier plan and 37 of its 40 orders will be revoked" in review
    assert "(8 of them, medicines or tasks, as cancelled)" in review
    assert "5 of its 5 goals will be cancelled." in review
    for order, why in (
        (one, "its status is active"),
        (two, "it is not as it was written"),
        (three, "its status is completed"),
    ):
        assert f'(<span class="ref">ServiceRequest/{order["id"]}</span>)' in review
        assert f"because {why}" in review
    answer = clinician.accept(second, earlier="replace")
    assert answer.status_code == 303
    page = clinician.open(answer.headers["Location"]).text
    assert "Written: 48 of 48 entries, read back and the same" in page
    assert "The earlier plan and 37 of its 40 orders were revoked" in page
    assert "5 of its 5 goals were cancelled." in page
    assert f'(<span class="ref">ServiceRequest/{two["id"]}</span>)' in page
    assert statuses(repository, first) == {"active": 1, "draft": 1, "completed": 1, "revoked": 28}
    assert statuses(repository, first, "MedicationRequest") == {"cancelled": 8}
    assert statuses(repository, first, "CommunicationRequest") == {"revoked": 1}
    assert statuses(repository, first, "RequestGroup") == {"revoked": 1}
    assert statuses(repository, first, "Goal") == {"cancelled": 5}
    assert statuses(repository, second) == {"draft": 31}


def test_a_kept_plan_keeps_its_orders(clinician, repository):
    first = accepted_plan(clinician)
    second = clinician.make_draft()
    assert clinician.accept(second, earlier="keep").status_code == 303
    assert "The earlier plan" not in clinician.open(f"receipt/{second}").text
    assert statuses(repository, first) == {"draft": 31}


def test_an_order_that_is_activated_between_review_and_acceptance_stops_it(clinician, repository):
    first = accepted_plan(clinician)
    second = clinician.make_draft()
    order = written_orders(repository, first)[0]
    clinician.open(f"review/{second}")
    store(repository, {**order, "status": "active"})
    answer = clinician.accept(second, earlier="replace")
    assert answer.status_code == 409
    assert "The record changed since you made this draft" in answer.text
    assert f"(ServiceRequest/{order['id']})" in answer.text
    assert "active, version 2, stays: its status is active" in answer.text
    assert written_orders(repository, second) == []
    assert statuses(repository, first) == {"draft": 30, "active": 1}
    assert "39 of its 40 orders will be revoked" in clinician.open(f"review/{second}").text
    assert clinician.accept(second, earlier="replace").status_code == 303
    assert statuses(repository, first) == {"active": 1, "revoked": 30}


def test_the_same_change_does_not_stop_a_plan_beside_the_old_one(clinician, repository):
    first = accepted_plan(clinician)
    second = clinician.make_draft()
    store(repository, {**written_orders(repository, first)[0], "status": "active"})
    assert clinician.accept(second, earlier="keep").status_code == 303
    assert len(written_orders(repository, second)) == 31


def test_an_order_that_is_activated_at_the_last_moment_stops_all(
    clinician, repository, monkeypatch
):
    first = accepted_plan(clinician)
    second = clinician.make_draft()
    order = written_orders(repository, first)[0]

    def transact(self, bundle):
        monkeypatch.setattr(HttpRepository, "transact", original)
        store(repository, {**order, "status": "active"})
        return original(self, bundle)

    original = HttpRepository.transact
    monkeypatch.setattr(HttpRepository, "transact", transact)
    clinician.accept(second, earlier="replace")
    assert "Not written: the record changed meanwhile" in clinician.open(f"receipt/{second}").text
    assert statuses(repository, first) == {"draft": 30, "active": 1}
    assert written_orders(repository, second) == []
    (plan_of_first,) = repository.search("CarePlan", {"identifier": f"{PLAN_SYSTEM}|{first}"})
    assert plan_of_first["status"] == "active"


class TestWithoutTheRightToChangeAType:
    """CommunicationRequest may be created and read, not updated."""

    @pytest.fixture
    def registration(self) -> dict[str, object]:
        return {"scopes": SCOPES}

    def test_its_orders_stay_and_are_named(self, clinician, repository):
        first = accepted_plan(clinician)
        second = clinician.make_draft()
        review = clinician.open(f"review/{second}").text
        assert "The earlier plan and 39 of its 40 orders will be revoked" in review
        assert "because the EHR does not let the app change a CommunicationRequest" in review
        answer = clinician.accept(second, earlier="replace")
        page = clinician.open(answer.headers["Location"]).text
        assert "The earlier plan and 39 of its 40 orders were revoked" in page
        assert "because the EHR does not let the app change a CommunicationRequest" in page
        assert statuses(repository, first, "CommunicationRequest") == {"draft": 1}
