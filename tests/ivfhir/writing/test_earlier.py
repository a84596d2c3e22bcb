"""A plan is replaced: what ends with it, what stays, and why; on real servers too."""

import pytest
import requests

from ivfhir.errors import ServerError, VersionConflictError
from ivfhir.review import accept
from ivfhir.servers.http import HttpRepository
from ivfhir.servers.memory import MemoryRepository
from ivfhir.write_back import write_back
from ivfhir.writing.bundle import to_transaction
from ivfhir.writing.capabilities import read_write_support
from ivfhir.writing.earlier import read_plan_parts
from ivfhir.writing.ending import status_of
from tests.ivfhir.small_plan import ACCEPTED_AT, DECISION, VANCE

KINDS = ("ServiceRequest", "MedicationRequest", "CommunicationRequest", "Task")
ENDS = {
    "RequestGroup": "revoked",
    "ServiceRequest": "revoked",
    "CommunicationRequest": "revoked",
    "MedicationRequest": "cancelled",
    "Task": "cancelled",
    "Goal": "cancelled",
}


def no_pause(seconds):
    """Do not wait."""


def order(kind, number, patient):
    """Return a draft of a kind; a CommunicationRequest has no intent."""
    about = {"for" if kind == "Task" else "subject": {"reference": f"Patient/{patient}"}}
    intent = {} if kind == "CommunicationRequest" else {"intent": "proposal"}
    drug = {"medicationCodeableConcept": {"text": "a platinum"}}
    return {
        "resourceType": kind,
        "id": f"{kind}-{number}",
        "status": "draft",
        **intent,
        **about,
        **(drug if kind == "MedicationRequest" else {}),
    }


def plan_of(patient):
    """Return an accepted plan with two orders of each kind, one group inside another, one goal."""
    orders = [order(kind, number, patient) for kind in KINDS for number in (1, 2)]
    actions = [
        {"id": each["id"], "title": f"Do {each['id']}", "resource": {"reference": f"#{each['id']}"}}
        for each in orders
    ]
    subject = {"reference": f"Patient/{patient}"}
    group = {
        "resourceType": "RequestGroup",
        "id": "group",
        "status": "draft",
        "intent": "proposal",
        "subject": subject,
        "action": [{"title": "All", "action": actions}],
    }
    goal = {
        "resourceType": "Goal",
        "id": "goal",
        "lifecycleStatus": "proposed",
        "description": {"text": "No harm"},
        "subject": subject,
    }
    draft = {
        "resourceType": "CarePlan",
        "contained": [group, *orders, goal],
        "status": "draft",
        "intent": "proposal",
        "subject": subject,
        "goal": [{"reference": "#goal"}],
        "activity": [{"reference": {"reference": "#group"}}],
    }
    signer = VANCE if patient == "p" else {"reference": f"Patient/{patient}"}
    decision = {**DECISION, "criteria": []}
    return accept(draft, decision, practitioner=signer, accepted_at=ACCEPTED_AT)


def put(repository, resource):
    """Let somebody else store a resource."""
    request = {"method": "PUT", "url": f"{resource['resourceType']}/{resource['id']}"}
    entries = [{"resource": resource, "request": request}]
    repository.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})


def transaction(repository, plan, plan_id, *, revoke=()):
    """Return a plan's transaction, conditional where the server says that it can."""
    types = {"CarePlan", "Provenance", *ENDS}
    conditional = read_write_support(repository.capabilities(), types).conditional
    return to_transaction(
        plan, plan_id=plan_id, revoke=revoke, conditional=conditional.__contains__
    )


def written(repository, *, patient="p", plan_id="old"):
    """Write a plan and return its CarePlan as stored, and the references of its parts by name."""
    receipt = write_back(repository, transaction(repository, plan_of(patient), plan_id))
    assert [entry.differences for entry in receipt.entries] == [()] * 12
    places = {each.value.partition(".")[2]: each.reference for each in receipt.entries}
    return repository.read(*places.pop("").split("/")), places


def parts_of(repository, plan, *, may=lambda name, interaction: True):
    return read_plan_parts(repository, plan, may=may)


def test_all_ends_that_is_as_it_was_written():
    repository = MemoryRepository()
    plan, places = written(repository)
    parts = parts_of(repository, plan)
    assert {part.stays for part in parts} == {""}
    assert [part.reference for part in parts] == [
        places[name]
        for name in ("group", *(f"{kind}-{n}" for kind in KINDS for n in (1, 2)), "goal")
    ]
    assert [part.title for part in parts] == [
        "",
        *(f"Do {kind}-{n}" for kind in KINDS for n in (1, 2)),
        "No harm",
    ]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"status": "active"}, "its status is active"),
        ({"status": "completed"}, "its status is completed"),
        ({"status": "revoked"}, "it is already revoked"),
        ({"status": None}, "its status is None"),
        ({"note": [{"text": "on Tuesday"}]}, "it is not as it was written"),
        ({"subject": {"reference": "Patient/q"}}, "it was not written with this plan"),
        ({"identifier": []}, "it was not written with this plan"),
        ({"meta": {}}, "it is not as it was written"),
    ],
)
def test_what_is_somebody_elses_stays(change, why):
    repository = MemoryRepository()
    plan, places = written(repository)
    held = repository.read(*places["ServiceRequest-1"].split("/"))
    put(repository, {**held, **change})
    stays = {part.reference: part.stays for part in parts_of(repository, plan) if part.stays}
    assert stays == {places["ServiceRequest-1"]: why}


