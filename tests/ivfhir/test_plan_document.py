"""A plan to read: what it says of every plan, ours and anybody's, and what it never says."""

import json
import re
from pathlib import Path

import pytest

from ivfhir.plan_document import standing_sentence, to_html
from tests.ivfhir.sync.scene import small

GOLDEN = Path(__file__).parent / "golden" / "CarePlan-V01.json"
PATIENT = {
    "resourceType": "Patient",
    "name": [{"family": "Halloran", "given": ["Edmund"]}],
    "birthDate": "1962-05-14",
    "gender": "male",
    "identifier": [{"system": "urn:x", "value": "RN-1", "type": {"text": "Ward number"}}],
}

OURS = {"instantiatesCanonical": ["https://ivfhir.example/fhir/PlanDefinition/LUNG|0.1.0"]}


def golden():
    return json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_it_says_who_by_which_protocol_and_on_what_evidence():
    plan = golden()
    html = to_html(plan, patient=PATIENT)
    for words in (
        "HALLORAN, Edmund",
        "14 May 1962",
        "<th>Ward number</th><td>RN-1</td>",
        "LUNG, version ",
        "Evidence: very low",
        plan["title"],
        "Proposal. Not signed",
        'counter(page) " of " counter(pages)',
    ):
        assert words in html


def test_each_request_of_the_plan_is_a_step_with_its_days_in_words():
    plan = golden()
    html = to_html(plan, patient=PATIENT)
    others = ("RequestGroup", "Goal")
    requests = [each for each in plan["contained"] if each["resourceType"] not in others]
    days = re.findall(r'<tr><td class="when">([^<]*)<', html)
    assert len(days) == len(requests)
    assert all(re.match(r"((Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?\d{1,2} ", each) for each in days)
    (drug,) = (each for each in requests if each["id"] == "LUNG-A03.2.drug")
    assert drug["dosageInstruction"][0]["text"] in html


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Not signed"),
        ({"status": "active", "author": {"display": "Dr Vance"}, **OURS}, "Accepted by Dr Vance."),
        ({"status": "active"}, "not known whether anybody signed"),
        ({"status": "unknown"}, "not known whether anybody signed"),
        ({"status": "revoked"}, "not to be followed"),
        ({"status": "entered-in-error"}, "not to be followed"),
        ({"status": "on-hold", "author": {"display": "Dr Vance"}}, "on hold"),
    ],
)
def test_whether_it_is_signed_is_said_as_its_status_has_it(changes, words):
    sentence = standing_sentence(small(**changes))
    assert words in sentence
    assert ("Not signed" in sentence) == (changes == {})


def test_when_it_was_accepted_is_the_signatures_own_moment():
    signature = {
        "resourceType": "Provenance",
        "id": "s",
        "recorded": "2025-03-03T08:42:00+01:00",
        "agent": [{"who": {"display": "Dr Vance"}}],
    }
    plan = small(status="active", author={"display": "Dr Vance"})
    plan["contained"].append(signature)
    assert "Accepted by Dr Vance on 3 Mar 2025, 08:42." in standing_sentence(plan)


def plan_of_others(*contained, **more):
    own = {"status": "active", "intent": "plan", "author": {"display": "Dr Vance"}, **more}
    return {"resourceType": "CarePlan", **own, "contained": list(contained)}


def test_the_author_of_anybodys_plan_accepted_it_only_where_a_signature_says_so():
    device = {"author": {"display": "Glucose pump", "reference": "Device/1"}}
    said = standing_sentence(plan_of_others(**device))
    assert said.startswith(
        "It is not known whether anybody signed this plan. It names Glucose pump"
    )
    signed = {"resourceType": "Provenance", "id": "s", "recorded": "2025-03-03T08:42:00+01:00"}
    system = {**signed, "agent": [{"who": {"display": "A system"}}]}
    assert "not known whether anybody signed" in standing_sentence(plan_of_others(system))
    hers = {**signed, "agent": [{"who": {"display": "Dr Vance"}}]}
    said = standing_sentence(plan_of_others(hers))
    assert said.startswith("Accepted by Dr Vance on 3 Mar 2025, 08:42.")
    namesake = {"display": "Dr Vance", "reference": "Practitioner/2"}
    other = {**signed, "agent": [{"who": namesake}]}
    author = {"author": {"display": "Dr Vance", "reference": "Practitioner/1"}}
    assert "not known whether anybody signed" in standing_sentence(plan_of_others(other, **author))


