"""`PlanDefinition/$apply`: evaluate, then plan (http://hl7.org/fhir/R4/plandefinition-operation-apply.html)."""

from collections.abc import Mapping
from types import MappingProxyType

from ivfhir.errors import NoPlanError, ParameterError
from ivfhir.evaluate import Evaluation, evaluate_protocol
from ivfhir.expressions.values import Date, DateTime
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.plan import PlanInputs, build_care_plan
from ivfhir.read import PatientRecord

NOT_OVERRIDABLE = "an override cannot change that"


def apply(
    protocol: ClinicalProtocol,
    record: PatientRecord,
    *,
    as_of: DateTime,
    start: Date,
    parameters: Mapping[str, object] = MappingProxyType({}),
    override_reason: str | None = None,
) -> Resource:
    """Return the draft CarePlan alone: see `evaluate_and_plan`."""
    _, care_plan = evaluate_and_plan(
        protocol,
        record,
        as_of=as_of,
        start=start,
        parameters=parameters,
        override_reason=override_reason,
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
) -> tuple[Evaluation, Resource]:
    """Return the evaluation, and the draft CarePlan it gives, with all it holds contained.

    Args:
        protocol: from `ivfhir.knowledge.load`.
        record: what was read about the patient.
        as_of: the instant of the evaluation; later data does not count.
        start: day 0 of the first segment, or whatever the protocol's `Start` means.
        parameters: the protocol's other parameters, typed; those left out take their defaults.
        override_reason: why a plan is wanted although the status is ineligible or indeterminate.

    Raises:
        ParameterError: values out of their bounds; the message has a sentence for each.
        NoPlanError: the status, or a death, allows no plan; the message says why.
        EvaluationError: a define fails on this patient's data.
    """
    given = {"Start": start, **parameters}
    if override_reason is not None:
        given["OverrideReason"] = override_reason
    evaluation = evaluate_protocol(protocol, record, as_of=as_of, parameters=given)
    problems = evaluation.session.value("Parameter_Problems")
    if problems:
        raise ParameterError(" ".join(problems))
    if evaluation.session.value("Plan_Allowed") is not True:
        raise NoPlanError(why_no_plan(evaluation, override_reason))
    inputs = PlanInputs(
        subject={"reference": evaluation.patient.reference},
        as_of=str(as_of),
        decision=evaluation.decision.to_json(),
        parameters={name: str(value) for name, value in given.items() if name != "OverrideReason"},
        override_reason=override_reason,
    )
    care_plan = build_care_plan(
        protocol.plan_definition, protocol.activity_definitions, evaluation.session.value, inputs
    )
    return evaluation, care_plan


def why_no_plan(evaluation: Evaluation, override_reason: str | None) -> str:
    """Return the sentence that tells why there is no plan, and what could be done.

    Args:
        evaluation: one whose `Plan_Allowed` is not true.
        override_reason: what was given; a blank one counts as none.
    """
    decision = evaluation.decision.to_json()
    name = decision["id"]
    if evaluation.session.value("Deceased"):
        return f"{name}: the patient has died; there is no plan, and {NOT_OVERRIDABLE}."
    because = f"{name} is {decision['status']}{_culprits(decision)}"
    if decision["status"] == "not-applicable":
        return f"{because}; there is no plan, and {NOT_OVERRIDABLE}."
    if override_reason is not None:
        return f"{because}, and the override reason is blank; say why with --override-reason TEXT."
    return (
        f"{because}. For a plan all the same, give the reason with --override-reason TEXT; "
        "the plan will show it."
    )


def _culprits(decision: Resource) -> str:
    lists = [
        f"{name} {', '.join(decision[name])}" for name in ("failed", "unknown") if decision[name]
    ]
    return f" ({'; '.join(lists)})" if lists else ""
