"""Review, confirmation and receipt, on a real server, with everything that can go wrong."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests

from ivfhir.servers.http import HttpRepository
from ivfhir.writing.bundle import PLAN_SYSTEM
from tests.smart_app.conftest import running_samples
from tests.smart_app.pages.conftest import Clinician, csrf_token

PARTS = {"RequestGroup": 1, "ServiceRequest": 31, "MedicationRequest": 8, "Goal": 5}


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with three sample patients, of this test's own."""
    with running_samples("halloran", "duarte", "sato") as base:
        yield base


def test_read_again_reads_again(clinician: Clinician, repository):
    assert "Eligible" in clinician.open("match").text
    change_platelets(repository, 45)
    assert "Lung: eligible" in clinician.open("why/LUNG").text
    assert "Lung: not eligible, platelets 45" in clinician.open("why/LUNG?read=again").text


def plans_of(repository, draft_id):
    return repository.search("CarePlan", {"identifier": f"{PLAN_SYSTEM}|{draft_id}"})


def test_an_accepted_plan_is_on_the_server_and_its_receipt_says_so(
    clinician: Clinician, repository
):
    draft_id = clinician.make_draft()
    answer = clinician.accept(draft_id)
    assert answer.status_code == 303
    page = clinician.open(answer.headers["Location"]).text
    assert "Written: 48 of 48 entries, read back and the same" in page
    assert "Accepted by Dr Imogen Vance" in page
    (plan,) = plans_of(repository, draft_id)
    assert (plan["status"], plan["intent"]) == ("active", "plan")
    assert plan["author"]["reference"] == "Practitioner/vance"
    assert f"CarePlan/{plan['id']}" in page
    for resource_type, count in PARTS.items():
        found = [
            each
            for each in repository.search(resource_type, {"patient": "halloran"})
            if any(i["value"].startswith(draft_id) for i in each.get("identifier", ()))
        ]
        assert len(found) == count
    (signature,) = repository.search("Provenance", {"_tag": f"{PLAN_SYSTEM}|{draft_id}.signature"})
    assert signature["target"][0]["reference"].endswith(f"CarePlan/{plan['id']}")


def test_nothing_is_written_without_the_confirmation(clinician: Clinician, repository):
    draft_id = clinician.make_draft()
    answer = clinician.accept(draft_id, confirm="")
    assert answer.status_code == 422
    assert "Confirm that you have checked the plan" in answer.text
    assert plans_of(repository, draft_id) == []


def test_a_second_click_writes_nothing_more(clinician: Clinician, repository):
    draft_id = clinician.make_draft()
    page = clinician.open(f"review/{draft_id}")
    form = {"confirm": "yes", "version": "1"}
    for _ in range(2):
        answer = clinician.send(f"review/{draft_id}", form, token=csrf_token(page))
        assert answer.status_code == 303
        assert "Written: 48 of 48" in clinician.open(answer.headers["Location"]).text
    assert len(plans_of(repository, draft_id)) == 1


def test_twenty_racing_accepts_leave_one_plan(clinician: Clinician, repository, app):
    draft_id = clinician.make_draft()
    page = clinician.open(f"review/{draft_id}")
    form = {"_csrf": csrf_token(page), "confirm": "yes", "version": "1"}
    cookies = "; ".join(
        f"{cookie.key}={cookie.value}" for cookie in clinician.client._cookies.values()
    )

    def click(_):
        browser = app.test_client(use_cookies=False)
        path = clinician.launched.url(f"review/{draft_id}")
        headers = {"Cookie": cookies, "Host": "app.example"}
        address = "https://app.example"
        return browser.post(path, data=form, headers=headers, base_url=address).status_code

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(click, range(20)))
    assert set(answers) == {303}
    assert len(plans_of(repository, draft_id)) == 1
    assert "Written: 48 of 48" in clinician.open(f"receipt/{draft_id}").text


