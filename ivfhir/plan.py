"""Stage 3, plan: the gate of our protocols, then `$apply`: a decision becomes a draft CarePlan.

Which actions there are, and when, comes from the protocol, and so does whether a plan is allowed;
nothing here knows one.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from ivfhir.activity import Origin
from ivfhir.activity.dynamic_value import ValueOf
from ivfhir.apply import Grounds, apply, values_of
from ivfhir.decision import Answer, ProtocolDecision
from ivfhir.dosing.offer import Offer
from ivfhir.dosing.proposal import DoseProposal
from ivfhir.errors import NoPlanError, ParameterError
from ivfhir.evaluate import Evaluation, evaluate_protocol
from ivfhir.expressions.values import Date, DateTime
from ivfhir.fhir.types import CONDITION, PATIENT, Resource
from ivfhir.knowledge.criteria import INCLUSION
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.knowledge.overlay import Overlay
from ivfhir.override import override_words
from ivfhir.prescribe import Prescription, offers_of, prescribe
from ivfhir.read import PatientRecord
from ivfhir.settle import SETTINGS, optional_list, plan_warnings

ANSWERS = {Answer.MET: "met", Answer.NOT_MET: "not met", Answer.UNKNOWN: "unknown"}
NOT_OVERRIDABLE = "an override cannot change that"
OPTIONS = "Plan_Options"
"""Define, optional: what a plan leaves to choose, each value with its status."""
STATUS = "Plan_Status"
"""Define, optional: the status that decides of a plan, where it follows from a choice."""
_OVERRIDE = ("OverrideReason", "OverrideKind")


@dataclass(frozen=True)
class PlanInputs:
    """What a plan is made for, beside the protocol.

    Attributes:
        subject: Reference to the Patient.
        as_of: FHIR dateTime of the evaluation.
        decision: the protocol's answer.
        parameters: the parameters that were given, as text.
        override_reason: why a plan is drafted although the status is not eligible.
        override_kind: what kind of reason that is, a key of `OVERRIDE_KINDS`.
        settings: the parameters that hold, in words, where the protocol words them.
        warnings: what the dates mean for the protocol's goals, a sentence each.
        overlay: the site's that applied; None for none.
    """

    subject: Resource
    as_of: str
    decision: ProtocolDecision
    parameters: Mapping[str, str]
    override_reason: str | None = None
    override_kind: str | None = None
    settings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    overlay: Overlay | None = None


def draft_plan(
    protocol: ClinicalProtocol,
    record: PatientRecord,
    *,
    as_of: DateTime,
    start: Date,
    parameters: Mapping[str, object] = MappingProxyType({}),
    override_reason: str | None = None,
    override_kind: str | None = None,
    prescription: Prescription | None = None,
) -> Resource:
    """Return the draft CarePlan alone: see `evaluate_and_plan`."""
    _, care_plan = evaluate_and_plan(
        protocol,
        record,
        as_of=as_of,
        start=start,
        parameters=parameters,
        override_reason=override_reason,
        override_kind=override_kind,
        prescription=prescription,
    )
    return care_plan


def evaluate_and_plan(
    protocol: ClinicalProtocol,
    record: PatientRecord,
    *,
    as_of: DateTime,
    start: Date,
    parameters: Mapping[str, object] = MappingProxyType({}),
    override_reason: str | None = None,
    override_kind: str | None = None,
    prescription: Prescription | None = None,
) -> tuple[Evaluation, Resource]:
    """Return the evaluation, and the draft CarePlan it gives, with all it holds contained.

    Args:
        protocol: from `ivfhir.knowledge.load`.
        record: what was read about the patient.
        as_of: the instant of the evaluation; later data does not count.
        start: day 0 of the first segment, or whatever the protocol's `Start` means.
        parameters: the protocol's other parameters, typed; those left out take their defaults.
        override_reason: why a plan is wanted although the status is ineligible or indeterminate.
        override_kind: what kind of reason that is, a key of `ivfhir.override.OVERRIDE_KINDS`.
        prescription: the regimen whose drugs and doses go into the plan, and what was chosen in it.

    Raises:
        ParameterError: values out of their bounds; the message has a sentence for each.
        NoPlanError: the status, or a death, allows no plan; the message says why.
        EvaluationError: a define fails on this patient's data.
    """
    planned = plan_without_regimen(
        protocol,
        record,
        as_of=as_of,
        start=start,
        parameters=parameters,
        override_reason=override_reason,
        override_kind=override_kind,
    )
    if prescription is not None:
        planned.prescribe(prescription)
    return planned.evaluation, planned.care_plan


@dataclass(frozen=True)
class PlannedCare:
    """A draft plan with what it was made of, before and after a regimen is put into it.

    Attributes:
        evaluation: of its protocol.
        care_plan: the draft, with all it holds contained.
        asked: the parameters, those that alone fit among them.
        day: the day of the evaluation.
    """

    evaluation: Evaluation
    care_plan: Resource
    asked: Mapping[str, object]
    day: date

    def offers(
        self, *, choices: Mapping[str, Decimal], confirmed: Collection[str]
    ) -> tuple[Offer, ...]:
        """Return what each regimen that serves the plan would give: see `offers_of`."""
        return offers_of(
            self.care_plan,
            self.evaluation,
            as_of=self.day,
            asked=self.asked,
            choices=choices,
            confirmed=confirmed,
        )

    def prescribe(self, prescription: Prescription) -> DoseProposal:
        """Put a regimen's drugs and doses into the plan: see `prescribe`."""
        return prescribe(
            self.care_plan, self.evaluation, prescription, as_of=self.day, asked=self.asked
        )


