"""Stage 2, evaluate: every criterion of a protocol answered for one patient.

There is no clinical rule here: criteria, status and lists are defines of the protocol's CQL.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ivfhir.choices import with_single_choices
from ivfhir.decision import (
    Criterion,
    Decision,
    Evidence,
    PatientState,
    ProtocolDecision,
    Truth,
)
from ivfhir.errors import UsageError
from ivfhir.expressions.elm import DefineKey, Session
from ivfhir.expressions.index import ResourceIndex
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.types import PATIENT
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.read import PatientRecord

NO_PARAMETERS: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True)
class Evaluation:
    """A protocol evaluated for one patient.

    Attributes:
        protocol: which.
        session: answers any other define of the protocol, such as the dates of its actions.
        decision: status, lists and criteria.
        patient: the patient's state.
    """

    protocol: ClinicalProtocol
    session: Session
    decision: ProtocolDecision
    patient: PatientState


def evaluate(
    record: PatientRecord,
    protocols: Iterable[ClinicalProtocol],
    *,
    as_of: DateTime,
    parameters: Mapping[str, object] = NO_PARAMETERS,
) -> Decision:
    """Return the decisions of all protocols about one patient.

    Args:
        record: what was read.
        protocols: at least one.
        as_of: the instant of the evaluation.
        parameters: by name; each protocol takes those that it declares.

    Raises:
        UsageError: there is no protocol.
        EvaluationError: a define failed on this patient's data.
    """
    evaluations = [
        evaluate_protocol(
            protocol,
            record,
            as_of=as_of,
            parameters={k: v for k, v in parameters.items() if k in protocol.library.parameters},
        )
        for protocol in protocols
    ]
    if not evaluations:
        raise UsageError("Name at least one protocol.")
    notes = dict.fromkeys(note for each in evaluations for note in each.patient.notes)
    first = evaluations[0].patient
    patient = PatientState(first.reference, first.deceased, first.deceased_date, tuple(notes))
    return Decision(str(as_of), patient, [each.decision for each in evaluations])


def evaluate_protocol(
    protocol: ClinicalProtocol,
    record: PatientRecord,
    *,
    as_of: DateTime,
    parameters: Mapping[str, object] = NO_PARAMETERS,
) -> Evaluation:
    """Return one protocol's decision, and the session that can tell more.

    A criterion that retrieves a type which could not be read to its end is UNKNOWN, whatever its
    other parts say (rule E-03); it names the type, and the reason is one of its notes.

    Args:
        protocol: from `ivfhir.knowledge.load`.
        record: what was read.
        as_of: the instant of the evaluation.
        parameters: the protocol's own, by name, in CQL values.

    Raises:
        EvaluationError: a define failed on this patient's data.
    """
    index = ResourceIndex(
        with_single_choices(record.patient),
        map(with_single_choices, record.resources),
        protocol.value_sets,
    )
    reasons = _reasons(protocol, record.unread)
    session = protocol.library.session(
        index, parameters={"AsOf": as_of, **parameters}, preset=dict.fromkeys(reasons)
    )
    decision = _decision(protocol, session, reasons)
    return Evaluation(protocol, session, decision, _patient(protocol, record, session))


def _reasons(
    protocol: ClinicalProtocol, unread: Mapping[str, str]
) -> dict[DefineKey, dict[str, str]]:
    """Return criterion → type → why it could not be read, for those that need such a type."""
    found = {
        define: {kind: unread[kind] for kind in sorted(unread.keys() & needed)}
        for define, needed in protocol.criteria.items()
    }
    return {define: why for define, why in found.items() if why}


def _decision(
    protocol: ClinicalProtocol, session: Session, reasons: Mapping[DefineKey, Mapping[str, str]]
) -> ProtocolDecision:
    def value(name: str) -> Any:  # noqa: ANN401 - a CQL value
        return session.value(f"{protocol.library.name}_{name}")

    return ProtocolDecision(
        id=protocol.id,
        version=protocol.version,
        status=value("Status"),
        failed=tuple(value("Failed")),
        unknown=tuple(value("Unknown")),
        cautions=tuple(value("Cautions")),
        not_assessable=tuple(value("NotAssessable")),
        criteria=tuple(
            _criterion(row, reasons.get(define, {}))
            for define, row in zip(protocol.criteria, value("Criteria"), strict=True)
        ),
    )


def _criterion(row: Mapping[str, Any], unread: Mapping[str, str]) -> Criterion:
    return Criterion(
        id=row["id"],
        kind=row["kind"],
        title=row["title"],
        rule=row["rule"],
        source=row["source"],
        truth=Truth(row["truth"]),
        evidence=tuple(_evidence(each) for each in row["evidence"] or ()),
        missing=() if unread else tuple(dict.fromkeys(row["missing"] or ())),
        notes=(*unread.values(), *dict.fromkeys(row["notes"] or ())),
        unread=tuple(unread),
    )


def _evidence(each: Mapping[str, Any]) -> Evidence:
    value, date = each["number"], each["date"]
    if value is None:
        value = each["code"] if each["boolean"] is None else each["boolean"]
    return Evidence(
        each["reference"],
        each["concept"],
        value,
        each["comparator"],
        each["low"],
        each["high"],
        each["unit"],
        None if date is None else str(date),
        each["ageDays"],
    )


def _patient(protocol: ClinicalProtocol, record: PatientRecord, session: Session) -> PatientState:
    died = session.value("Deceased_Date", protocol.facts)
    return PatientState(
        reference=f"{PATIENT}/{record.patient['id']}",
        deceased=session.value("Deceased", protocol.facts) is True,
        deceased_date=None if died is None else str(died),
        notes=(*record.notes, *(session.value("Patient_Notes", protocol.facts) or ())),
    )