def test_an_override_reaches_plan_and_provenance(clinician_for, repository):
    clinician = clinician_for("duarte")
    draft_id = clinician.make_draft(**{"override-reason": "Platelets are given before."})
    clinician.accept(draft_id)
    (plan,) = plans_of(repository, draft_id)
    assert any("Platelets are given before." in note["text"] for note in plan["note"])
    (signature,) = repository.search("Provenance", {"_tag": f"{PLAN_SYSTEM}|{draft_id}.signature"})
    words = "Override (tumour-board decision): Platelets are given before."
    assert signature["reason"] == [{"text": words}]
    assert plan["note"][0]["text"].startswith(f"{words}; status ineligible; ")


def test_review_and_receipt_name_the_override(clinician_for, repository, app):
    clinician = clinician_for("duarte")
    reason = "Platelets are given on the day before."
    draft_id = clinician.make_draft(**{"override-reason": reason})
    confirm = clinician.open(f"review/{draft_id}").text.partition('id="accept"')[2]
    for words in ("Tumour-board decision", reason, "not eligible, blocked by", "I plan against"):
        assert words in confirm
    answer = clinician.accept(draft_id)
    page = clinician.open(answer.headers["Location"]).text
    assert "answer--warn" in page
    assert "answer--eligible" not in page
    assert "Overridden: not eligible, blocked by severe bleeding tendency" in page
    for words in ("Tumour-board decision", reason):
        assert words in page
    (signature,) = repository.search("Provenance", {"_tag": f"{PLAN_SYSTEM}|{draft_id}.signature"})
    assert signature["reason"] == [{"text": f"Override (tumour-board decision): {reason}"}]


def test_the_tick_survives_an_error(clinician_for):
    clinician = clinician_for("sato")
    draft_id = clinician.make_draft()
    page = clinician.accept(draft_id).text
    assert "Choose what becomes of the active plan" in page
    assert re.search(r'id="confirm"[^>]* checked', page)
    page = clinician.accept(draft_id, confirm="", earlier="keep").text
    assert not re.search(r'id="confirm"[^>]* checked', page)
    assert re.search(r'value="keep" checked', page)


def test_an_earlier_plan_must_be_decided_on(clinician_for, repository):
    clinician = clinician_for("sato")
    draft_id = clinician.make_draft()
    answer = clinician.accept(draft_id)
    assert answer.status_code == 422
    assert "Choose what becomes of the active plan" in answer.text
    assert plans_of(repository, draft_id) == []


def test_plans_that_could_not_be_looked_for_are_not_called_absent(
    clinician_for, repository, fake_ehr
):
    clinician = clinician_for("sato")
    fake_ehr.fail("status-500", path="CarePlan")
    clinician.open("match?read=again")
    draft_id = clinician.make_draft()
    review = clinician.open(f"review/{draft_id}").text
    assert "Whether an active plan of this protocol is there is not known." in review
    assert "Earlier plans could not be looked for" in review
    assert "No earlier active plan of this protocol was found" not in review


def test_plans_that_cannot_be_looked_for_when_it_is_accepted_are_a_difference(
    clinician_for, repository, fake_ehr
):
    clinician, colleague = clinician_for("halloran"), clinician_for("halloran")
    draft_id = clinician.make_draft()
    colleague.accept(colleague.make_draft())
    review = clinician.open(f"review/{draft_id}").text
    assert "No earlier active plan of this protocol was found" in review
    fake_ehr.fail("status-500", method="GET", path="CarePlan")
    answer = clinician.accept(draft_id)
    assert answer.status_code == 409
    assert "The record changed or could not be read whole" in answer.text
    assert "could not be looked for" in answer.text
    review = clinician.open(f"review/{draft_id}").text
    assert "Whether an active plan of this protocol is there is not known." in review
    answer = clinician.accept(draft_id)
    assert answer.status_code == 409  # Now it is seen.
    assert plans_of(repository, draft_id) == []
    assert "Keep both active" in clinician.open(f"review/{draft_id}").text


def test_that_plans_could_be_looked_for_after_all_and_there_is_none_hinders_nobody(
    clinician_for, repository, fake_ehr
):
    clinician = clinician_for("halloran")
    fake_ehr.fail("status-500", method="GET", path="CarePlan")
    clinician.open("match?read=again")
    draft_id = clinician.make_draft()
    clinician.open("match?read=again")
    review = clinician.open(f"review/{draft_id}").text
    assert "Whether an active plan of this protocol is there is not known." in review
    assert clinician.accept(draft_id).status_code == 303
    assert len(plans_of(repository, draft_id)) == 1


