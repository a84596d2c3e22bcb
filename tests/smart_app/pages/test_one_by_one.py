"""An EHR that takes no transactions: the plan goes in one entry after the other, once."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import requests

from ivfhir.servers.http import HttpRepository
from ivfhir.sync.ladder import read_means
from ivfhir.sync.profiles import Profile
from ivfhir.writing.capabilities import NO_TRANSACTIONS, read_write_support
from smart_app.fake_ehr.sample_patients import load_samples
from smart_app.outbox_worker import send_due
from smart_app.visit.way import ALONE, DOCUMENT, FILES, SINGLES, way_of
from tests.smart_app.pages.test_routes_write import change_platelets
from tests.smart_app.pages.wording import wrong_words

SAID = "A plan goes into this EHR one entry after the other"
TYPES = (
    "CarePlan",
    "RequestGroup",
    "ServiceRequest",
    "MedicationRequest",
    "CommunicationRequest",
    "Goal",
    "Provenance",
)
TOTAL = 48


@pytest.fixture
def fhir_server(hapi: str) -> Iterator[str]:
    """Base URL of HAPI FHIR with a sample patient, whose plans are withdrawn afterwards."""
    repository = HttpRepository(hapi, session=requests.Session())
    load_samples(repository, datetime.now(UTC).date(), ["halloran"])
    repository.update({"resourceType": "Practitioner", "id": "vance"})  # HAPI looks for the signer.
    yield hapi
    for plan in repository.search("CarePlan", {"patient": "halloran"}):
        repository.update({**plan, "status": "entered-in-error"})


@pytest.fixture
def ehr_options() -> dict[str, object]:
    """An EHR that takes no transactions."""
    return {"transactions": False}


@pytest.fixture
def send_later(app, clock):
    """A function that sends what is due in five minutes, and returns how many plans arrived."""

    def send():
        clock.ahead += timedelta(minutes=5)
        return send_due(app).delivered

    return send


def carrying(repository, draft_id):
    """Return what carries the plan's identifier or that of a part of it, by reference."""
    system = "https://ivfhir.example/fhir/plan"
    found = {}
    for kind in TYPES:
        query = {"agent": "Practitioner/vance"} if kind == "Provenance" else {"patient": "halloran"}
        for each in repository.search(kind, query):
            marks = [*each.get("identifier", ()), *each.get("meta", {}).get("tag", ())]
            own = [
                mark.get("value", mark.get("code")) for mark in marks if mark["system"] == system
            ]
            if any(str(value).startswith(draft_id) for value in own):
                found[f"{kind}/{each['id']}"] = (own[0], each)
    return found


def test_it_is_said_from_the_list_of_protocols_on(clinician):
    draft_id = clinician.make_draft()
    for name in ("match", "why/LUNG", "plan/LUNG", f"review/{draft_id}"):
        page = clinician.open(name).text
        assert SAID in page
        assert "takes no transactions" in page
        assert "All entries go in together" not in page
        assert wrong_words(page) == []
    assert f"{TOTAL} entries will be written" in page
    assert f"Accept and write {TOTAL} entries" in page


def test_each_entry_is_written_once_and_read_back(clinician, repository):
    draft_id = clinician.make_draft()
    assert clinician.accept(draft_id).status_code == 303
    receipt = clinician.open(f"receipt/{draft_id}").text
    assert f"Written: {TOTAL} of {TOTAL} entries, read back and the same" in receipt
    assert "one by one" in receipt
    assert "transaction" not in receipt
    assert wrong_words(receipt) == []
    there = carrying(repository, draft_id)
    assert len(there) == len({value for value, _ in there.values()}) == TOTAL
    clinician.accept(draft_id)
    assert carrying(repository, draft_id).keys() == there.keys()
    plan = next(name for name in there if name.startswith("CarePlan/"))
    assert "40 orders: 40 draft." in clinician.open(f"written/{plan.partition('/')[2]}").text


@pytest.mark.parametrize(
    ("fault", "skip"),
    [("drop-after", 0), ("drop-before", 11), ("status-503", 20)],
)
def test_a_plan_that_stops_on_its_way_is_completed_by_itself(
    clinician, fake_ehr, send_later, fault, skip
):
    draft_id = clinician.make_draft()
    fake_ehr.fail(fault, method="POST", path="ServiceRequest", skip=skip)
    assert clinician.accept(draft_id).status_code == 303
    assert "Not written to its end: the EHR" in clinician.open(f"receipt/{draft_id}").text
    repository = HttpRepository(fake_ehr.settings.fhir_upstream, session=requests.Session())
    begun = len(carrying(repository, draft_id))
    assert 0 < begun < TOTAL or skip == 0
    assert send_later() == 1
    there = carrying(repository, draft_id)
    assert len(there) == len({value for value, _ in there.values()}) == TOTAL
    assert f"Written: {TOTAL} of {TOTAL} entries" in clinician.open(f"receipt/{draft_id}").text


