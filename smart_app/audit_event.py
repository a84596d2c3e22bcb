"""An event of the audit trail as a FHIR AuditEvent.

Source: https://profiles.ihe.net/ITI/BALP/ (patterns of reading, creating and user authentication)
"""

from datetime import UTC, datetime

from ivfhir.fhir.types import Resource
from smart_app.store.trail import TrailEvent

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_RESTFUL = "http://hl7.org/fhir/restful-interaction"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"

_Coding = dict[str, str]
_KINDS: dict[str, tuple[_Coding, _Coding | None, str]] = {
    "sign-in": (
        {"system": _DICOM, "code": "110114", "display": "User Authentication"},
        {"system": _DICOM, "code": "110122", "display": "Login"},
        "E",
    ),
    "sign-out": (
        {"system": _DICOM, "code": "110114", "display": "User Authentication"},
        {"system": _DICOM, "code": "110123", "display": "Logout"},
        "E",
    ),
    "open": ({"system": _TYPE, "code": "rest"}, {"system": _RESTFUL, "code": "read"}, "R"),
    "write": ({"system": _TYPE, "code": "rest"}, {"system": _RESTFUL, "code": "create"}, "C"),
    "sign": ({"system": _LIFECYCLE, "code": "attest"}, None, "E"),
    "override": ({"system": _LIFECYCLE, "code": "attest"}, None, "E"),
    "discard": ({"system": _LIFECYCLE, "code": "destroy"}, None, "D"),
}
"""Type, subtype and action of each kind of event."""

_SAID = ("event", "outcome", "address", "user", "user_name", "patient")


def to_audit_event(event: TrailEvent, *, site: str) -> Resource:
    """Return the event as an AuditEvent.

    Args:
        event: of the trail.
        site: the app's public URL, who observed it.
    """
    content = event.content
    kind, subtype, action = _KINDS[content["event"]]
    failed = content["outcome"] != "success"
    resource: Resource = {
        "resourceType": "AuditEvent",
        "id": f"ivfhir-{event.number}",
        "type": kind,
        "action": action,
        "recorded": datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds"),
        "outcome": "4" if failed else "0",
        "agent": [_user(content), _app(site)],
        "source": {
            "site": site,
            "observer": {"display": "ivfhir"},
            "type": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
                    "code": "4",
                }
            ],
        },
        "entity": _entities(content),
    }
    if subtype is not None:
        resource["subtype"] = [subtype]
    return resource


def _user(content: dict[str, str]) -> Resource:
    coding = {"system": _PARTICIPATION, "code": "IRCP"}
    agent: Resource = {"type": {"coding": [coding]}, "requestor": True}
    user, name = content.get("user"), content.get("user_name")
    if user and "/" in user:
        agent["who"] = {"reference": user, **({"display": name} if name else {})}
    elif user:
        agent["altId"] = user
    if content.get("address"):
        agent["network"] = {"address": content["address"], "type": "2"}
    return agent


def _app(site: str) -> Resource:
    coding = {"system": _DICOM, "code": "110150", "display": "Application"}
    return {
        "type": {"coding": [coding]},
        "who": {"display": "ivfhir"},
        "requestor": False,
        "network": {"address": site, "type": "5"},
    }


def _entities(content: dict[str, str]) -> list[Resource]:
    details = [
        {"type": name, "valueString": content[name]}
        for name in sorted(content)
        if name == "event" or name not in _SAID
    ]
    patient = content.get("patient")
    told: list[Resource] = [
        {
            "type": {"system": _ENTITY, "code": "2"},
            "role": {"system": _ROLE, "code": "4"},
            "detail": details,
        }
    ]
    if patient:
        told.insert(
            0,
            {
                "what": {"reference": patient},
                "type": {"system": _ENTITY, "code": "1"},
                "role": {"system": _ROLE, "code": "1"},
            },
        )
    return told
