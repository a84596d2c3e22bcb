"""What we make and is wrong is not sent; what others gave us goes as it is, with a warning."""

import base64
import contextlib
import json
from copy import deepcopy
from pathlib import Path

import pytest

from ivfhir.cli.main import main
from ivfhir.errors import InvalidWriteError
from ivfhir.fhir.json import loads
from ivfhir.fhir.outcome import http_status, operation_outcome
from ivfhir.fhir.r4 import definition_of
from ivfhir.fhir.r4.value_sets import codes_of
from ivfhir.review import accept
from ivfhir.servers.memory import MemoryRepository
from ivfhir.write_back import write_back
from ivfhir.writing.bundle import revocation, to_transaction
from ivfhir.writing.document import document_entry
from ivfhir.writing.ending import END_STATUS, status_name
from ivfhir.writing.outgoing import MOST_TOLD, as_read, check_outgoing, warning_lines
from tests.ivfhir.small_plan import ACCEPTED_AT, DECISION, PLAN_ID, VANCE, accepted

GOAL = {
    "resourceType": "Goal",
    "id": "g",
    "lifecycleStatus": "active",
    "description": {"text": "No harm"},
    "subject": {"reference": "Patient/p"},
}


def bundle(*, revoke=()):
    return deepcopy(to_transaction(accepted(), plan_id=PLAN_ID, revoke=revoke))


def resource_of(sent, kind):
    return next(e["resource"] for e in sent["entry"] if e["resource"]["resourceType"] == kind)


def test_a_right_plan_passes():
    assert check_outgoing(bundle()) == ()


def test_a_fault_of_ours_is_not_sent_and_says_why():
    sent = bundle()
    resource_of(sent, "ServiceRequest")["status"] = "drafted"
    del resource_of(sent, "Goal")["subject"]
    repository = MemoryRepository()
    with pytest.raises(InvalidWriteError) as told:
        write_back(repository, sent)
    assert all(repository.search(e["resource"]["resourceType"], {}) == [] for e in sent["entry"])
    assert "a fault of ivfhir" in told.value.message
    assert "Goal has no subject" in told.value.message
    assert "1 more is in the outcome" in told.value.message
    issues = operation_outcome(told.value)["issue"]
    assert len(issues) == 3
    assert issues[2]["code"] == "code-invalid"
    assert issues[2]["expression"] == ["Bundle.entry[2].resource.status"]
    assert "ServiceRequest.status is 'drafted'" in issues[2]["diagnostics"]
    assert http_status(told.value) == 500
    assert "fault of the app" in told.value.plain


def test_what_the_input_has_too_is_the_inputs():
    sent, given = bundle(), accepted()
    for each in (resource_of(sent, "CarePlan"), given):
        each["category"] = [{"coding": [{"system": "not absolute", "code": "a"}]}]
    passed = check_outgoing(sent, [given])
    assert passed
    assert all("CarePlan.category" in each for each in passed)
    resource_of(sent, "CarePlan")["category"] *= 2
    with pytest.raises(InvalidWriteError):
        check_outgoing(sent, [given])


HELD = {"resourceType": "Patient", "gender": ["f"]}
DOCUMENT = {
    "resourceType": "DocumentReference",
    "id": "d",
    "status": "current",
    "content": [
        {
            "attachment": {
                "contentType": "application/fhir+json",
                "data": base64.b64encode(json.dumps(HELD).encode()).decode(),
            }
        }
    ],
}


def values(value):
    """Yield each object and array inside a value, with each name or number in it."""
    for name in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, name
        if isinstance(value[name], dict | list):
            yield from values(value[name])


@pytest.mark.parametrize("twist", [None, [], {}, "", 5, "é", {"x": 1}, [[]]], ids=str)
def test_whatever_a_servers_document_holds_it_is_judged(twist):
    """A value of the wrong kind is a fault, theirs or ours, and never an exception of Python."""
    held = deepcopy(DOCUMENT)
    sent = {"resourceType": "Bundle", "type": "transaction"}
    sent["entry"] = [
        {
            "fullUrl": "https://x.example/DocumentReference/d",
            "resource": held,
            "request": {"method": "PUT", "url": "DocumentReference/d"},
        }
    ]
    assert check_outgoing(sent, [held, HELD])
    for holder, name in list(values(sent)):
        value, holder[name] = holder[name], twist
        with contextlib.suppress(InvalidWriteError):
            check_outgoing(sent, [held, HELD])
        holder[name] = value
    assert check_outgoing(sent, [held, HELD])


