"""Review: a draft plan becomes an accepted one. A pure function; it writes nothing.

The CarePlan and its RequestGroup become `active` with intent `plan`; the requests stay `draft`
proposals, because orders are placed in the EHR. A Provenance says who accepted, when, by which
rules, and which criteria were shown.
"""

import copy
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ivfhir.errors import UsageError
from ivfhir.fhir.types import CARE_PLAN, PROVENANCE, REQUEST_GROUP, Resource
from ivfhir.override import override_words

PROVENANCE_ID = "signature"
"""Id of the Provenance inside the accepted plan."""

_ACTIVE = {"status": "active", "intent": "plan"}
_AUTHOR = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type",
            "code": "author",
            "display": "Author",
        }
    ]
}


def accept(
    care_plan: Resource,
    decision: Mapping[str, Any],
    *,
    practitioner: Mapping[str, Any],
    accepted_at: str,
    override_reason: str | None = None,
    override_kind: str = "",
    replaces: Sequence[str] = (),
    confirmed: Sequence[str] = (),
) -> Resource:
    """Return the accepted plan: the draft, active, with a Provenance among its contained resources.

    Args:
        care_plan: the draft CarePlan, its RequestGroup, requests and goals contained; it is left
            as it is.
        decision: the entry of this protocol in `evaluate` as JSON, as it was shown at the review.
        practitioner: FHIR Reference of who accepts.
        accepted_at: the instant, ISO 8601 with its zone.
        override_reason: why the plan is made although the protocol's status speaks against it.
        override_kind: what kind of reason that is, in words; '' when it was not said.
        replaces: references of the active CarePlans whose place it takes.
        confirmed: what the practitioner stated for the regimen, a sentence each.

    Raises:
        UsageError: it is no draft CarePlan, or nobody accepts it.
    """
    if care_plan.get("resourceType") != CARE_PLAN or care_plan.get("status") != "draft":
        raise UsageError("Only a draft CarePlan can be accepted.")
    if not practitioner.get("reference"):
        raise UsageError("A plan is accepted by a named practitioner; sign in with one.")
    accepted = copy.deepcopy(care_plan) | _ACTIVE | {"author": dict(practitioner)}
    if replaces:
        accepted["replaces"] = [{"reference": reference} for reference in replaces]
    for resource in accepted["contained"]:
        if resource["resourceType"] == REQUEST_GROUP:
            resource.update(_ACTIVE)
    override = override_words(override_kind, override_reason) if override_reason else None
    accepted["contained"].append(
        _provenance(
            accepted,
            decision,
            practitioner,
            accepted_at,
            [*([override] if override else []), *(f"Confirmed: {each}" for each in confirmed)],
        )
    )
    return accepted


def _provenance(
    accepted: Resource,
    decision: Mapping[str, Any],
    practitioner: Mapping[str, Any],
    accepted_at: str,
    reasons: Sequence[str],
) -> Resource:
    contained = [{"reference": f"#{resource['id']}"} for resource in accepted["contained"]]
    provenance: Resource = {
        "resourceType": PROVENANCE,
        "id": PROVENANCE_ID,
        "text": {"status": "generated", "div": _narrative(decision, reasons)},
        "target": [{"reference": "#"}, *contained],
        "recorded": accepted_at,
        "agent": [{"type": _AUTHOR, "who": dict(practitioner)}],
    }
    if accepted.get("instantiatesCanonical"):
        provenance["policy"] = list(accepted["instantiatesCanonical"])
    if reasons:
        provenance["reason"] = [{"text": each} for each in reasons]
    entities = _entities(decision)
    if entities:
        provenance["entity"] = entities
    return provenance


def _entities(decision: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the resources that the criteria rest on, each once, with what was read from it."""
    shown: dict[str, list[str]] = {}
    for criterion in decision.get("criteria", ()):
        for evidence in criterion.get("evidence", ()):
            reference = evidence.get("reference")
            if reference:
                words = _fact(evidence)
                known = shown.setdefault(reference, [])
                if words not in known:
                    known.append(words)
    return [
        {"role": "source", "what": {"reference": reference, "display": "; ".join(words)}}
        for reference, words in shown.items()
    ]


def _fact(evidence: Mapping[str, Any]) -> str:
    value = evidence.get("value")
    number = "" if value is None else f"{evidence.get('comparator', '')}{_plain(value)}"
    parts = (
        str(evidence.get("concept", "")),
        number,
        str(evidence.get("unit") or ""),
        str(evidence.get("date") or ""),
    )
    return " ".join(part for part in parts if part)


def _plain(value: object) -> str:
    """Return a value as JSON writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _narrative(decision: Mapping[str, Any], reasons: Sequence[str]) -> str:
    """Return the criteria as they were shown, as XHTML."""
    heading = f"Criteria of {decision['id']} {decision['version']} as shown: {decision['status']}"
    rows = "".join(_row(criterion) for criterion in decision.get("criteria", ()))
    reason = "".join(f"<p>{escape(each)}</p>" for each in reasons)
    table = "<table><tr><th>Criterion</th><th>Answer</th><th>Facts</th><th>Rule</th></tr>"
    return f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{escape(heading)}</p>{reason}{table}{rows}</table></div>'


def _row(criterion: Mapping[str, Any]) -> str:
    facts = "; ".join(_fact(evidence) for evidence in criterion.get("evidence", ()))
    missing = ", ".join(criterion.get("missing", ()))
    cells = (
        f"{criterion['id']} {criterion['title']}",
        criterion["answer"],
        f"{facts}; missing: {missing}"
        if facts and missing
        else facts or (f"missing: {missing}" if missing else ""),
        criterion.get("rule", ""),
    )
    return "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"