def test_another_patients_plan_is_not_shown_as_an_earlier_one(
    clinician_for, repository, monkeypatch
):
    """A server may overlook the parameter `patient`, and bring everybody's."""
    clinician = clinician_for("sato")
    (plan,) = repository.search("CarePlan", {"patient": "sato"})
    theirs = {**plan, "id": "theirs", "subject": {"reference": "Patient/duarte"}}
    search = HttpRepository.search

    def overlook(self, resource_type, params):
        more = [theirs] if resource_type == "CarePlan" else []
        return [*search(self, resource_type, params), *more]

    monkeypatch.setattr(HttpRepository, "search", overlook)
    clinician.open("match?read=again")
    review = clinician.open(f"review/{clinician.make_draft()}").text
    assert "Whether an active plan of this protocol is there is not known." in review
    assert "CarePlan/theirs" not in review


def test_an_earlier_plan_is_replaced(clinician_for, repository):
    clinician = clinician_for("sato")
    draft_id = clinician.make_draft()
    assert clinician.accept(draft_id, earlier="replace").status_code == 303
    (plan,) = plans_of(repository, draft_id)
    assert plan["replaces"] == [{"reference": "CarePlan/sato-plan"}]
    assert repository.read("CarePlan", "sato-plan")["status"] == "revoked"


def test_the_receipt_of_a_replaced_plan_says_so_when_it_is_opened_later(
    clinician_for, repository, fake_ehr
):
    clinician = clinician_for("halloran")
    first = clinician.make_draft()
    receipt = clinician.accept(first).headers["Location"]
    assert "Next" in clinician.open(receipt).text
    later = clinician.make_draft()
    clinician.accept(later, earlier="replace")
    (newer,) = plans_of(repository, later)
    page = clinician.open(receipt).text
    assert "Revoked since it was written: 48 of 48 entries" in page
    assert f'now revoked, replaced by <span class="ref">CarePlan/{newer["id"]}</span>' in page
    assert "The plan is in" not in page
    fake_ehr.fail("status-500", times=None, method="GET", path=".*CarePlan")
    page = clinician.open(receipt).text
    assert "How it stands there now could not be read" in page
    assert "Written: 48 of 48 entries" in page
    assert "replaced by" not in page


def test_the_receipt_of_a_plan_that_is_gone_says_so(clinician: Clinician, repository, fhir_server):
    draft_id = clinician.make_draft()
    receipt = clinician.accept(draft_id).headers["Location"]
    (plan,) = plans_of(repository, draft_id)
    gone = requests.delete(f"{fhir_server}/CarePlan/{plan['id']}", timeout=10)
    assert gone.ok, gone.text
    page = clinician.open(receipt).text
    assert "No longer shown by the EHR: 48 of 48 entries" in page
    assert "shows none of that id" in page


def test_what_may_not_be_changed_cannot_be_chosen(clinician_for, repository, fake_ehr):
    fake_ehr.fail("no-update")
    clinician = clinician_for("sato")
    draft_id = clinician.make_draft()
    review = clinician.open(f"review/{draft_id}").text
    assert "The EHR does not let the app change care plans" in review
    assert 'value="replace"' not in review
    assert clinician.accept(draft_id, earlier="replace").status_code == 422
    assert plans_of(repository, draft_id) == []
    assert clinician.accept(draft_id, earlier="keep").status_code == 303
    assert repository.read("CarePlan", "sato-plan")["status"] == "active"


def test_an_earlier_plan_may_stay(clinician_for, repository):
    clinician = clinician_for("sato")
    draft_id = clinician.make_draft()
    assert clinician.accept(draft_id, earlier="keep").status_code == 303
    assert "replaces" not in plans_of(repository, draft_id)[0]
    assert repository.read("CarePlan", "sato-plan")["status"] == "active"


