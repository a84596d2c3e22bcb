"""Servers that take documents and no CarePlan, and servers that take nothing of a plan."""

import base64
import io
import json
from dataclasses import replace

import pytest
from pypdf import PdfReader

from ivfhir.sync.ladder import Rung, allowed_by, read_means
from ivfhir.sync.plans import Token, plan_id_of
from ivfhir.sync.profiles import Profile
from tests.ivfhir.sync.scene import (
    CANONICAL,
    MRN,
    named,
    patient,
    put,
    results,
    run,
    small,
    stored,
    write,
)
from tests.ivfhir.sync.test_door import offering, settings
from tests.ivfhir.sync.test_race import overlook_patient
from tests.servers.fault_proxy import run_proxy

LATER = "2025-04-03T10:00:00+01:00"
ACCEPTED = {"status": "active", "intent": "plan"}
DOCUMENTS = offering(("DocumentReference",))
READ_ONLY = offering(("DocumentReference",), without=("create", "update"))


def documents_only(asked):
    """Refuse every write but that of a single DocumentReference."""
    kind = asked.path.strip("/").partition("/")[0].partition("?")[0]
    return 403 if asked.writes and kind != "DocumentReference" else None


def by_type(document):
    attachments = (each["attachment"] for each in document["content"])
    return {each["contentType"]: base64.b64decode(each["data"]) for each in attachments}


def words_of(pdf):
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


@pytest.mark.server
def test_a_server_of_documents_gets_one_with_the_plan_to_read_and_as_data(clinic, plans):
    write(plans, "plan", clinic.plan("one"))
    with run_proxy(clinic.base, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base, "--dry-run") == ["created"]
        assert proxy.writes == []
        code, (row,), _ = run(plans, "--to", proxy.base)
        assert (code, row["result"]) == (0, "created")
        assert any("no CarePlan" in each["text"] for each in row["differences"])
        sent = len(proxy.writes)
        assert results(plans, proxy.base) == ["unchanged"]
        (plans / ".ivfhir-sync.sqlite3").unlink()
        assert results(plans, proxy.base) == ["unchanged"]
        assert len(proxy.writes) == sent == 1
    (document,) = clinic.stored("DocumentReference")
    assert row["references"] == [f"DocumentReference/{document['id']}"]
    assert (document["status"], document["docStatus"]) == ("current", "preliminary")
    assert document["subject"]["reference"] == f"Patient/{clinic.name}"
    made = by_type(document)
    assert "Proposal. Not signed" in words_of(made["application/pdf"])
    bundle = json.loads(made["application/fhir+json"])
    kinds = [each["resource"]["resourceType"] for each in bundle["entry"]]
    assert kinds == ["CarePlan", "RequestGroup", "ServiceRequest", "Goal"]
    plan, _, request, _ = bundle["entry"]
    assert request["resource"]["basedOn"] == [{"reference": plan["fullUrl"]}]
    assert clinic.stored("CarePlan") == []


def test_the_data_of_a_document_are_the_same_plan_on_another_server(sekmet, plans, tmp_path):
    patient(sekmet)
    write(plans, "plan", small())
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
    (document,) = stored(sekmet, "DocumentReference")
    again = tmp_path / "again"
    again.mkdir()
    write(again, "bundle", json.loads(by_type(document)["application/fhir+json"]))
    assert results(again, sekmet) == ["created"]  # This server takes CarePlans.
    assert results(plans, sekmet, "--ledger", str(tmp_path / "new")) == ["unchanged"]
    assert len(stored(sekmet, "CarePlan")) == 1