def plan_without_regimen(
    protocol: ClinicalProtocol,
    record: PatientRecord,
    *,
    as_of: DateTime,
    start: Date,
    parameters: Mapping[str, object] = MappingProxyType({}),
    override_reason: str | None = None,
    override_kind: str | None = None,
) -> PlannedCare:
    """Return the draft plan before a regimen is put into it: see `evaluate_and_plan`."""
    given = {"Start": start, **parameters}
    if override_reason is not None:
        given["OverrideReason"] = override_reason
    if override_kind is not None:
        given["OverrideKind"] = override_kind
    evaluation = evaluate_protocol(protocol, record, as_of=as_of, parameters=given)
    only = only_fitting(evaluation, given)
    if only:
        given |= only
        evaluation = evaluate_protocol(protocol, record, as_of=as_of, parameters=given)
    mode = given.get("mode")
    if mode is not None:
        evaluation = replace(evaluation, decision=evaluation.decision.in_mode(str(mode)))
    problems = evaluation.session.value("Parameter_Problems")
    if problems:
        raise ParameterError(" ".join(problems))
    if evaluation.session.value("Plan_Allowed") is not True:
        raise NoPlanError(why_no_plan(evaluation))
    inputs = PlanInputs(
        subject={"reference": evaluation.patient.reference},
        as_of=str(as_of),
        decision=evaluation.decision,
        parameters={name: str(value) for name, value in given.items() if name not in _OVERRIDE},
        override_reason=override_reason,
        override_kind=override_kind,
        settings=tuple(map(str, optional_list(evaluation, SETTINGS))),
        warnings=plan_warnings(evaluation),
        overlay=protocol.overlay,
    )
    value_of = values_of(protocol.libraries, evaluation.session)
    care_plan = build_care_plan(
        protocol.plan_definition, protocol.activity_definitions, value_of, inputs
    )
    return PlannedCare(evaluation, care_plan, given, date(*as_of.parts[:3]))


def only_fitting(evaluation: Evaluation, given: Mapping[str, object]) -> dict[str, str]:
    """Return the value of each choice that was not made and that one value alone fits.

    A protocol with choices (mode, site, base) says by its define `Plan_Options` what each value's
    status is.

    Args:
        evaluation: of the protocol.
        given: the parameters that were given.
    """
    fitting: dict[str, list[str]] = {}
    for (name, value), status in plan_options(evaluation).items():
        if status == "eligible":
            fitting.setdefault(name, []).append(value)
    return {
        name: values[0]
        for name, values in fitting.items()
        if len(values) == 1 and given.get(name) is None
    }


def plan_options(evaluation: Evaluation) -> dict[tuple[str, str], str]:
    """Return name and value of what a plan leaves to choose -> its status for this patient."""
    return {
        (str(each["parameter"]), str(each["value"])): str(each["status"])
        for each in optional_list(evaluation, OPTIONS)
    }


def why_no_plan(evaluation: Evaluation) -> str:
    """Return the sentence that tells why there is no plan, and what could be done.

    Args:
        evaluation: one whose `Plan_Allowed` is not true.
    """
    decision = evaluation.decision
    in_mode = [each.id for each in decision.modes] if len(decision.modes) == 1 else []
    name = " in mode ".join([decision.id, *in_mode])
    if evaluation.patient.deceased:
        return f"{name}: the patient has died; there is no plan, and {NOT_OVERRIDABLE}."
    because = f"{name} is {decision.status}{_culprits(decision)}"
    status = _status_of_plan(evaluation)
    if status != decision.status:
        because = f"{name} for {_chosen(evaluation)} is {status}{_culprits(decision)}"
    if status == "not-applicable":
        return f"{because}; there is no plan, and {NOT_OVERRIDABLE}."
    return (
        f"{because}. For a plan all the same, give the reason with --override-reason TEXT, in at "
        "least 20 characters; the plan will show it."
    )