def test_a_changed_record_is_reviewed_again_before_anything_is_written(
    clinician: Clinician, repository
):
    draft_id = clinician.make_draft()
    change_platelets(repository, 180)
    answer = clinician.accept(draft_id)
    assert answer.status_code == 409
    assert "The record changed since you made this draft" in answer.text
    assert "Platelets" in answer.text
    assert plans_of(repository, draft_id) == []
    assert clinician.accept(draft_id).status_code == 303
    assert len(plans_of(repository, draft_id)) == 1


def test_a_record_that_rules_the_plan_out_stops_it(clinician: Clinician, repository):
    draft_id = clinician.make_draft()
    change_platelets(repository, 45)
    answer = clinician.accept(draft_id)
    assert answer.status_code == 409
    assert "this plan is no longer possible" in answer.text
    assert clinician.accept(draft_id).status_code == 409
    assert plans_of(repository, draft_id) == []


def test_a_draft_of_yesterday_is_reviewed_again(clinician: Clinician, app, repository):
    draft_id = clinician.make_draft()
    store = app.extensions["ivfhir"].store
    draft = store.load_draft(clinician.launched.launch_id, draft_id)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    store.update_draft(draft, body={**draft.body, "asOf": yesterday.isoformat()})
    answer = clinician.accept(draft_id)
    assert answer.status_code == 409
    assert "Day of the answers" in answer.text
    assert plans_of(repository, draft_id) == []


def test_an_answer_dropped_after_the_commit_is_found_out(
    clinician: Clinician, repository, fake_ehr
):
    draft_id = clinician.make_draft()
    fake_ehr.fail("drop-after", method="POST")
    answer = clinician.accept(draft_id)
    assert "Written: 48 of 48" in clinician.open(answer.headers["Location"]).text
    assert len(plans_of(repository, draft_id)) == 1


def test_a_plan_of_which_nobody_could_look_whether_it_is_there_is_not_called_unwritten(
    clinician: Clinician, repository, fake_ehr, app
):
    draft_id = clinician.make_draft()
    accepted = app.extensions["ivfhir"].store.accept_draft

    def away(*words, **more):
        """From the acceptance on, what is written is written, and nothing can be looked for."""
        fake_ehr.fail("drop-after", method="POST")
        fake_ehr.fail("status-503", method="GET", path="CarePlan", skip=1, times=None)
        return accepted(*words, **more)

    app.extensions["ivfhir"].store.accept_draft = away
    clinician.accept(draft_id)
    assert len(plans_of(repository, draft_id)) == 1
    for _ in range(2):
        page = clinician.open(f"receipt/{draft_id}")
        assert "Not known to be written: the EHR" in page.text
        assert "may be in the EHR all the same" in page.text
        clinician.send(f"receipt/{draft_id}", {}, token=csrf_token(page))
    fake_ehr.faults.clear()
    clinician.send(f"receipt/{draft_id}", {}, token=csrf_token(page))
    assert "Written: 48 of 48" in clinician.open(f"receipt/{draft_id}").text
    assert len(plans_of(repository, draft_id)) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("drop-before", "Not written: the EHR did not answer"),
        ("status-500", "Not written: the EHR failed"),
        ("status-429", "Not written: the EHR is busy"),
        ("outcome", "could not be understood"),
        ("html", "could not be understood"),
    ],
)
def test_what_did_not_arrive_can_be_sent_again_once(
    clinician: Clinician, repository, fake_ehr, fault, words
):
    draft_id = clinician.make_draft()
    fake_ehr.fail(fault, method="POST")
    clinician.accept(draft_id)
    page = clinician.open(f"receipt/{draft_id}")
    assert words in page.text
    assert "Send again" in page.text
    assert plans_of(repository, draft_id) == []
    for _ in range(2):
        clinician.send(f"receipt/{draft_id}", {}, token=csrf_token(page))
    assert "Written: 48 of 48" in clinician.open(f"receipt/{draft_id}").text
    assert len(plans_of(repository, draft_id)) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("status-403", "Not written: the EHR does not allow it"),
        ("status-409", "Not written: the record changed meanwhile"),
        ("status-412", "Not written: the record changed meanwhile"),
    ],
)
def test_what_was_refused_is_reviewed_again(
    clinician: Clinician, repository, fake_ehr, fault, words
):
    draft_id = clinician.make_draft()
    fake_ehr.fail(fault, method="POST")
    clinician.accept(draft_id)
    page = clinician.open(f"receipt/{draft_id}").text
    assert words in page
    assert "Review again" in page
    assert "Send again" not in page
    assert plans_of(repository, draft_id) == []
    assert clinician.accept(draft_id).status_code == 303
    assert len(plans_of(repository, draft_id)) == 1


