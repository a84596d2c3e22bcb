"""An event of the audit trail as a FHIR AuditEvent.

A page that was opened follows IHE BALP's pattern PatientRead, a written plan PatientCreate.
BALP has none for signing in and out, signing, overriding and discarding: these are AuditEvents of
the same build. Nothing says so in `meta.profile`: a server that does not know BALP could refuse it.

Source: https://profiles.ihe.net/ITI/BALP/content.html
"""

from datetime import UTC, datetime

from ivfhir.fhir.types import CARE_PLAN, Resource
from ivfhir.writing.bundle import PLAN_SYSTEM
from smart_app.store import TrailEvent

_DICOM = "http://dicom.nema.org/resources/ontology/DCM"
_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_RESTFUL = "http://hl7.org/fhir/restful-interaction"
_PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_ENTITY = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"

AUDIT_SYSTEM = "https://ivfhir.example/fhir/audit-event"
"""System of the tag that is one event's alone, whatever becomes of its id on another server."""

DELIVERY_SYSTEM = "https://ivfhir.example/fhir/audit-delivery"
"""System of the tag that says, in an export, what became of the event's way to the EHR."""

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
    "evaluate": (
        {"system": _DICOM, "code": "110100", "display": "Application Activity"},
        None,
        "E",
    ),
    "open": ({"system": _TYPE, "code": "rest"}, {"system": _RESTFUL, "code": "read"}, "R"),
    "write": ({"system": _TYPE, "code": "rest"}, {"system": _RESTFUL, "code": "create"}, "C"),
    "sign": ({"system": _LIFECYCLE, "code": "attest"}, None, "E"),
    "override": ({"system": _LIFECYCLE, "code": "attest"}, None, "E"),
    "discard": ({"system": _LIFECYCLE, "code": "destroy"}, None, "D"),
    "outbox-retry": (
        {"system": _DICOM, "code": "110100", "display": "Application Activity"},
        None,
        "E",
    ),
    "outbox-drop": (
        {"system": _DICOM, "code": "110100", "display": "Application Activity"},
        None,
        "E",
    ),
}
"""Type, subtype and action of each kind of event."""

_SAID = ("event", "outcome", "address", "user", "user_name", "patient", "ehr", "plan")
_BY_USER = ("write", "sign", "override", "discard", "outbox-retry", "outbox-drop")
"""What the user is the author of; all else tells the user something."""

_APP: _Coding = {"system": _DICOM, "code": "110150", "display": "Application"}
_SOURCE: _Coding = {"system": _DICOM, "code": "110153", "display": "Source Role ID"}
_DESTINATION: _Coding = {"system": _DICOM, "code": "110152", "display": "Destination Role ID"}


def to_audit_event(event: TrailEvent, *, site: str, names: bool = True) -> Resource:
    """Return the event as an AuditEvent.

    Args:
        event: of the trail.
        site: the app's public URL, who observed it.
        names: name the user, beside the reference.
    """
    content = event.content
    kind, subtype, action = _KINDS[content["event"]]
    failed = content["outcome"] != "success"
    resource: Resource = {
        "resourceType": "AuditEvent",
        "id": f"ivfhir-{event.number}",
        "meta": {"tag": [{"system": AUDIT_SYSTEM, "code": event.mark}]},
        "type": kind,
        "action": action,
        "recorded": datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds"),
        "outcome": "4" if failed else "0",
        "agent": _agents(content, site, names=names),
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


def _agents(content: dict[str, str], site: str, *, names: bool) -> list[Resource]:
    """Return who took part: the user, their browser, the app, and the server that it spoke with."""
    agents = _user(content, names=names)
    if content.get("address"):
        # BALP: users are no network devices. So the browser's address is no element of theirs.
        network = {"address": content["address"], "type": "2"}
        browser = {"display": "The user's browser"}
        agents.append({"who": browser, "requestor": False, "network": network})
    ours, theirs = {"open": (_DESTINATION, _SOURCE), "write": (_SOURCE, _DESTINATION)}.get(
        content["event"], (_APP, None)
    )
    agents.append(_machine(ours, "ivfhir", site))
    if theirs is not None and content.get("ehr"):
        agents.append(_machine(theirs, "FHIR server of the EHR", content["ehr"]))
    return agents


def _user(content: dict[str, str], *, names: bool) -> list[Resource]:
    """Return the user; nobody when the EHR did not say who it is."""
    user, name = content.get("user"), content.get("user_name")
    if not user:
        return []
    code = "AUT" if content["event"] in _BY_USER else "IRCP"
    who: Resource = {"reference": user} if "/" in user else {"identifier": {"value": user}}
    if names and name:
        who["display"] = name
    coding = {"system": _PARTICIPATION, "code": code}
    return [{"type": {"coding": [coding]}, "who": who, "requestor": True}]


def _machine(role: _Coding, display: str, url: str) -> Resource:
    return {
        "type": {"coding": [role]},
        "who": {"identifier": {"value": url}, "display": display},
        "requestor": False,
        "network": {"address": url, "type": "5"},
    }


def _entities(content: dict[str, str]) -> list[Resource]:
    details = [
        {"type": name, "valueString": content[name]}
        for name in sorted(content)
        if name == "event" or name not in _SAID
    ]
    told: list[Resource] = []
    if content.get("patient"):
        told.append(
            {
                "what": {"reference": content["patient"]},
                "type": {"system": _ENTITY, "code": "1"},
                "role": {"system": _ROLE, "code": "1"},
            }
        )
    about = _about(content)
    if about:
        told.append(
            {
                "what": about,
                "type": {"system": _ENTITY, "code": "2"},
                "role": {"system": _ROLE, "code": "4"},
            }
        )
    # In an entity of its own: older BALP lets the one that was read or written have no details.
    return [*told, {"type": {"system": _ENTITY, "code": "4"}, "detail": details}]


def _about(content: dict[str, str]) -> Resource | None:
    """Return what was read, written or decided about: the record, or a plan by its identifier."""
    if content["event"] == "open":
        # A page shows the record: the patient, and what is filed under the patient.
        return {"reference": content["patient"]} if content.get("patient") else None
    if "draft" not in content:
        return None
    identifier = {"system": PLAN_SYSTEM, "value": content["draft"]}
    plan: Resource = {"type": CARE_PLAN, "identifier": identifier}
    return {"reference": content["plan"], **plan} if content.get("plan") else plan
