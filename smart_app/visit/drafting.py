"""A draft: the plan that a protocol gives for a reading, with what was shown beside it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ivfhir.dosing.offer import Offer
from ivfhir.dosing.propose import NoDoseError
from ivfhir.errors import NoPlanError, ParameterError, UnknownProtocolError
from ivfhir.evaluate import evaluate_protocol
from ivfhir.expressions.values import Date
from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import GOAL, REQUEST_GROUP, Resource
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.parameters import typed_parameters
from ivfhir.plan import PlannedCare, plan_options, plan_without_regimen
from ivfhir.prescribe import REGIMEN, regimens_for
from ivfhir.settle import expiring_facts, plan_warnings
from ivfhir.writing.bundle import value_of
from smart_app.smart.launch import Launch
from smart_app.visit.documents import earlier_documents
from smart_app.visit.draft import DraftContent, PlanRequest
from smart_app.visit.evaluated import record_evaluation
from smart_app.visit.reading import Reading
from smart_app.visit.regimens import (
    confirmed_in,
    levels_in,
    offer_rows,
    split_values,
    statement_words,
)


class RegimenRefusedError(NoPlanError):
    """The regimen that was chosen gives no dose in this plan; the message says why.

    Args:
        message: why, in sentences.
        content: the draft without a regimen, to be shown and not to be kept.
        about: what is wrong with which dose, as a ParameterError tells it.
    """

    def __init__(
        self,
        message: str,
        content: DraftContent | None = None,
        about: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Keep the draft, and what is wrong with which dose, beside the message."""
        super().__init__(message)
        self.content = content
        self.about = about


@dataclass(frozen=True)
class Attempt:
    """What came of asking for a plan.

    Attributes:
        content: the draft; None where it is refused.
        shown: the plan without its regimen, to be shown where the regimen alone is refused.
        refusal: why it is refused, '' where it is not.
        of_regimen: the refusal is the regimen's.
        about: what is wrong with which dose of the regimen.
    """

    content: DraftContent | None
    shown: DraftContent | None = None
    refusal: str = ""
    of_regimen: bool = False
    about: Mapping[str, str] = field(default_factory=dict)


def try_draft(
    launch: Launch,
    protocol: ClinicalProtocol,
    reading: Reading,
    request: PlanRequest,
    *,
    more: Sequence[tuple[str, str]],
) -> Attempt:
    """Return the draft of a plan, or why there is none; the arguments are those of `draft_plan`."""
    try:
        return Attempt(draft_plan(launch, protocol, reading, request, more=more))
    except RegimenRefusedError as error:
        return Attempt(None, error.content, error.message, of_regimen=True, about=error.about)
    except ParameterError as error:
        return Attempt(None, refusal=error.message)


def draft_plan(
    launch: Launch,
    protocol: ClinicalProtocol,
    reading: Reading,
    request: PlanRequest,
    *,
    more: Sequence[tuple[str, str]],
) -> DraftContent:
    """Return the draft of a plan; that it was asked for stands in the audit trail.

    Args:
        launch: whose record it is.
        protocol: the protocol.
        reading: the record.
        request: what the clinician asked for.
        more: the banner's further terms, kept so that the review shows what was seen.

    Raises:
        ParameterError: a value is of the wrong type or out of its bounds.
        NoPlanError: the status allows no plan.
        RegimenRefusedError: there is a plan, but the regimen gives no dose in it.
    """
    start = Date.parse(request.start)
    if start is None:
        raise ParameterError("The start (Start) must be a date.")

    record_evaluation(launch, reading.record, [protocol], as_of=reading.as_of, request=request)

    def plan(parameters: Mapping[str, str]) -> PlannedCare:
        return plan_without_regimen(
            protocol,
            reading.record,
            as_of=reading.as_of,
            start=start,
            parameters=typed_parameters(protocol, parameters),
            override_reason=request.override_reason,
            override_kind=request.override_kind,
        )

    def offers_in(planned: PlannedCare) -> tuple[Offer, ...]:
        chosen = request.values
        return planned.offers(choices=levels_in(chosen), confirmed=confirmed_in(chosen))

    own, _ = split_values(protocol, {**request.values, REGIMEN: ""})
    plain = plan(own)
    offers = offers_in(plain)
    if not offers:
        # Some protocols ask for drugs only where a regimen says which.
        for regimen in regimens_for(protocol, plain.asked):
            with suppress(ParameterError):
                offers = offers_in(plan({**own, REGIMEN: regimen.id}))
                break

    def content(planned: PlannedCare, confirmed: Sequence[str] = ()) -> DraftContent:
        return _content(
            protocol, reading, request, planned, more=more, offers=offers, confirmed=confirmed
        )

    try:
        own, prescription = split_values(protocol, request.values)
        if prescription is None:
            return content(plain)
        planned = plan(own)
        return content(planned, planned.prescribe(prescription).confirmed)
    except (NoDoseError, ParameterError, UnknownProtocolError) as error:
        said = error.plain if isinstance(error, NoDoseError) else error.message
        about = error.about if isinstance(error, ParameterError) else {}
        raise RegimenRefusedError(said, content(plain), about) from error


def _content(
    protocol: ClinicalProtocol,
    reading: Reading,
    request: PlanRequest,
    planned: PlannedCare,
    *,
    more: Sequence[tuple[str, str]],
    offers: Sequence[Offer],
    confirmed: Sequence[str],
) -> DraftContent:
    evaluation = planned.evaluation
    entry = evaluation.decision.to_json()
    return DraftContent(
        care_plan=planned.care_plan,
        decision=entry,
        as_of=reading.decision["asOf"],
        subject=reading.decision["patient"],
        patient=reading.record.patient,
        more=tuple(more),
        read_at=reading.read_at,
        entries=len(reading.record.resources) + 1,
        request=request,
        warnings=tuple(plan_warnings(evaluation)),
        expiring=tuple(
            (fact.concept, fact.until, fact.measured) for fact in expiring_facts(evaluation)
        ),
        versions=evidence_versions(entry, reading.resources),
        earlier=tuple(earlier_plans(reading, protocol)),
        refused=tuple(sorted(reading.record.refused)),
        offers=offer_rows(offers),
        confirmed=statement_words(confirmed),
        documents=earlier_documents(reading, protocol),
        plans_unread=reading.plans_unread,
    )


def option_statuses(protocol: ClinicalProtocol, reading: Reading) -> dict[tuple[str, str], str]:
    """Return the status of each value of what a plan leaves to choose (mode, site, base).

    By the name of the parameter and the value; empty where the protocol leaves nothing to choose.
    """
    if not protocol.choices:
        return {}
    evaluation = evaluate_protocol(protocol, reading.record, as_of=reading.as_of)
    return plan_options(evaluation)


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

    `inside` is how many orders a plan contains: these end with it. A part has reference, title,
    status and version, and why it `stays` when the plan is replaced: '' when it ends with the plan.
    """
    return [
        {
            **earlier_plan(plan),
            "inside": sum(
                each.get("resourceType") not in (GOAL, REQUEST_GROUP)
                for each in plan.get("contained", ())
            ),
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
    """Return what a page says of an active plan: reference, version, title, dates.

    `plan` is its identifier: by it a draft knows what an earlier try of its own left.
    """
    period = plan.get("period", {})
    return {
        "reference": reference_of(plan),
        "version": str(plan.get("meta", {}).get("versionId", "")),
        "title": str(plan.get("title", "Care plan")),
        "start": str(period.get("start", "")),
        "end": str(period.get("end", "")),
        "plan": value_of(plan) or "",
    }