def test_what_was_begun_is_marked_when_the_record_changes_before_it_is_completed(
    clinician, fake_ehr, send_later
):
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-503", method="POST", path="ServiceRequest", skip=5)
    clinician.accept(draft_id)
    repository = HttpRepository(fake_ehr.settings.fhir_upstream, session=requests.Session())
    begun = carrying(repository, draft_id)
    assert begun
    change_platelets(repository, 45)
    send_later()
    page = clinician.open(f"receipt/{draft_id}").text
    assert "Not written: the record changed since it was accepted" in page
    assert f"{len(begun)} entries of it that had been written are marked as entered" in page
    assert "Nothing was sent" not in page
    there = carrying(repository, draft_id)
    assert there.keys() == begun.keys()
    assert {each.get("status", each.get("lifecycleStatus")) for _, each in there.values()} == {
        "entered-in-error"
    }


def test_of_two_plans_of_one_moment_one_stays_there_too(clinician, repository, monkeypatch):
    """Another session's plan comes while ours is written."""
    draft_id = clinician.make_draft()
    create = HttpRepository.create

    def with_another(self, resource, **how):
        if resource["resourceType"] == "CarePlan":
            monkeypatch.setattr(HttpRepository, "create", create)
            repository.create({**resource, "identifier": []})
        return create(self, resource, **how)

    monkeypatch.setattr(HttpRepository, "create", with_another)
    clinician.accept(draft_id)
    assert "Withdrawn again" in clinician.open(f"receipt/{draft_id}").text
    states = [plan["status"] for plan in repository.search("CarePlan", {"patient": "halloran"})]
    assert (states.count("active"), states.count("revoked")) == (1, 1)


def test_of_a_plan_that_is_refused_in_part_nothing_counts(clinician, fake_ehr, repository):
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-403", method="POST", path="MedicationRequest", skip=2, times=None)
    assert clinician.accept(draft_id).status_code == 303
    page = clinician.open(f"receipt/{draft_id}").text
    assert "Not written: the EHR does not allow it" in page
    assert "marked as entered in error" in page
    states = Counter(
        each.get("status", each.get("lifecycleStatus"))
        for _, each in carrying(repository, draft_id).values()
        if each["resourceType"] != "Provenance"
    )
    assert states.keys() == {"entered-in-error"}


def launch_with(letters):
    """Return a launch whose EHR takes no transactions, and whose scopes give these letters."""
    rest = {
        "mode": "server",
        "interaction": [{"code": "search-system"}],
        "resource": [
            {
                "type": kind,
                "interaction": [{"code": "create"}, {"code": "search-type"}],
                "searchParam": [{"name": "identifier"}, {"name": "_tag"}],
            }
            for kind in (*TYPES, "DocumentReference")
        ],
    }
    statement = {"resourceType": "CapabilityStatement", "rest": [rest]}
    means = read_means(statement, Profile())
    app = SimpleNamespace(server_says=lambda base, repository: SimpleNamespace(means=means))

    def may(kind, letter):
        return letter in letters.get(kind, "crus")

    launch = SimpleNamespace(
        app=app,
        fhir_base="",
        repository=None,
        scopes=SimpleNamespace(may=may),
        lacking=lambda types: [f"not {each}" for each in types if not may(each, "c")],
    )
    return launch, read_write_support(statement, TYPES)


@pytest.mark.parametrize(
    ("letters", "kind"),
    [
        ({}, SINGLES),
        ({"Goal": "cr"}, ALONE),
        ({"ServiceRequest": "rs"}, ALONE),
        ({"CarePlan": "cr"}, DOCUMENT),
        ({"CarePlan": "cr", "DocumentReference": "r"}, FILES),
    ],
)
def test_what_could_not_be_looked_for_again_is_not_written_one_by_one(letters, kind):
    launch, support = launch_with(letters)
    way = way_of(launch, TYPES, support)
    assert way.kind == kind
    assert NO_TRANSACTIONS in way.why
