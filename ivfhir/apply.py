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
from ivfhir.settle import SETTINGS, optional_list, plan_warnings

_OVERRIDE = ("OverrideReason", "OverrideKind")
NOT_OVERRIDABLE = "an override cannot change that"


def apply(
    protocol: ClinicalProtocol,
    record: PatientRecord,
    *,
    as_of: DateTime,
    start: Date,
    parameters: Mapping[str, object] = MappingProxyType({}),
    override_reason: str | None = None,
    override_kind: str | None = None,
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

    Raises:
        ParameterError: values out of their bounds; the message has a sentence for each.
        NoPlanError: the status, or a death, allows no plan; the message says why.
        EvaluationError: a define fails on this patient's data.
    """
    given = {"Start": start, **parameters}
    if override_reason is not None:
        given["OverrideReason"] = override_reason
    if override_kind is not None:
        given["OverrideKind"] = override_kind
    evaluation = evaluate_protocol(protocol, record, as_of=as_of, parameters=given)
    problems = evaluation.session.value("Parameter_Problems")
    if problems:
        raise ParameterError(" ".join(problems))
    if evaluation.session.value("Plan_Allowed") is not True:
        raise NoPlanError(why_no_plan(evaluation))
    inputs = PlanInputs(
        subject={"reference": evaluation.patient.reference},
        as_of=str(as_of),
        decision=evaluation.decision.to_json(),
        parameters={name: str(value) for name, value in given.items() if name not in _OVERRIDE},
        override_reason=override_reason,
        override_kind=override_kind,
        settings=tuple(map(str, optional_list(evaluation, SETTINGS))),
        warnings=plan_warnings(evaluation),
    )
    care_plan = build_care_plan(
        protocol.plan_definition, protocol.activity_definitions, evaluation.session.value, inputs
    )
    return evaluation, care_plan


def why_no_plan(evaluation: Evaluation) -> str:
    """Return the sentence that tells why there is no plan, and what could be done.

    Args:
        evaluation: one whose `Plan_Allowed` is not true.
    """
    decision = evaluation.decision.to_json()
    name = decision["id"]
    if evaluation.patient.deceased:
        return f"{name}: the patient has died; there is no plan, and {NOT_OVERRIDABLE}."
    because = f"{name} is {decision['status']}{_culprits(decision)}"
    if decision["status"] == "not-applicable":
        return f"{because}; there is no plan, and {NOT_OVERRIDABLE}."
    return (
        f"{because}. For a plan all the same, give the reason with --override-reason TEXT, in at "
        "least 20 characters; the plan will show it."
    )


def _culprits(decision: Resource) -> str:
    lists = [
        f"{name} {', '.join(decision[name])}" for name in ("failed", "unknown") if decision[name]
    ]
    return f" ({'; '.join(lists)})" if lists else ""