def _status_of_plan(evaluation: Evaluation) -> str:
    """Return the status that the gate asks: that of what was chosen, else the protocol's."""
    if STATUS not in evaluation.protocol.library.defines:
        return evaluation.decision.status
    return str(evaluation.session.value(STATUS))


def _chosen(evaluation: Evaluation) -> str:
    options = optional_list(evaluation, OPTIONS)
    return ", ".join(f"{each['parameter']} {each['value']}" for each in options if each["chosen"])


def _culprits(decision: ProtocolDecision) -> str:
    named = (("failed", decision.failed), ("unknown", decision.unknown))
    lists = [f"{name} {', '.join(ids)}" for name, ids in named if ids]
    return f" ({'; '.join(lists)})" if lists else ""


def build_care_plan(
    plan_definition: Resource,
    activities: Mapping[str, Resource],
    value_of: ValueOf,
    inputs: PlanInputs,
) -> Resource:
    """Return the draft CarePlan, with what the decision rests on and what a reader must see.

    Args:
        plan_definition: the PlanDefinition.
        activities: canonical -> ActivityDefinition.
        value_of: returns the CQL value of an expression for this patient.
        inputs: patient, time, decision and parameters.

    Raises:
        UnsupportedError: an activity of a kind that we do not draft.
        EvaluationError: a define fails on this patient's data.
    """
    reasons, supporting = _references(inputs.decision)
    origin = Origin(inputs.subject, inputs.as_of, reasons)
    grounds = Grounds(origin, supporting, _notes(plan_definition, inputs))
    care_plan = apply(plan_definition, activities, value_of, grounds)
    if inputs.overlay is not None:
        care_plan["instantiatesUri"] = [inputs.overlay.canonical]
    return care_plan


def _references(decision: ProtocolDecision) -> tuple[list[Resource], list[Resource]]:
    """Return the conditions that met inclusions rest on, and every other resource of evidence."""
    reasons: dict[str, None] = {}
    evidence: dict[str, None] = {}
    for criterion in decision.criteria:
        met = criterion.kind == INCLUSION and criterion.answer is Answer.MET
        for each in criterion.evidence:
            if each.reference is not None:
                is_reason = met and each.reference.startswith(f"{CONDITION}/")
                (reasons if is_reason else evidence)[each.reference] = None
    others = [
        each for each in evidence if each not in reasons and not each.startswith(f"{PATIENT}/")
    ]
    return [{"reference": each} for each in reasons], [{"reference": each} for each in others]


def _notes(plan_definition: Resource, inputs: PlanInputs) -> list[str]:
    """Return what a reader must see: an override, the protocol's justification, what is special."""
    notes = [] if inputs.overlay is None else [inputs.overlay.applied]
    if inputs.override_reason is not None:
        notes.append(_override(inputs, inputs.override_reason))
    notes += [
        each["display"]
        for each in plan_definition.get("relatedArtifact", [])
        if each["type"] == "justification"
    ]
    notes += inputs.warnings
    if inputs.settings:
        notes.append(f"Settings: {'; '.join(inputs.settings)}.")
    elif inputs.parameters:
        given = ", ".join(f"{name} {value}" for name, value in inputs.parameters.items())
        notes.append(f"Parameters: {given}; others by default.")
    by_id = {criterion.id: criterion for criterion in inputs.decision.criteria}
    for caution in inputs.decision.cautions:
        notes.append(f"Caution: {by_id[caution].title}. {by_id[caution].rule}")
    if inputs.decision.not_assessable:
        titles = "; ".join(by_id[each].title for each in inputs.decision.not_assessable)
        notes.append(f"Cautions that could not be assessed: {titles}.")
    return notes


def _override(inputs: PlanInputs, reason: str) -> str:
    decision = inputs.decision
    overridden = [
        f"{criterion.title} ({criterion.id}, {ANSWERS[criterion.answer]})"
        for criterion in decision.criteria
        if criterion.id in (*decision.failed, *decision.unknown)
    ]
    if not overridden:
        return f"{override_words(inputs.override_kind, reason)}; no criterion needed it."
    return (
        f"{override_words(inputs.override_kind, reason)}; status {decision.status}; "
        f"criteria overridden: {', '.join(overridden)}."
    )
