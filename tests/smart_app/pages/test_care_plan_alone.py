"""An EHR that takes care plans and none of their parts: the plan goes in as one, once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from ivfhir.servers.http import HttpRepository
from smart_app.outbox_worker import send_due
from smart_app.store import Store
from tests.smart_app.conftest import Clock, RunningEhr, running_samples
from tests.smart_app.pages.conftest import Clinician, when_accepted
from tests.smart_app.pages.wording import visible_text, wrong_words

SAID = "A plan goes into this EHR as one care plan, without separate orders"
PLAN = "https://ivfhir.example/fhir/plan"


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server of this test's own."""
    with running_samples("halloran", "lindqvist") as base:
        yield base


@pytest.fixture
def ehr_options() -> dict[str, object]:
    """An EHR that lets apps write care plans alone."""
    return {"care_plans_only": True}


def plans_of(repository: HttpRepository, draft_id: str) -> list[dict[str, Any]]:
    return repository.search("CarePlan", {"identifier": f"{PLAN}|{draft_id}"})


def receipt_of(clinician: Clinician, draft_id: str) -> str:
    page = clinician.open(f"receipt/{draft_id}").text
    assert wrong_words(page) == []
    return visible_text(page)


def test_it_is_said_from_the_list_of_protocols_on_with_what_is_lost(clinician: Clinician) -> None:
    draft_id = clinician.make_draft()
    for name in ("match", "why/LUNG", "plan/LUNG", f"review/{draft_id}"):
        page = clinician.open(name).text
        text = visible_text(page)
        assert SAID in text, name
        assert "no work list shows them" in text
        assert "No signature entry is written" in text
        assert wrong_words(page) == []
    assert "One care plan will be written, with 46 entries inside" in text
    assert "Accept and write the care plan" in text
    assert "Signature" not in text
    assert "All entries go in together" not in text


def test_it_is_one_care_plan_with_all_but_the_signature_inside(
    clinician: Clinician, upstream: HttpRepository
) -> None:
    draft_id = clinician.make_draft()
    assert clinician.accept(draft_id).status_code == 303
    text = receipt_of(clinician, draft_id)
    assert "Written: 1 of 1 entries, read back and the same" in text
    assert "It is one care plan, its orders and goals inside" in text
    assert "went to Test EHR as one care plan, its orders and goals inside" in text
    (plan,) = plans_of(upstream, draft_id)
    kinds = [each["resourceType"] for each in plan["contained"]]
    assert len(kinds) == 46
    assert "Provenance" not in kinds
    assert (plan["status"], plan["intent"]) == ("active", "plan")
    assert plan["author"]["display"] == "Dr Imogen Vance"
    assert upstream.search("ServiceRequest", {"patient": "Patient/halloran"}) == []
    clinician.accept(draft_id)
    assert len(plans_of(upstream, draft_id)) == 1


def test_it_is_shown_as_a_plan_from_what_is_inside(
    clinician: Clinician, upstream: HttpRepository
) -> None:
    draft_id = clinician.make_draft()
    clinician.accept(draft_id)
    (plan,) = plans_of(upstream, draft_id)
    page = clinician.open(f"written/{plan['id']}").text
    text = visible_text(page)
    assert "40 orders: 40 draft." in text
    assert "They are inside the care plan: the EHR's work lists do not show them." in text
    assert "Lung: 4 segments every 28 days" in text
    assert "Safety check, segment 1" in text
    assert wrong_words(page) == []


def test_an_order_inside_that_was_called_off_is_not_drawn(
    clinician: Clinician, upstream: HttpRepository
) -> None:
    draft_id = clinician.make_draft()
    clinician.accept(draft_id)
    (plan,) = plans_of(upstream, draft_id)
    first = next(each for each in plan["contained"] if each["resourceType"] == "ServiceRequest")
    first["status"] = "revoked"
    upstream.update(plan)
    text = visible_text(clinician.open(f"written/{plan['id']}?read=again").text)
    assert "40 orders: 39 draft, 1 revoked." in text
    assert "No longer meant to be carried out" in text


@pytest.mark.parametrize("fault", ["drop-after", "drop-before", "status-503"])
def test_a_lost_answer_makes_no_second_plan(
    clinician: Clinician,
    upstream: HttpRepository,
    fake_ehr: RunningEhr,
    app: Flask,
    clock: Clock,
    *,
    fault: str,
) -> None:
    draft_id = clinician.make_draft()
    fake_ehr.fail(fault, method="POST", path="CarePlan")
    clinician.accept(draft_id)
    clock.ahead += timedelta(minutes=5)
    send_due(app)
    assert len(plans_of(upstream, draft_id)) == 1
    assert "Written: 1 of 1 entries" in receipt_of(clinician, draft_id)


def test_an_earlier_plan_stays_and_the_review_says_so(
    clinician: Clinician, upstream: HttpRepository
) -> None:
    first = clinician.make_draft()
    clinician.accept(first)
    second = clinician.make_draft()
    review = visible_text(clinician.open(f"review/{second}").text)
    assert "A plan that goes in as one care plan ends no other" in review
    assert "Replace it" not in review
    assert clinician.accept(second, earlier="keep").status_code == 303
    (one,), (other,) = plans_of(upstream, first), plans_of(upstream, second)
    assert (one["status"], other["status"]) == ("active", "active")


def test_of_two_that_are_accepted_at_once_one_stays(
    clinician_for: Any, upstream: HttpRepository, app: Flask
) -> None:
    store: Store = app.extensions["ivfhir"].store
    one, other = clinician_for("halloran"), clinician_for("halloran")
    first, second = one.make_draft(), other.make_draft()

    def meanwhile() -> None:
        patched.undo()
        assert other.accept(second).status_code == 303

    with pytest.MonkeyPatch.context() as patched:
        when_accepted(store, meanwhile, patched)
        assert one.accept(first).status_code == 303
    (mine,), (theirs,) = plans_of(upstream, first), plans_of(upstream, second)
    assert sorted([mine["status"], theirs["status"]]) == ["active", "revoked"]


def test_an_override_stands_in_the_plan_alone(clinician_for: Any) -> None:
    clinician: Clinician = clinician_for("lindqvist")
    reason = "The tumour board saw the patient and wants it all the same."
    draft_id = clinician.make_draft(**{"override-reason": reason})
    clinician.accept(draft_id)
    text = receipt_of(clinician, draft_id)
    assert "It stands in the plan." in text
    assert "in its signature" not in text