def test_a_token_refused_in_the_write_is_renewed_and_the_plan_written_once(
    clinician: Clinician, repository, fake_ehr
):
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-401", method="POST")
    assert clinician.accept(draft_id).status_code == 303
    assert "Written: 48 of 48 entries" in clinician.open(f"receipt/{draft_id}").text
    assert len(plans_of(repository, draft_id)) == 1


def test_an_expired_token_keeps_the_accepted_plan(clinician: Clinician, repository, fake_ehr, app):
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-401", method="POST", times=2)
    answer = clinician.accept(draft_id)
    assert answer.status_code == 401
    assert "Your session ended" in answer.text
    assert "Sign in again" in answer.text
    assert plans_of(repository, draft_id) == []
    store = app.extensions["ivfhir"].store
    assert store.load_draft(clinician.launched.launch_id, draft_id).state == "accepted"


def test_a_patient_who_cannot_be_read_stops_the_write(
    clinician: Clinician, repository, fake_ehr, app
):
    draft_id = clinician.make_draft()
    clinician.open(f"review/{draft_id}")
    fake_ehr.fail("status-500", path="/?Patient")
    answer = clinician.accept(draft_id)
    assert answer.status_code >= 500
    assert plans_of(repository, draft_id) == []
    store = app.extensions["ivfhir"].store
    assert store.load_draft(clinician.launched.launch_id, draft_id).state == "draft"


def test_a_write_that_was_cut_off_is_found_at_the_next_look(
    clinician: Clinician, repository, app, monkeypatch
):
    draft_id = clinician.make_draft()
    kill_after_the_commit(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        clinician.accept(draft_id)
    assert app.extensions["ivfhir"].store.claim_entry(draft_id, hold_s=60, at_once=True)
    assert "Written: 48 of 48" in clinician.open(f"receipt/{draft_id}").text
    assert len(plans_of(repository, draft_id)) == 1


def test_a_write_that_was_cut_off_before_the_commit_can_be_sent_again(
    clinician: Clinician, repository, app
):
    draft_id = clinician.make_draft()
    store = app.extensions["ivfhir"].store
    draft = store.load_draft(clinician.launched.launch_id, draft_id)
    assert store.claim_draft(draft, hold_s=0)
    page = clinician.open(f"receipt/{draft_id}")
    assert "Being accepted: look again in a moment" in page.text
    assert "sent again by itself" not in page.text
    clinician.send(f"receipt/{draft_id}", {}, token=csrf_token(page))
    assert "Accept and write 48 entries" in clinician.open(f"review/{draft_id}").text


def test_what_is_accepted_again_is_not_said_to_be_sent_by_itself(
    clinician: Clinician, fake_ehr, app
):
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-412", method="POST")
    clinician.accept(draft_id)
    store = app.extensions["ivfhir"].store
    draft = store.load_draft(clinician.launched.launch_id, draft_id)
    assert store.claim_draft(draft)
    page = clinician.open(f"receipt/{draft_id}").text
    assert "Being accepted: look again in a moment" in page
    assert "sent again by itself" not in page
    drafts = clinician.open("match").text
    assert ", being accepted" in drafts
    assert "Accepted, not known to be in the EHR yet" not in drafts


def kill_after_the_commit(monkeypatch):
    """Let the process die between the server's commit and its answer."""

    def transact(self, bundle):
        original(self, bundle)
        raise KeyboardInterrupt

    original = HttpRepository.transact
    monkeypatch.setattr(HttpRepository, "transact", transact)


def change_platelets(repository, number):
    """Let the laboratory report another count."""
    resource = repository.read("Observation", "halloran-platelets")
    resource["valueQuantity"]["value"] = number
    request = {"method": "PUT", "url": "Observation/halloran-platelets"}
    repository.transact(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": resource, "request": request}],
        }
    )
