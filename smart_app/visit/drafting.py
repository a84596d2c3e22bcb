"""A draft: the plan that a protocol gives for a reading, with what was shown beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ivfhir.errors import ParameterError
from ivfhir.expressions.values import Date
from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.parameters import typed_parameters
from ivfhir.plan import evaluate_and_plan
from ivfhir.settle import expiring_facts, plan_warnings
from smart_app.visit.reading import Reading


@dataclass(frozen=True)
class PlanRequest:
    """What the clinician asked for: values by parameter, start, reason and kind of an override."""

    values: Mapping[str, str]
    start: str
    override_reason: str | None = None
    override_kind: str | None = None


def draft_body(
    protocol: ClinicalProtocol,
    reading: Reading,
    request: PlanRequest,
    *,
    more: list[tuple[str, str]],
) -> dict[str, Any]:
    """Return the body of a draft, as the store keeps it.

    Args:
        protocol: the protocol.
        reading: the record.
        request: what the clinician asked for.
        more: the banner's further terms, kept so that the review shows what was seen.

    Raises:
        ParameterError: a value is of the wrong type or out of its bounds.
        NoPlanError: the status allows no plan.
    """
    start = Date.parse(request.start)
    if start is None:
        raise ParameterError("The start (Start) must be a date.")
    evaluation, care_plan = evaluate_and_plan(
        protocol,
        reading.record,
        as_of=reading.as_of,
        start=start,
        parameters=typed_parameters(protocol, request.values),
        override_reason=request.override_reason,
        override_kind=request.override_kind,
    )
    entry = evaluation.decision.to_json()
    return {
        "carePlan": care_plan,
        "decision": entry,
        "asOf": reading.decision["asOf"],
        "subject": reading.decision["patient"],
        "patient": reading.record.patient,
        "more": [list(term) for term in more],
        "readAt": reading.read_at.isoformat(),
        "entries": len(reading.record.resources) + 1,
        "values": dict(request.values),
        "start": request.start,
        "override": override_body(request),
        "warnings": list(plan_warnings(evaluation)),
        "expiring": [
            [fact.concept, fact.until, fact.measured] for fact in expiring_facts(evaluation)
        ],
        "versions": evidence_versions(entry, reading.resources),
        "earlier": earlier_plans(reading, protocol),
        "refused": sorted(reading.record.refused),
    }


def request_of(body: Mapping[str, Any]) -> PlanRequest:
    """Return what the clinician asked for, of a kept draft."""
    kept = body["override"]
    # Drafts of earlier versions hold the reason alone.
    given = {"reason": kept} if isinstance(kept, str) else kept or {}
    return PlanRequest(body["values"], body["start"], given.get("reason"), given.get("kind"))


def override_body(request: PlanRequest) -> dict[str, str | None] | None:
    """Return an override as a draft's body keeps it; None without one."""
    if request.override_reason is None:
        return None
    return {"reason": request.override_reason, "kind": request.override_kind}


def evidence_versions(
    entry: Mapping[str, Any], resources: Mapping[str, Resource]
) -> dict[str, str]:
    """Return the version of every resource that the answers rest on; '' where it has none."""
    references = dict.fromkeys(
        evidence["reference"]
        for criterion in entry["criteria"]
        for evidence in criterion.get("evidence", ())
        if evidence.get("reference") in resources
    )
    return {
        reference: str(resources[reference].get("meta", {}).get("versionId", ""))
        for reference in references
    }


def earlier_plans(reading: Reading, protocol: ClinicalProtocol) -> list[dict[str, Any]]:
    """Return what a page says of the protocol's active plans, each with its `parts`.

    A part has reference, title, status and version, and why it `stays` when the plan is replaced:
    '' when it ends with the plan.
    """
    return [
        {
            **earlier_plan(plan),
            "parts": [
                {
                    "reference": part.reference,
                    "title": part.title,
                    "status": part.status,
                    "version": part.version,
                    "stays": part.stays,
                }
                for part in reading.plan_parts.get(reference_of(plan), ())
            ],
        }
        for plan in reading.plans_of(protocol)
    ]


def earlier_plan(plan: Resource) -> dict[str, str]:
    """Return what a page says of an active plan: reference, version, title, dates."""
    period = plan.get("period", {})
    return {
        "reference": reference_of(plan),
        "version": str(plan.get("meta", {}).get("versionId", "")),
        "title": str(plan.get("title", "Care plan")),
        "start": str(period.get("start", "")),
        "end": str(period.get("end", "")),
    }
