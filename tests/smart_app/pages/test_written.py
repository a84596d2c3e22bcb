"""A plan that is in the record, shown as a plan."""

from datetime import date

from ivfhir.review import accept
from ivfhir.servers.memory import MemoryRepository
from ivfhir.write_back import write_back
from ivfhir.writing.bundle import to_transaction
from ivfhir.writing.earlier import read_plan_parts
from smart_app.pages.plan import plan_page
from smart_app.pages.plan_items import plan_items
from smart_app.pages.written import contained_plan, written_plan
from tests.smart_app.pages.conftest import content_of, sample

TODAY = date(2025, 3, 3)
VANCE = {"reference": "Practitioner/vance", "display": "Dr Imogen Vance"}


def stored_plan():
    """Write the sample's plan to a server; return the server, the CarePlan and the draft of it."""
    draft = sample("halloran").care_plan("2025-03-10")
    accepted = accept(
        draft, sample("halloran").entry, practitioner=VANCE, accepted_at="2025-03-03T09:00:00Z"
    )
    repository = MemoryRepository()
    write_back(repository, to_transaction(accepted, plan_id="d1"))
    (plan,) = repository.search("CarePlan", {})
    return repository, plan, draft


def parts_of(repository, plan):
    return read_plan_parts(repository, plan, may=lambda name, interaction: True)


def page_of(plan, parts):
    card = sample("halloran").card
    return written_plan(plan, parts, card, today=TODAY, link=lambda reference: f"/r/{reference}")


def change(repository, reference, **changes):
    """Let somebody change a resource."""
    held = repository.read(*reference.split("/"))
    entry = {"resource": {**held, **changes}, "request": {"method": "PUT", "url": reference}}
    repository.transact({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})


def test_what_was_written_reads_as_what_was_reviewed():
    repository, plan, draft = stored_plan()
    page = page_of(plan, parts_of(repository, plan))
    reviewed = plan_page(
        content_of(sample("halloran"), care_plan=draft), sample("halloran").card, today=TODAY
    )
    assert page.title == reviewed.title == "Lung: 4 segments every 28 days from Mon 10 Mar 2025"
    assert page.agenda == reviewed.agenda
    assert page.board == reviewed.board
    assert page.gates == reviewed.gates
    assert page.notes == reviewed.notes
    assert page.text == (
        "Active in the EHR, by Dr Imogen Vance, drafted on 3 Mar 2025.",
        "40 orders: 40 draft.",
    )
    assert (page.over, page.others, page.unread) == ((), (), ())


def test_what_was_begun_or_called_off_is_named_and_the_latter_is_no_longer_planned():
    repository, plan, draft = stored_plan()
    first, second = repository.search("ServiceRequest", {})[:2]
    change(repository, f"ServiceRequest/{first['id']}", status="active")
    change(repository, f"ServiceRequest/{second['id']}", status="revoked")
    parts = parts_of(repository, plan)
    page = page_of(plan, parts)
    assert page.text[1] == "40 orders: 1 active, 38 draft, 1 revoked."
    assert [(line.reference, line.status) for line in page.others] == [
        (f"ServiceRequest/{first['id']}", "active")
    ]
    assert [line.href for line in page.over] == [f"/r/ServiceRequest/{second['id']}"]
    planned = sum(len(row.days) for part in page.agenda for row in part.rows)
    assert planned == len(plan_items(draft)) - 1


def test_what_cannot_be_read_is_named_and_a_plan_without_orders_says_so():
    repository, plan, _ = stored_plan()
    (group,) = [part for part in parts_of(repository, plan) if part.reference.startswith("Req")]
    page = page_of({**plan, "goal": []}, [type(group)(group.reference, "", None, "")])
    assert page.unread == (group.reference,)
    assert (page.board, page.agenda) == (None, ())
    assert page.text[1] == "The EHR shows no orders of this plan."


def test_an_override_is_not_folded_away():
    repository, plan, _ = stored_plan()
    note = {"text": "Override: the board asks for it; status ineligible."}
    page = page_of({**plan, "note": [note, {"text": "Caution."}]}, parts_of(repository, plan))
    assert page.overrides == ("Override: the board asks for it; the answer was: not eligible.",)
    assert page.notes == ("Caution.",)


def test_what_is_done_is_not_the_next_step():
    repository, plan, _ = stored_plan()
    first = page_of(plan, parts_of(repository, plan)).next_steps[0]
    assert first.title == "Patient information"
    (told,) = repository.search("CommunicationRequest", {})
    change(repository, f"CommunicationRequest/{told['id']}", status="completed")
    page = page_of(plan, parts_of(repository, plan))
    assert page.next_steps[0].title == "Baseline assessment"
    assert any(row.title == "Patient information" for row in page.agenda[0].rows)


def test_a_revoked_plan_has_no_next_steps():
    repository, plan, _ = stored_plan()
    parts = parts_of(repository, plan)
    assert page_of(plan, parts).next_steps
    page = page_of({**plan, "status": "revoked"}, parts)
    assert page.next_steps == ()
    assert page.text[0].startswith("Revoked in the EHR")


def test_references_with_the_servers_address_lead_to_what_is_contained():
    repository, plan, draft = stored_plan()
    parts = parts_of(repository, plan)
    (activity,) = plan["activity"]
    address = f"https://ehr.example/fhir/{activity['reference']['reference']}/_history/1"
    whole = contained_plan({**plan, "activity": [{"reference": {"reference": address}}]}, parts)
    assert whole["activity"][0]["reference"]["reference"].startswith("#RequestGroup-")
    assert len(plan_items(whole)) == len(plan_items(draft))