def test_what_a_server_holds_ends_as_it_is_but_for_what_we_change():
    held = {**GOAL, "lifecycleStatus": "madeup", "startDate": "2025-13-01"}
    sent = bundle(revoke=[held])
    [passed] = check_outgoing(sent, as_read(sent))
    assert "Goal.start" in passed
    sent["entry"][-1]["resource"]["lifecycleStatus"] = "revoked"
    with pytest.raises(InvalidWriteError, match=r"Goal\.lifecycleStatus"):
        check_outgoing(sent, as_read(sent))


@pytest.mark.parametrize(
    "subject",
    [{"reference": "Patient/a_b"}, {"reference": "Patient/p", "display": " "}],
)
def test_ids_and_words_of_a_servers_resources_are_theirs(subject):
    sent = bundle()
    resource_of(sent, "Goal")["subject"] = subject
    assert len(check_outgoing(sent)) == 1


@pytest.mark.parametrize(
    "subject", [{"reference": "Practitioner/a"}, {"display": ["x"]}, {"reference": "#none"}]
)
def test_what_we_point_to_is_ours(subject):
    sent = bundle()
    resource_of(sent, "Goal")["subject"] = subject
    with pytest.raises(InvalidWriteError):
        check_outgoing(sent)


def document(plan):
    data = base64.b64encode(json.dumps(plan).encode()).decode()
    attachment = {"contentType": "application/fhir+json", "data": data}
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": attachment}],
    }


def test_the_plan_inside_a_document_is_asked_too():
    assert check_outgoing(document(GOAL)) == ()
    with pytest.raises(InvalidWriteError, match=r"Goal\.lifecycleStatus"):
        check_outgoing(document({**GOAL, "lifecycleStatus": "x"}))
    broken = document(GOAL)
    broken["content"][0]["attachment"]["data"] = "e30="
    with pytest.raises(InvalidWriteError):
        check_outgoing(broken)


def test_a_server_is_told_of_what_it_held():
    repository = MemoryRepository()
    stored = {**GOAL, "id": "1", "startDate": "2025-13-01"}
    goal = repository.transact(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": stored, "request": {"method": "POST", "url": "Goal"}}],
        }
    )
    assert goal["entry"]
    held = repository.search("Goal", {})[0]
    receipt = write_back(repository, bundle(revoke=[held]))
    assert [entry.differences for entry in receipt.entries] == [()] * 5
    [warning] = receipt.warnings
    assert warning.startswith("It is not valid FHIR R4 and is sent as it is: Goal.start")


@pytest.mark.parametrize("kind", END_STATUS)
def test_the_status_that_ends_a_part_is_one_of_its_type(kind):
    """What is written back with another status alone is not asked again each time."""
    definition = definition_of(kind)
    assert definition is not None
    binding = definition.elements[status_name(kind)].binding
    assert binding is not None
    codes = codes_of(binding[1])
    assert codes is not None
    wanted = {END_STATUS[kind], "entered-in-error"}
    assert wanted <= {code for each in codes.values() for code in each}
    assert revocation({**GOAL, "resourceType": kind})["resource"][status_name(kind)] in wanted


def test_many_are_told_of_a_few():
    lines = warning_lines(f"fault {number}" for number in range(9))
    assert len(lines) == MOST_TOLD + 1
    assert lines[-1].startswith("4 more")


PATIENTS = Path(__file__).parents[3] / "smart_app/fake_ehr/patients"
CONFIRMED = "confirmed=hearing,neuropathy,nyha,histology,folate-b12"


@pytest.mark.parametrize(
    ("patient", "protocol", "parameters"),
    [
        ("halloran-eligible", "LUNG", ["regimen=RG-LU1", CONFIRMED]),
        ("okafor-eligible-liver", "LIVER", ["mode=TACE"]),
        ("okafor-eligible-liver", "LIVER", ["mode=HAIC"]),
        ("castellano-eligible-liver-metastases", "LMET", ["mode=EMBO"]),
        ("ivanova-eligible-pancreas", "REGI", ["site=pancreas"]),
        ("silva-eligible-stent", "STENT", []),
    ],
)
def test_no_plan_of_our_protocols_is_stopped(capsys, patient, protocol, parameters):
    words = [word for each in parameters for word in ("--param", each)]
    days = ["--as-of", "2025-03-03", "--start", "2025-03-10"]
    command = ["apply", protocol, "--patient", str(PATIENTS / f"{patient}.json"), *days, *words]
    assert main(command) == 0
    plan = loads(capsys.readouterr().out, place="the plan")
    signed = accept(plan, DECISION, practitioner=VANCE, accepted_at=ACCEPTED_AT)
    entry = document_entry(signed, plan_id=PLAN_ID, conditional=lambda kind: True)
    assert check_outgoing(to_transaction(signed, plan_id=PLAN_ID)) == ()
    assert check_outgoing({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}) == ()
