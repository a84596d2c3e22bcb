"""Events against the constraints of the IHE BALP profiles PatientRead and PatientCreate.

The profiles' definitions are in no registry that this project may use, so their published
constraints are checked here one by one: https://profiles.ihe.net/ITI/BALP/ (artefacts
IHE.BasicAudit.PatientRead and IHE.BasicAudit.PatientCreate, their parents Read and Create).
"""

from typing import Any

import pytest

from smart_app.audit_event import to_audit_event
from smart_app.store import TrailEvent

DICOM = "http://dicom.nema.org/resources/ontology/DCM"
WHO = {
    "ehr": "https://ehr.example/fhir",
    "user": "Practitioner/vance",
    "user_name": "Dr Imogen Vance",
    "patient": "Patient/halloran",
    "launch": "l1",
    "address": "192.0.2.7",
    "outcome": "success",
}
OPEN = {"event": "open", "page": "match", **WHO}
WRITE = {"event": "write", "draft": "d1", "protocol": "LUNG", "plan": "CarePlan/7", **WHO}
PROFILES = {
    # action, subtype, role of the client, role of the server, types of a user
    "PatientRead": (OPEN, "R", {"read", "vread"}, "110152", "110153", {"IRCP"}),
    "PatientCreate": (WRITE, "C", {"create"}, "110153", "110152", {"AUT", "INF", "CST"}),
}


def event_of(content: dict[str, str], *, names: bool = True) -> dict[str, Any]:
    event = TrailEvent(4, 1_800_000_000, content, "m4")
    return to_audit_event(event, site="https://app.example", names=names)


def agents(event: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [
        agent
        for agent in event["agent"]
        for coding in agent.get("type", {}).get("coding", ())
        if coding["code"] == code
    ]


@pytest.mark.parametrize("profile", PROFILES)
def test_an_event_keeps_every_constraint_of_its_profile(profile: str) -> None:
    content, action, subtypes, client, server, users = PROFILES[profile]
    event = event_of(content)
    rest = "http://terminology.hl7.org/CodeSystem/audit-event-type"
    assert event["type"] == {"system": rest, "code": "rest"}
    [subtype] = event["subtype"]
    assert subtype["system"] == "http://hl7.org/fhir/restful-interaction"
    assert subtype["code"] in subtypes
    assert (event["action"], event["outcome"]) == (action, "0")
    assert event["recorded"] == "2027-01-15T08:00:00+00:00"
    for code in (client, server):
        [agent] = agents(event, code)
        assert agent["type"]["coding"][0]["system"] == DICOM
        assert agent["who"]
        assert agent["network"]
        assert "media" not in agent
    [user] = [agent for code in users for agent in agents(event, code)]
    assert (user["requestor"], user["who"]["reference"]) == (True, "Practitioner/vance")
    assert "network" not in user
    assert "media" not in user
    [data] = [each for each in event["entity"] if each["type"]["code"] == "2"]
    assert data["role"]["code"] in {"3", "4", "20"}
    assert data["what"]
    assert not {"name", "query", "detail"} & set(data)
    [patient] = [each for each in event["entity"] if each["type"]["code"] == "1"]
    assert (patient["role"]["code"], patient["what"]) == ("1", {"reference": "Patient/halloran"})


def test_what_goes_to_an_ehr_holds_no_name_and_the_address_is_the_browser_s() -> None:
    event = event_of(WRITE, names=False)
    assert "Vance" not in str(event)
    [browser] = [agent for agent in event["agent"] if "type" not in agent]
    assert browser["network"] == {"address": "192.0.2.7", "type": "2"}
    about = event["entity"][1]["what"]
    assert about["reference"] == "CarePlan/7"
    assert about["identifier"] == {"system": "https://ivfhir.example/fhir/plan", "value": "d1"}