def test_steps_that_are_orders_are_not_called_proposals():
    order = {"resourceType": "ServiceRequest", "id": "a", "status": "active", "intent": "order"}
    task = {"resourceType": "Task", "id": "b", "status": "draft", "intent": "proposal"}
    assert "proposals, not orders" in standing_sentence(plan_of_others(task))
    assert "proposals, not orders" in standing_sentence(plan_of_others())
    assert standing_sentence(plan_of_others(order)).endswith(
        "The steps are orders: the record system says where each stands."
    )
    assert "Some steps are orders already" in standing_sentence(plan_of_others(order, task))


def test_anybodys_plan_with_details_in_place_of_requests():
    detail = {
        "code": {"text": "Walk"},
        "status": "not-started",
        "scheduledString": "every morning",
        "description": "Half an hour",
    }
    plan = small(activity=[{"detail": detail}], contained=None, goal=None, created=None)
    html = to_html(plan, patient=None)
    for words in ("Walk", "every morning", "Half an hour", "Status: not-started", "not known here"):
        assert words in html
    assert "The plan names none" in to_html(small(activity=None, contained=None), patient=None)


DRUG = {
    "resourceType": "MedicationRequest",
    "id": "drug",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "Warfarin"},
}


def steps_of(**changes):
    """Return the table of steps of a plan whose one step is the drug with these elements."""
    html = to_html(small(contained=[DRUG | changes], activity=None, goal=None), patient=None)
    return html[html.index("<h2>Steps") :]


@pytest.mark.parametrize("told", [True, False])
def test_what_is_not_to_be_done_is_no_step_to_do(told):
    assert ("<strong>Do not: Warfarin</strong>" in steps_of(doNotPerform=told)) == told
    detail = {"code": {"text": "Ibuprofen"}, "status": "not-started", "doNotPerform": told}
    html = to_html(small(activity=[{"detail": detail}], contained=None, goal=None), patient=None)
    assert ("<strong>Do not: Ibuprofen</strong>" in html) == told


def test_a_dose_without_words_is_not_left_out_in_silence():
    dose = {"doseAndRate": [{"doseQuantity": {"value": 5, "unit": "mg"}}]}
    assert "Dose not shown, see the data." in steps_of(dosageInstruction=[dose])
    two = steps_of(dosageInstruction=[dose | {"text": "5 mg by mouth"}, dose | {"text": " "}])
    assert "5 mg by mouth" in two
    assert "Dose not shown, see the data." in two
    shown = steps_of(dosageInstruction=[dose | {"text": "5 mg by mouth"}])
    assert "Dose not shown" not in shown + steps_of()
    detail = {"status": "scheduled", "dailyAmount": {"value": 5, "unit": "mg"}}
    html = to_html(small(activity=[{"detail": detail}], contained=None, goal=None), patient=None)
    assert "Dose not shown, see the data." in html


@pytest.mark.parametrize("status", ["cancelled", "on-hold", "completed", "entered-in-error"])
def test_a_request_that_does_not_stand_says_so(status):
    assert f"Status: {status}." in steps_of(status=status)
    assert "Status" not in steps_of() + steps_of(status="draft")
    assert "Status: not recorded." in steps_of(status=None)


def test_no_text_of_a_record_becomes_markup():
    evil = "<script>alert(1)</script>"
    html = to_html(
        small(title=evil, description=evil, note=[{"text": evil}]),
        patient={"resourceType": "Patient", "name": [{"text": evil}]},
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 4