def test_what_cannot_be_read_or_changed_stays():
    class Partial:
        """A server that shows no Task."""

        def __init__(self, whole):
            self.whole = whole

        def read(self, resource_type, resource_id):
            return self.search(resource_type, {"_id": resource_id})[0]

        def search(self, resource_type, params):
            if resource_type == "Task":
                raise ServerError("no", status=500)
            return self.whole.search(resource_type, params)

    whole = MemoryRepository()
    plan, _ = written(whole)
    parts = parts_of(
        Partial(whole),
        plan,
        may=lambda name, interaction: (name, interaction) != ("MedicationRequest", "u"),
    )
    stays = {part.reference.partition("/")[0]: part.stays for part in parts if part.stays}
    assert stays == {
        "Task": "it could not be read",
        "MedicationRequest": "the EHR does not let the app change a MedicationRequest",
    }


@pytest.mark.parametrize("hidden", ["RequestGroup", "Goal"])
def test_a_type_that_may_not_be_read_is_not_asked_for(hidden):
    asked = set()

    class Watched(MemoryRepository):
        """A server that notes what it is asked for."""

        def search(self, resource_type, params):
            asked.add(resource_type)
            return super().search(resource_type, params)

    repository = Watched()
    plan, places = written(repository)
    asked.clear()
    parts = parts_of(repository, plan, may=lambda name, interaction: name != hidden)
    assert hidden not in asked
    name = "group" if hidden == "RequestGroup" else "goal"
    assert {part.reference: part.stays for part in parts if part.stays} == {
        places[name]: "it could not be read"
    }
    assert ("ServiceRequest" in asked) is (hidden == "Goal")


def test_a_plan_without_our_identifier_keeps_its_orders():
    foreign = {**order("ServiceRequest", 1, "p"), "id": "1"}
    group = {
        "resourceType": "RequestGroup",
        "id": "g",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "action": [{"title": "Scan", "resource": {"reference": "ServiceRequest/1"}}],
    }
    plan = {
        "resourceType": "CarePlan",
        "id": "c",
        "status": "active",
        "subject": {"reference": "Patient/p"},
        "activity": [{"reference": {"reference": "RequestGroup/g"}}, {"detail": {}}],
        "goal": [{"reference": "#contained"}, {"display": "Live longer"}],
    }
    parts = parts_of(MemoryRepository([plan, group, foreign]), plan)
    assert [(part.reference, part.stays) for part in parts] == [
        ("RequestGroup/g", ""),
        ("ServiceRequest/1", "it was not written with this plan"),
    ]


def replace(repository, plan, parts, *, patient="p"):
    """Write a plan that replaces another; return the receipt."""
    revoke = [plan, *(part.resource for part in parts if not part.stays)]
    bundle = transaction(repository, plan_of(patient), f"{patient}-new", revoke=revoke)
    return write_back(repository, bundle, pause=no_pause)


def check_replacing(repository, patient):
    """Write a plan, touch three orders, replace the plan, and look at every status."""
    plan, places = written(repository, patient=patient, plan_id=f"{patient}-old")
    active = repository.read(*places["ServiceRequest-1"].split("/"))
    put(repository, {**active, "status": "active"})
    edited = repository.read(*places["MedicationRequest-2"].split("/"))
    put(repository, {**edited, "note": [{"text": "half the dose"}]})
    parts = parts_of(repository, plan)
    receipt = replace(repository, plan, parts, patient=patient)
    assert all(each.status == each.wanted for each in receipt.ended)
    assert len(receipt.ended) == 9
    found = {
        name: status_of(repository.read(*reference.split("/")))
        for name, reference in places.items()
        if name != "signature"
    }
    expected = {
        "group": "revoked",
        "goal": "cancelled",
        **{f"{kind}-{n}": ENDS[kind] for kind in KINDS for n in (1, 2)},
        "ServiceRequest-1": "active",
        "MedicationRequest-2": "draft",
    }
    assert found == expected
    assert repository.read("CarePlan", plan["id"])["status"] == "revoked"
    kept = repository.read(*places["ServiceRequest-2"].split("/"))
    (before,) = [part.resource for part in parts if part.reference == places["ServiceRequest-2"]]
    assert {**kept, "meta": 0} == {**before, "status": "revoked", "meta": 0}


def check_a_race(repository, patient):
    """Let an order be activated after the parts were read: nothing is written."""
    plan, places = written(repository, patient=patient, plan_id=f"{patient}-old")
    parts = parts_of(repository, plan)
    held = repository.read(*places["Task-1"].split("/"))
    put(repository, {**held, "status": "in-progress"})
    with pytest.raises(VersionConflictError):
        replace(repository, plan, parts, patient=patient)
    assert repository.read("CarePlan", plan["id"])["status"] == "active"
    assert repository.read(*places["Task-2"].split("/"))["status"] == "draft"


@pytest.mark.parametrize("check", [check_replacing, check_a_race])
def test_in_memory(check):
    check(MemoryRepository(), "p")


@pytest.mark.server
@pytest.mark.parametrize("check", [check_replacing, check_a_race])
def test_on_a_small_server(sekmet, check):
    check(real(sekmet, check.__name__), check.__name__.replace("_", "-"))


@pytest.mark.server
@pytest.mark.parametrize("check", [check_replacing, check_a_race])
def test_on_hapi(hapi, check):
    check(real(hapi, check.__name__), check.__name__.replace("_", "-"))


def real(base, name):
    """Return a real server that holds the patient."""
    repository = HttpRepository(base, session=requests.Session())
    put(repository, {"resourceType": "Patient", "id": name.replace("_", "-")})
    return repository


def test_a_server_without_versions_gets_no_condition():
    bundle = to_transaction(
        plan_of("p"), plan_id="n", revoke=[{"resourceType": "Task", "id": "1", "status": "draft"}]
    )
    assert bundle["entry"][-1]["request"] == {"method": "PUT", "url": "Task/1"}
    assert bundle["entry"][-1]["resource"]["status"] == "cancelled"