def test_a_change_of_the_plan_is_a_new_document_that_replaces_the_old(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        (old,) = stored(sekmet, "DocumentReference")
        write(plans, "plan", small(title="Another"))
        assert results(plans, proxy.base) == ["updated"]
        assert results(plans, proxy.base) == ["unchanged"]
    documents = {each["id"]: each for each in stored(sekmet, "DocumentReference")}
    assert documents.pop(old["id"])["status"] == "superseded"
    (new,) = documents.values()
    assert (new["status"], new["description"]) == ("current", "Another")
    (related,) = new["relatesTo"]
    assert related["code"] == "replaces"
    assert related["target"]["reference"] == f"DocumentReference/{old['id']}"


def current(base):
    """Return the titles of the plans whose documents are current."""
    found = stored(base, "DocumentReference")
    return sorted(each["description"] for each in found if each["status"] == "current")


@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_a_plan_that_goes_back_to_what_it_was_is_a_new_document_each_time(sekmet, plans, ledger):
    patient(sekmet)

    def told(base, *more):
        if ledger == "lost":
            (plans / ".ivfhir-sync.sqlite3").unlink(missing_ok=True)
        return results(plans, base, *more)

    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        write(plans, "plan", small(title="10 mg"))
        assert told(proxy.base) == ["created"]
        for dose in ("20 mg", "10 mg", "20 mg", "10 mg", "30 mg"):
            write(plans, "plan", small(title=dose))
            assert told(proxy.base, "--dry-run") == told(proxy.base) == ["updated"]
            assert told(proxy.base) == ["unchanged"]
            assert current(sekmet) == [dose]
    found = stored(sekmet, "DocumentReference")
    assert len(found) == 6
    related = [each for document in found for each in document.get("relatesTo", ())]
    assert len({each["target"]["reference"] for each in related}) == len(related) == 5


@pytest.mark.parametrize("fault", ["500-html", "drop-before", "drop-after"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_lost_answer_makes_no_second_document_of_a_plan_that_goes_back(
    sekmet, plans, method, fault
):
    patient(sekmet)
    lost = {"left": 0}

    def lose(asked):
        if asked.method == method and lost["left"]:
            lost["left"] -= 1
            return fault
        return None

    with run_proxy(sekmet, refuse=documents_only, fault=lose, statement=DOCUMENTS) as proxy:
        for dose, result in (("10 mg", "created"), ("20 mg", "updated"), ("10 mg", "updated")):
            write(plans, "plan", small(title=dose))
            lost["left"] = int(len(stored(sekmet, "DocumentReference")) == 2)
            assert results(plans, proxy.base) == [result]
            assert lost["left"] == 0
        assert results(plans, proxy.base) == ["unchanged"]
    found = stored(sekmet, "DocumentReference")
    assert sorted(each["status"] for each in found) == ["current", "superseded", "superseded"]
    assert current(sekmet) == ["10 mg"]


def test_a_plan_goes_back_though_the_run_that_changed_it_broke_off(sekmet, plans):
    """Both documents are current, and the earlier one says what the plan is again."""
    patient(sekmet)
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        write(plans, "plan", small(title="10 mg"))
        assert results(plans, proxy.base) == ["created"]
        write(plans, "plan", small(title="20 mg"))
        proxy.refuse = lambda asked: 403 if asked.method == "PUT" else documents_only(asked)
        assert results(plans, proxy.base) == ["parked"]
        assert current(sekmet) == ["10 mg", "20 mg"]
        write(plans, "plan", small(title="10 mg"))
        proxy.refuse = documents_only
        assert results(plans, proxy.base) == ["updated"]
        assert results(plans, proxy.base) == ["unchanged"]
    found = stored(sekmet, "DocumentReference")
    assert sorted(each["status"] for each in found) == ["current", "superseded", "superseded"]
    assert current(sekmet) == ["10 mg"]


def test_a_plan_goes_back_where_every_document_stays_current(sekmet, plans):
    patient(sekmet)
    create_only = offering(("DocumentReference",), without=("update",))
    with run_proxy(sekmet, refuse=documents_only, statement=create_only) as proxy:
        for number, dose in enumerate(("10 mg", "20 mg", "10 mg", "20 mg"), 1):
            write(plans, "plan", small(title=dose))
            assert results(plans, proxy.base) == ["updated" if number > 1 else "created"]
            (plans / ".ivfhir-sync.sqlite3").unlink()
            assert results(plans, proxy.base) == ["unchanged"]
            assert len(stored(sekmet, "DocumentReference")) == number


def test_an_input_that_did_not_change_does_not_undo_what_another_one_sent(sekmet, plans, tmp_path):
    patient(sekmet)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    write(plans, "plan", small(title="10 mg"))
    write(theirs, "plan", small(title="20 mg"))
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        assert results(theirs, proxy.base) == ["updated"]
        _, (row,), _ = run(plans, "--to", proxy.base)
        assert row["result"] == "unchanged"
        assert row["differences"][0]["text"] == "Another document took its place."
        assert results(theirs, proxy.base) == ["unchanged"]
    assert current(sekmet) == ["20 mg"]


def test_a_plan_that_another_replaced_does_not_go_back(sekmet, plans):
    patient(sekmet)
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        for dose, result in (("10 mg", "created"), ("20 mg", "updated")):
            write(plans, "a", named("old", title=dose))
            assert results(plans, proxy.base) == [result]
        write(plans, "b", named("new", created=LATER))
        assert results(plans, proxy.base) == ["unchanged", "superseded"]
        write(plans, "a", named("old", title="10 mg"))
        _, rows, _ = run(plans, "--to", proxy.base)
        assert [each["result"] for each in rows] == ["refused", "unchanged"]
        assert "was superseded on the server" in rows[0]["outcome"]["issue"][0]["diagnostics"]
    assert current(sekmet) == ["A plan"]


def test_copies_of_the_document_of_a_plan_that_went_back_are_withdrawn(sekmet, plans):
    patient(sekmet)
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        for dose in ("10 mg", "20 mg", "10 mg"):
            write(plans, "plan", small(title=dose))
            results(plans, proxy.base)
        (one,) = (e for e in stored(sekmet, "DocumentReference") if e["status"] == "current")
        put(sekmet, one | {"id": "copy"})
        (plans / ".ivfhir-sync.sqlite3").unlink()
        assert results(plans, proxy.base) == ["unchanged"]
    states = {each["id"]: each["status"] for each in stored(sekmet, "DocumentReference")}
    assert (states.pop(one["id"]), states.pop("copy")) == ("current", "entered-in-error")
    assert set(states.values()) == {"superseded"}


def test_a_server_that_takes_care_plans_by_now_gets_one_beside_the_document(sekmet, plans):
    """With the ledger kept, which knows of the document."""
    patient(sekmet)
    write(plans, "plan", small())
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        (document,) = stored(sekmet, "DocumentReference")
        proxy.refuse, proxy.statement = (lambda asked: None), (lambda own: own)
        assert results(plans, proxy.base) == ["created"]
        assert results(plans, proxy.base) == ["unchanged"]
        put(sekmet, {**document, "status": "superseded"})
        write(plans, "plan", small(title="Another"))
        assert results(plans, proxy.base) == ["updated"]
        assert results(plans, proxy.base) == ["unchanged"]
    assert [each["title"] for each in stored(sekmet, "CarePlan")] == ["Another"]
    assert len(stored(sekmet, "DocumentReference")) == 1


def test_a_server_that_has_no_care_plans_any_more_gets_a_document(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())

    def refuse(asked):
        return 404 if asked.path.startswith("/CarePlan") else documents_only(asked)

    with run_proxy(sekmet) as proxy:
        assert results(plans, proxy.base) == ["created"]
        proxy.refuse, proxy.statement = refuse, DOCUMENTS
        assert results(plans, proxy.base) == ["created"]
        assert results(plans, proxy.base) == ["unchanged"]
        proxy.refuse, proxy.statement = (lambda asked: None), (lambda own: own)
        assert results(plans, proxy.base) == ["unchanged"]
    assert len(stored(sekmet, "CarePlan")) == len(stored(sekmet, "DocumentReference")) == 1


EPISODE = {"system": "https://hospital.example/episode", "value": "E1"}


def own(value):
    return {"system": "https://example.org/plans", "value": value}


def owners(base):
    """Return the plans of all documents, by the value that a plan is known by."""
    found = stored(base, "DocumentReference")
    return {each["identifier"][0]["value"] for each in found}


@pytest.mark.parametrize("protocol", [[CANONICAL], None])
@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_a_plan_whose_identifiers_come_in_another_order_gets_no_second_document(
    sekmet, plans, ledger, protocol
):
    patient(sekmet)

    def told(base, *more):
        if ledger == "lost":
            (plans / ".ivfhir-sync.sqlite3").unlink(missing_ok=True)
        return results(plans, base, *more)

    straight, turned = [own("A"), EPISODE], [EPISODE, own("A")]
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        write(plans, "plan", small(identifier=straight, instantiatesCanonical=protocol))
        assert told(proxy.base) == ["created"]
        for number, identifier in enumerate((turned, straight, [EPISODE, own("C"), own("A")]), 2):
            changes = {"identifier": identifier, "title": f"{number}"}
            write(plans, "plan", small(instantiatesCanonical=protocol, **changes))
            assert told(proxy.base, "--dry-run") == told(proxy.base) == ["updated"]
            assert told(proxy.base) == ["unchanged"]
            assert current(sekmet) == [f"{number}"]
        write(plans, "plan", small(identifier=turned, status="entered-in-error"))
        assert told(proxy.base) == ["conflict"]  # It may be another than C.
        write(plans, "plan", small(identifier=identifier, status="entered-in-error"))
        assert told(proxy.base) == ["updated"]
        write(plans, "plan", small(identifier=identifier))
        assert told(proxy.base) == ["conflict"]  # It is not sent again.
    assert len(owners(sekmet)) == 1
    assert current(sekmet) == []


def test_documents_of_plans_that_share_a_second_identifier_are_two(sekmet, plans, tmp_path):
    patient(sekmet)
    alone = {"instantiatesCanonical": None}
    write(plans, "a", small(identifier=[own("A"), EPISODE], title="a", **alone))
    write(plans, "b", small(identifier=[own("B"), EPISODE], title="b", **alone))
    write(plans, "c", small(identifier=[EPISODE], title="c", **alone))
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base, "--dry-run") == ["created"] * 3
        assert results(plans, proxy.base) == ["created"] * 3
        (plans / ".ivfhir-sync.sqlite3").unlink()
        assert results(plans, proxy.base) == ["unchanged"] * 3
        turned = tmp_path / "turned"
        turned.mkdir()
        write(turned, "a", small(identifier=[EPISODE, own("A")], title="a again", **alone))
        assert results(turned, proxy.base) == ["updated"]
        assert results(turned, proxy.base) == ["unchanged"]
    assert current(sekmet) == ["a again", "b", "c"]
    assert len(owners(sekmet)) == 3


def test_a_document_of_a_plan_that_may_be_another_is_a_conflict(sekmet, plans):
    patient(sekmet)
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        write(plans, "plan", small(identifier=[EPISODE, own("X")], title="Theirs"))
        assert results(plans, proxy.base) == ["created"]
        (document,) = stored(sekmet, "DocumentReference")
        write(plans, "plan", small(identifier=[own("B"), EPISODE], created=LATER))
        _, (row,), _ = run(plans, "--to", proxy.base)
        assert row["result"] == "conflict"
        assert row["references"] == [f"DocumentReference/{document['id']}"]
        assert "may be another" in row["outcome"]["issue"][0]["diagnostics"]
    assert current(sekmet) == ["Theirs"]


def test_two_plans_documents_of_the_same_identifiers_are_a_conflict(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small(identifier=[own("A"), EPISODE]))
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        (document,) = stored(sekmet, "DocumentReference")
        value = plan_id_of(Token(EPISODE["system"], EPISODE["value"]))
        names = [{**document["identifier"][0], "value": value}]
        put(sekmet, {**document, "id": "second", "identifier": names})
        (plans / ".ivfhir-sync.sqlite3").unlink()
        _, (row,), _ = run(plans, "--to", proxy.base)
        assert (row["result"], len(row["references"])) == ("conflict", 2)
        put(sekmet, {**document, "status": "entered-in-error"})
        write(plans, "plan", small(identifier=[EPISODE, own("A")], title="Another"))
        assert results(plans, proxy.base) == ["updated"]
        assert results(plans, proxy.base) == ["unchanged"]
    assert current(sekmet) == ["Another"]


def test_one_patient_whom_two_files_name_otherwise_gets_one_document_at_a_time(sekmet, plans):
    """The two plans go in two groups, and only the server tells that the patient is one."""
    other = {"system": "https://elsewhere.example/mrn", "value": "9"}
    put(sekmet, {"resourceType": "Patient", "id": "p", "identifier": [MRN, other]})
    alone = {"contained": None, "goal": None, "activity": None}
    write(plans, "a", named("a", subject={"identifier": MRN}, **alone))
    write(plans, "b", named("b", subject={"identifier": other}, created="2025-06-01", **alone))
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS, latency_s=0.1) as proxy:
        told = results(plans, proxy.base)
    assert told in (["created", "superseded"], ["refused", "created"])
    documents = stored(sekmet, "DocumentReference")
    assert [each["status"] for each in documents].count("current") == 1


def test_documents_of_many_patients_are_looked_for_together(sekmet, plans):
    for number in range(6):
        mrn = {**MRN, "value": str(number)}
        put(sekmet, {"resourceType": "Patient", "id": f"p{number}", "identifier": [mrn]})
        alone = {"contained": None, "goal": None, "activity": None}
        write(plans, f"{number}", named(f"{number}", subject={"identifier": mrn}, **alone))
    called = offering(("DocumentReference",), system=(), software="sekmet")
    with run_proxy(sekmet, refuse=documents_only, statement=called) as proxy:
        assert results(plans, proxy.base) == ["created"] * 6
        asked = [each.path for each in proxy.asked if each.path.startswith("/DocumentReference?")]
        by_identifier = [each for each in asked if "identifier=" in each]
        assert not [each for each in proxy.asked if each.path.startswith("/CarePlan?patient")]
    assert len(stored(sekmet, "DocumentReference")) == 6
    # Two groups, before and after; and each right before its document is created.
    assert len(by_identifier) == 2 * 2 + 6


@pytest.mark.parametrize("fault", ["500-html", "drop-before", "drop-after"])
@pytest.mark.parametrize("change", [True, False])
def test_an_older_document_is_ended_where_the_first_try_to_end_it_broke(
    sekmet, plans, fault, change
):
    """The new document is there by then, so a look for it does not tell that all was done."""
    patient(sekmet)
    write(plans, "plan", small())
    left = {"left": 0}

    def break_once(asked):
        if asked.method == "PUT" and left["left"]:
            left["left"] -= 1
            return fault
        return None

    with run_proxy(sekmet, refuse=documents_only, fault=break_once, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        if change:
            write(plans, "plan", small(title="Another"))
        else:
            write(plans, "newer", named("newer", created="2025-04-03T10:00:00+01:00"))
        left["left"] = 1
        assert results(plans, proxy.base)[-1] == ("updated" if change else "superseded")
        assert left["left"] == 0
        assert set(results(plans, proxy.base)) == {"unchanged"}
    found = stored(sekmet, "DocumentReference")
    assert sorted(each["status"] for each in found) == ["current", "superseded"]


@pytest.mark.parametrize("unread", [503, 403])
def test_another_run_that_ends_a_plans_own_older_document_tells_it_as_an_update(
    sekmet, plans, unread
):
    patient(sekmet)
    write(plans, "plan", small())
    left = {"lost": True, "unread": ""}

    def lose(asked):
        if left["unread"] and asked.method == "GET" and left["unread"] in asked.path:
            return unread
        return 403 if left["lost"] and asked.method == "PUT" else documents_only(asked)

    with run_proxy(sekmet, refuse=lose, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        write(plans, "plan", small(title="Another"))
        assert results(plans, proxy.base) == ["parked"]
        left["lost"] = False
        (older,) = (e for e in stored(sekmet, "DocumentReference") if "relatesTo" not in e)
        left["unread"] = older["id"]
        assert results(plans, proxy.base) == ["parked"]  # Not unchanged: it may have to end.
        left["unread"] = ""
        assert results(plans, proxy.base) == ["updated"]
        assert results(plans, proxy.base) == ["unchanged"]
    found = stored(sekmet, "DocumentReference")
    assert sorted(each["status"] for each in found) == ["current", "superseded"]


@pytest.mark.parametrize("lost", [False, True])
def test_a_newer_plan_of_the_protocol_replaces_the_older_ones_document(sekmet, plans, lost):
    patient(sekmet)
    write(plans, "a", named("old"))
    write(plans, "b", named("new", created=LATER))

    def lose(asked):
        return 403 if lost and asked.method == "PUT" else documents_only(asked)

    with run_proxy(sekmet, refuse=lose, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created", "parked" if lost else "superseded"]
        lost, later = False, "superseded" if lost else "unchanged"
        assert results(plans, proxy.base) == ["unchanged", later]
        assert results(plans, proxy.base) == ["unchanged", "unchanged"]
    assert sorted(each["status"] for each in stored(sekmet, "DocumentReference")) == [
        "current",
        "superseded",
    ]


def test_another_patients_document_is_left_alone_whatever_a_search_brings(sekmet, plans):
    patient(sekmet)
    write(plans, "a", named("old"))
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        (document,) = stored(sekmet, "DocumentReference")
        put(sekmet, {"resourceType": "Patient", "id": "other"})
        put(sekmet, {**document, "subject": {"reference": "Patient/other"}})
        (plans / "a.json").unlink()
        write(plans, "b", named("new", created=LATER))
        proxy.change = overlook_patient
        assert results(plans, proxy.base) == ["created"]
    found = stored(sekmet, "DocumentReference")
    assert [each["status"] for each in found] == ["current", "current"]


def test_a_proposal_takes_no_accepted_plans_place(sekmet, plans):
    patient(sekmet)
    write(plans, "a", named("old", **ACCEPTED))
    write(plans, "b", named("new", created=LATER))
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created", "refused"]
    (document,) = stored(sekmet, "DocumentReference")
    assert document["docStatus"] == "final"


@pytest.mark.parametrize("status", ["completed", "revoked"])
def test_a_plan_that_is_over_keeps_no_place_in_its_document_either(sekmet, plans, status):
    patient(sekmet)
    write(plans, "a", named("old", intent="plan", status=status))
    write(plans, "b", named("new", created=LATER))
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created", "created"]
        assert results(plans, proxy.base) == ["unchanged", "unchanged"]
    found = stored(sekmet, "DocumentReference")
    assert {(each["status"], each["docStatus"]) for each in found} == {
        ("current", "final"),
        ("current", "preliminary"),
    }


def test_a_final_document_whose_data_cannot_be_read_is_taken_for_a_plan_in_force(sekmet, plans):
    patient(sekmet)
    write(plans, "a", named("old", intent="plan", status="completed"))
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        (document,) = stored(sekmet, "DocumentReference")
        content = [{"attachment": {"contentType": "application/fhir+json", "data": "e30="}}]
        put(sekmet, document | {"content": content})
        (plans / "a.json").unlink()
        write(plans, "b", named("new", created=LATER))
        assert results(plans, proxy.base) == ["refused"]


def test_sync_makes_no_final_document_of_a_preliminary_one(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        write(plans, "plan", small(**ACCEPTED))
        _, (row,), _ = run(plans, "--to", proxy.base)
        assert row["result"] == "refused"
        assert "activates nothing" in row["outcome"]["issue"][0]["diagnostics"]
    assert len(stored(sekmet, "DocumentReference")) == 1


@pytest.mark.parametrize("was", ["on-hold", "revoked", "completed"])
@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_nor_does_it_open_again_a_plan_that_is_held_or_over(sekmet, plans, was, ledger):
    """It was active once, so the content is that of an earlier document."""
    patient(sekmet)
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        for status, result in (("active", "created"), (was, "updated")):
            write(plans, "plan", small(intent="plan", status=status))
            assert results(plans, proxy.base) == [result]
        write(plans, "plan", small(**ACCEPTED))
        if ledger == "lost":
            (plans / ".ivfhir-sync.sqlite3").unlink()
        for more in (["--dry-run"], [], []):
            _, (row,), _ = run(plans, "--to", proxy.base, *more)
            assert row["result"] == "refused"
            assert f"is {was} on the server" in row["outcome"]["issue"][0]["diagnostics"]
    found = stored(sekmet, "DocumentReference")
    assert sorted(each["status"] for each in found) == ["current", "superseded"]


def test_a_plan_that_is_over_does_not_open_beside_a_newer_one(sekmet, plans):
    patient(sekmet)
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        write(plans, "a", named("old", intent="plan", status="completed"))
        write(plans, "b", named("new", created=LATER, title="Newer", **ACCEPTED))
        assert results(plans, proxy.base) == ["created", "created"]
        write(plans, "a", named("old", **ACCEPTED))
        assert results(plans, proxy.base) == ["refused", "unchanged"]
        write(plans, "a", named("old", intent="plan", status="completed", title="Told anew"))
        assert results(plans, proxy.base) == ["updated", "unchanged"]
    assert current(sekmet) == ["Newer", "Told anew"]


@pytest.mark.parametrize(
    ("status", "result"), [("active", "refused"), ("draft", "refused"), ("completed", "updated")]
)
def test_a_change_makes_no_second_current_document_of_another_protocol(
    sekmet, plans, status, result
):
    patient(sekmet)
    other = [CANONICAL, "https://example.org/PlanDefinition/Q|1"]
    theirs = {"status": status, "intent": "plan", "instantiatesCanonical": other[1:]}
    write(plans, "a", named("theirs", title="Theirs", **theirs))
    write(plans, "b", named("ours", **ACCEPTED))
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created", "created"]
        write(plans, "b", named("ours", instantiatesCanonical=other, created=LATER, **ACCEPTED))
        assert results(plans, proxy.base, "--dry-run") == ["unchanged", result]
        _, rows, _ = run(plans, "--to", proxy.base)
        assert [row["result"] for row in rows] == ["unchanged", result]
        if result == "refused":
            said = rows[1]["outcome"]["issue"][0]["diagnostics"]
            assert "is the document of an open plan of a protocol" in said
    assert current(sekmet) == ["A plan", "Theirs"]


def test_a_plan_that_is_over_may_name_any_protocol(sekmet, plans):
    patient(sekmet)
    other = ["https://example.org/PlanDefinition/Q"]
    write(plans, "a", named("theirs", instantiatesCanonical=other, **ACCEPTED))
    write(plans, "b", named("ours", **ACCEPTED))
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created", "created"]
        over = {"intent": "plan", "status": "completed"}
        write(plans, "b", named("ours", instantiatesCanonical=other, **over))
        assert results(plans, proxy.base) == ["updated", "unchanged"]


@pytest.mark.parametrize("ledger", ["kept", "lost"])
def test_a_document_that_somebody_changed_is_left_alone(sekmet, plans, ledger):
    patient(sekmet)
    write(plans, "plan", small())
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        (theirs,) = stored(sekmet, "DocumentReference")
        put(sekmet, theirs | {"description": "Theirs"})
        if ledger == "lost":
            (plans / ".ivfhir-sync.sqlite3").unlink()
        code, (row,), _ = run(plans, "--to", proxy.base)
        assert (code, row["result"]) == (6, "conflict")
        (line,) = (each for each in row["differences"] if each["element"].endswith("description"))
        assert line["theirs"] == "Theirs"
        assert '"data"' not in json.dumps(row)
        write(plans, "plan", small(title="Another"))
        assert results(plans, proxy.base) == ["conflict"]
    assert [each["description"] for each in stored(sekmet, "DocumentReference")] == ["Theirs"]


def test_what_is_entered_in_error_is_marked(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())
    wrong = {"status": "entered-in-error"}
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        write(plans, "plan", small(**wrong))
        assert results(plans, proxy.base) == ["updated"]
        assert results(plans, proxy.base) == ["unchanged"]
    assert [each["status"] for each in stored(sekmet, "DocumentReference")] == ["entered-in-error"]


@pytest.mark.parametrize(("named", "result"), [(True, "parked"), (False, "created")])
def test_care_plans_that_a_server_has_and_does_not_show_are_not_taken_for_none(
    sekmet, plans, named, result
):
    patient(sekmet)
    write(plans, "plan", small())

    def statement(own):
        said = DOCUMENTS(own)
        codes = [{"code": "read"}, {"code": "search-type"}]
        found = [{"type": "CarePlan", "interaction": codes}] if named else []
        said["rest"][0]["resource"] += found
        return said

    def refuse(asked):
        return 403 if asked.path.startswith("/CarePlan") else documents_only(asked)

    with run_proxy(sekmet, refuse=refuse, statement=statement) as proxy:
        assert results(plans, proxy.base) == [result]
        proxy.refuse = documents_only
        assert results(plans, proxy.base) == ["created" if named else "unchanged"]


def test_a_document_that_was_not_read_back_is_settled_by_the_next_run(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())
    sent = False

    def refuse(asked):
        nonlocal sent
        if documents_only(asked):
            return 403
        sent = sent or asked.writes
        return 401 if sent and not asked.writes else None

    with run_proxy(sekmet, refuse=refuse, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["parked"]
        proxy.refuse = documents_only
        code, (row,), _ = run(plans, "--to", proxy.base)
        assert (code, row["result"]) == (0, "unchanged")
        assert results(plans, proxy.base) == ["unchanged"]
    assert len(stored(sekmet, "DocumentReference")) == 1


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "truncate", "500-html"])
def test_a_lost_answer_makes_no_second_document(sekmet, plans, fault):
    patient(sekmet)
    write(plans, "plan", small())
    lost = {"left": 1}

    def lose(asked):
        if asked.method == "POST" and lost["left"]:
            lost["left"] -= 1
            return fault
        return None

    with run_proxy(sekmet, refuse=documents_only, fault=lose, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        assert lost["left"] == 0
        assert results(plans, proxy.base) == ["unchanged"]
    assert len(stored(sekmet, "DocumentReference")) == 1


def test_copies_that_a_careless_server_stored_are_withdrawn(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        assert results(plans, proxy.base) == ["created"]
        (one,) = stored(sekmet, "DocumentReference")
        put(sekmet, one | {"id": "copy"})
        (plans / ".ivfhir-sync.sqlite3").unlink()
        assert results(plans, proxy.base) == ["unchanged"]
    states = {each["id"]: each["status"] for each in stored(sekmet, "DocumentReference")}
    assert states == {one["id"]: "current", "copy": "entered-in-error"}


def test_a_server_that_cannot_search_documents_by_identifier_is_asked_by_patient(sekmet, plans):
    patient(sekmet)
    write(plans, "plan", small())

    def by_patient(own):
        said = DOCUMENTS(own)
        said["rest"][0]["resource"][0]["searchParam"] = [{"name": "patient"}, {"name": "status"}]
        return said

    def refuse(asked):
        return (
            400
            if "identifier=" in asked.path and "Document" in asked.path
            else (documents_only(asked))
        )

    with run_proxy(sekmet, refuse=refuse, statement=by_patient) as proxy:
        assert results(plans, proxy.base) == ["created"]
        (plans / ".ivfhir-sync.sqlite3").unlink()
        assert results(plans, proxy.base) == ["unchanged"]
    assert len(stored(sekmet, "DocumentReference")) == 1


def test_a_server_where_nothing_may_be_changed_keeps_the_older_document(sekmet, plans, tmp_path):
    patient(sekmet)
    write(plans, "a", named("old"))
    write(plans, "b", named("new", created=LATER))
    create_only = offering(("DocumentReference",), without=("update",))
    with run_proxy(sekmet, refuse=documents_only, statement=create_only) as proxy:
        _, rows, _ = run(plans, "--to", proxy.base)
        assert [each["result"] for each in rows] == ["created", "superseded"]
        assert any("still says current" in each["text"] for each in rows[1]["differences"])
        assert results(plans, proxy.base) == ["unchanged", "unchanged"]
    assert [each["status"] for each in stored(sekmet, "DocumentReference")] == ["current"] * 2


def test_without_what_draws_it_the_sentence_says_what_to_install(sekmet, plans, monkeypatch):
    patient(sekmet)
    write(plans, "plan", small())
    monkeypatch.setattr("ivfhir.pdf._weasyprint", lambda: None)
    with run_proxy(sekmet, refuse=documents_only, statement=DOCUMENTS) as proxy:
        code, (row,), _ = run(plans, "--to", proxy.base)
        assert (code, row["result"]) == (6, "parked")
        assert "pip install 'ivfhir[sync]'" in row["outcome"]["issue"][0]["diagnostics"]
        assert proxy.writes == []


def test_a_server_that_takes_nothing_gets_files_beside_it(sekmet, plans, tmp_path):
    patient(sekmet, name=[{"family": "Żółć", "given": ["李明"]}])
    write(plans, "plan", small())
    folder = tmp_path / "for the ward"
    with run_proxy(sekmet, statement=READ_ONLY) as proxy:
        _, (row,), _ = run(plans, "--to", proxy.base)
        assert row["result"] == "refused"
        assert "--download" in row["outcome"]["issue"][0]["diagnostics"]
        more = ("--download", str(folder))
        assert results(plans, proxy.base, *more, "--dry-run") == ["downloaded"]
        assert not folder.exists()
        code, (row,), _ = run(plans, "--to", proxy.base, *more)
        assert (code, row["result"], row["references"]) == (0, "downloaded", [])
        assert any("Nothing is written" in each["text"] for each in row["differences"])
        assert results(plans, proxy.base, *more) == ["unchanged"]
        write(plans, "plan", small(title="Another"))
        assert results(plans, proxy.base, *more, "--at-most", "0.5") == ["parked"]
        assert results(plans, proxy.base, *more) == ["downloaded"]
        assert proxy.writes == []
    (data,), (paper,) = folder.rglob("*.json"), folder.rglob("*.pdf")
    assert data.stat().st_mode & 0o777 == paper.stat().st_mode & 0o777 == 0o600
    plan = json.loads(data.read_bytes())["entry"][0]["resource"]
    assert (plan["title"], plan["subject"]) == ("Another", {"reference": "Patient/p"})
    assert "ŻÓŁĆ, 李明" in words_of(paper.read_bytes())


def test_an_identifier_leads_no_file_out_of_its_folder(sekmet, plans, tmp_path):
    patient(sekmet)
    evil = [{"system": "https://ivfhir.example/fhir/plan", "value": "../../../evil"}]
    write(plans, "plan", small(identifier=evil))
    with run_proxy(sekmet, statement=READ_ONLY) as proxy:
        assert results(plans, proxy.base, "--download", str(tmp_path / "out")) == ["downloaded"]
    written = [each for each in tmp_path.rglob("*evil*") if each.is_file()]
    assert {each.parents[1] for each in written} == {tmp_path / "out"}
    assert len(written) == 2


@pytest.mark.parametrize("broken", ["folder", "file"])
def test_a_folder_that_cannot_be_used_is_a_sentence_in_a_row_of_its_own(
    sekmet, plans, tmp_path, broken
):
    patient(sekmet)
    write(plans, "plan", small())
    folder = tmp_path / "out"
    with run_proxy(sekmet, statement=READ_ONLY) as proxy:
        more = ("--download", str(folder))
        if broken == "folder":
            folder.write_text("a file")
        else:
            assert results(plans, proxy.base, *more) == ["downloaded"]
            (data,) = folder.rglob("*.json")
            data.unlink()
            data.mkdir()
        write(plans, "nobody", named("nobody", subject={"reference": "Patient/q"}))
        code, rows, _ = run(plans, "--to", proxy.base, *more)
    assert code == 6
    assert [row["result"] for row in rows] == ["refused", "parked"]
    assert "cannot be used for downloads" in rows[1]["outcome"]["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("profile", "result"), [("documents-only", "created"), ("read-only", "downloaded")]
)
def test_a_profile_says_what_a_statement_does_not(sekmet, plans, tmp_path, profile, result):
    patient(sekmet)
    write(plans, "plan", small())
    with run_proxy(sekmet, refuse=documents_only) as proxy:
        to = ("it", "--config", str(settings(tmp_path, proxy.base, profile)))
        assert results(plans, *to, "--download", str(tmp_path / "out")) == [result]
        assert len(proxy.writes) == (result == "created")


@pytest.mark.parametrize(
    ("scope", "rung"),
    [
        ("system/*.crus", Rung.TRANSACTION),
        ("system/*.read system/*.write", Rung.TRANSACTION),
        ("system/*.rs system/CarePlan.crus", Rung.CONTAINED),
        ("system/*.rs system/DocumentReference.crus", Rung.DOCUMENT),
        ("system/Patient.rs system/DocumentReference.c", Rung.DOWNLOAD),  # Not to be found again.
        ("system/*.rs", Rung.DOWNLOAD),
        ("user/*.crus patient/CarePlan.crus system/*.rs", Rung.DOWNLOAD),
        ("system/*.rs system/CarePlan.crus?category=plan", Rung.CONTAINED),
        ("system/*.cruds?_security=N openid", Rung.TRANSACTION),
        ("user/*.crus patient/CarePlan.crus", Rung.TRANSACTION),  # Nothing is said of systems.
        ("https://fhir.example/.default", Rung.TRANSACTION),
        ("", Rung.TRANSACTION),
    ],
)
def test_what_scopes_do_not_allow_is_not_tried(scope, rung):
    means = replace(read_means(None, Profile()), allows=allowed_by(scope))
    assert means.rung({"CarePlan", "RequestGroup", "ServiceRequest"}) is rung
