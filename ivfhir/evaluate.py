"""Stage 2, evaluate: every criterion of a protocol answered for one patient.

There is no clinical rule here: criteria, status and lists are defines of the protocol's CQL.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from ivfhir.decision import (
    Criterion,
    Decision,
    Evidence,
    Mode,
    PatientState,
    ProtocolDecision,
    ProtocolFailure,
    Truth,
)
from ivfhir.errors import EvaluationError, IvfhirError, UsageError
from ivfhir.expressions.elm import DefineKey, Session
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.types import PATIENT
from ivfhir.knowledge.criteria import CAUTION, ROW
from ivfhir.knowledge.load import BrokenProtocol, ClinicalProtocol
from ivfhir.knowledge.overlay import Overlay
from ivfhir.knowledge.route import BrokenRoute, RouteRule
from ivfhir.read import PatientRecord
from ivfhir.sitting import Sitting, open_sittings

MODES = "Modes"
"""Define of the modes, optional: `LIVER_Modes`."""

NO_PARAMETERS: Mapping[str, object] = MappingProxyType({})
TRUTHS = {truth.value: truth for truth in Truth}
_ALL_READ: Mapping[str, str] = MappingProxyType({})
_OF_ROW = itemgetter("id", "kind", "title", "rule", "source", "truth", "missing", "notes", "mode")
_OF_GROUNDS = itemgetter(
    "reference",
    "concept",
    "number",
    "boolean",
    "code",
    "comparator",
    "low",
    "high",
    "unit",
    "date",
    "ageDays",
)


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
    protocols: Iterable[ClinicalProtocol | BrokenProtocol],
    *,
    as_of: DateTime,
    parameters: Mapping[str, object] = NO_PARAMETERS,
    route: RouteRule | BrokenRoute | None = None,
) -> Decision:
    """Return the decisions of all protocols about one patient, each fact computed once for all.

    A protocol that could not be loaded, or that fails on this patient's data, has its failure in
    its place; it stops no other.

    Args:
        record: what was read.
        protocols: at least one.
        as_of: the instant of the evaluation.
        parameters: by name; each protocol takes those that it declares.
        route: the rule of the route, of one program with the protocols; None leaves it out. One
            that is broken, or fails on this patient's data, says why, and stops nothing.

    Raises:
        UsageError: there is no protocol.
    """
    asked = list(protocols)
    if not asked:
        raise UsageError("Name at least one protocol.")
    loaded = [each for each in asked if isinstance(each, ClinicalProtocol)]
    given = {
        name: value
        for name, value in parameters.items()
        if any(name in each.library.parameters for each in loaded)
    }
    judged: list[ClinicalProtocol | RouteRule] = [*loaded]
    if isinstance(route, RouteRule):
        judged.append(route)
    opened = open_sittings(judged, record, {"AsOf": as_of, **given})
    sittings = iter(opened)
    rows = Rows()
    answers: list[ProtocolDecision | ProtocolFailure] = []
    states: dict[object, PatientState] = {}
    for protocol in asked:
        if isinstance(protocol, BrokenProtocol):
            answers.append(ProtocolFailure(protocol.id, protocol.version, protocol.error))
            continue
        sitting = next(sittings)
        try:
            answers.append(_decision(protocol, sitting, rows))
        except EvaluationError as error:
            answers.append(ProtocolFailure(protocol.id, protocol.version, error))
        facts = (protocol.library.program, protocol.facts)
        if facts not in states:
            with suppress(EvaluationError):
                states[facts] = _patient(protocol, record, sitting.session)
    which, why = _route(route, opened)
    overlay = next((each.overlay for each in asked if each.overlay is not None), None)
    state = _one_state(record, [*states.values()])
    return Decision(str(as_of), state, answers, which, why, overlay)


def evaluate_protocol(
    protocol: ClinicalProtocol,
    record: PatientRecord,
    *,
    as_of: DateTime,
    parameters: Mapping[str, object] = NO_PARAMETERS,
) -> Evaluation:
    """Return one protocol's decision, and the session that can tell more.

    Args:
        protocol: from `ivfhir.knowledge.load`.
        record: what was read.
        as_of: the instant of the evaluation.
        parameters: the protocol's own, by name, in CQL values.

    Raises:
        EvaluationError: a define failed on this patient's data.
    """
    [sitting] = open_sittings([protocol], record, {"AsOf": as_of, **parameters})
    decision = _decision(protocol, sitting, Rows())
    return Evaluation(
        protocol, sitting.session, decision, _patient(protocol, record, sitting.session)
    )


def _route(
    route: RouteRule | BrokenRoute | None, opened: Sequence[Sitting]
) -> tuple[str | None, IvfhirError | None]:
    """Return the code of the route, or why there is none; its sitting is the last."""
    if not isinstance(route, RouteRule):
        return None, None if route is None else route.error
    try:
        return str(opened[-1].session.value("ROUTE_Route")), None
    except EvaluationError as error:
        return None, error


def _one_state(record: PatientRecord, states: Sequence[PatientState]) -> PatientState:
    """Return the patient's state, with what any protocol notes; without one, nothing is known."""
    if not states:
        return PatientState(_reference(record), None, None, record.notes)
    notes = dict.fromkeys(note for state in states for note in state.notes)
    return replace(states[0], notes=tuple(notes))


class Rows:
    """What the rows of one patient's sessions say, each read once: protocols share most of them.

    A row is known by its identity, so the sessions must outlive this.
    """

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._criteria: dict[int, Criterion] = {}
        self._evidence: dict[int, Evidence] = {}

    def criteria(
        self,
        rows: Iterable[tuple[DefineKey, Mapping[str, Any]]],
        unread: Callable[[DefineKey, Mapping[str, Any]], Mapping[str, str]] | None,
        overlay: Overlay | None = None,
        derived: Collection[DefineKey] = (),
    ) -> tuple[Criterion, ...]:
        """Return criteria, of their defines and rows; what is unread goes with the define.

        An overlay's numbers stand in title and rule, with the specification's beside them, and in
        the titles that notes of derived criteria name. `unread` is None where all was read.
        """
        known = self._criteria
        found = []
        for define, row in rows:
            criterion = known.get(id(row))
            if criterion is None:
                grounds = tuple(map(self._grounds, row["evidence"])) if row["evidence"] else ()
                criterion = _criterion(row, grounds, unread(define, row) if unread else _ALL_READ)
                if overlay is not None:
                    title, rule = overlay.reword(define[1], criterion.title, criterion.rule)
                    notes = criterion.notes
                    if define in derived:
                        notes = tuple(map(overlay.reword_titles, notes))
                    criterion = criterion._replace(title=title, rule=rule, notes=notes)
                known[id(row)] = criterion
            found.append(criterion)
        return tuple(found)

    def _grounds(self, each: Mapping[str, Any]) -> Evidence:
        found = self._evidence.get(id(each))
        if found is None:
            found = self._evidence[id(each)] = _evidence(each)
        return found


def _decision(protocol: ClinicalProtocol, sitting: Sitting, rows: Rows) -> ProtocolDecision:
    session, name = sitting.session, protocol.library.name

    def unread(define: DefineKey, row: Mapping[str, Any]) -> Mapping[str, str]:
        own = sitting.unread.get(define, _ALL_READ)
        if own or row["truth"] is not None or define not in protocol.derived:
            return own
        return _unread_of_bases(protocol, sitting)

    return ProtocolDecision(
        id=protocol.id,
        version=protocol.version,
        status=session.value(f"{name}_Status"),
        failed=tuple(session.value(f"{name}_Failed")),
        unknown=tuple(session.value(f"{name}_Unknown")),
        cautions=tuple(session.value(f"{name}_Cautions")),
        not_assessable=tuple(session.value(f"{name}_NotAssessable")),
        criteria=rows.criteria(
            zip(protocol.criteria, session.value(f"{name}_Criteria"), strict=True),
            unread if sitting.unread else None,
            protocol.overlay,
            protocol.derived,
        ),
        modes=_modes(session.value(f"{name}_{MODES}")) if _has(protocol, MODES) else (),
    )


def _unread_of_bases(protocol: ClinicalProtocol, sitting: Sitting) -> Mapping[str, str]:
    """Return type -> why it could not be read, of the bases' criteria that decide of a status."""
    found: dict[str, str] = {}
    for define in protocol.base_criteria:
        why = sitting.unread.get(define)
        if why:
            library, name = define
            row: Any = sitting.session.of(library).value(f"{name}{ROW}")
            if row["kind"] != CAUTION:
                found |= why
    return dict(sorted(found.items()))


def _has(protocol: ClinicalProtocol, name: str) -> bool:
    return protocol.library.has(f"{protocol.library.name}_{name}")


def _modes(rows: Iterable[Mapping[str, Any]]) -> tuple[Mode, ...]:
    return tuple(
        Mode(row["id"], row["status"], tuple(row["failed"]), tuple(row["unknown"])) for row in rows
    )


def _criterion(
    row: Mapping[str, Any], evidence: tuple[Evidence, ...], unread: Mapping[str, str]
) -> Criterion:
    id_, kind, title, rule, source, truth, missing, notes, mode = _OF_ROW(row)
    told = tuple(dict.fromkeys(notes)) if notes else ()
    if unread:
        missing, told = (), (*unread.values(), *told)
    return Criterion(
        id_,
        kind,
        title,
        rule,
        source,
        TRUTHS[truth],
        evidence,
        tuple(dict.fromkeys(missing)) if missing else (),
        told,
        tuple(unread),
        mode,
    )


def _evidence(each: Mapping[str, Any]) -> Evidence:
    reference, concept, value, yes, code, comparator, low, high, unit, date, days = _OF_GROUNDS(
        each
    )
    if value is None:
        value = code if yes is None else yes
    written = None if date is None else str(date)
    return Evidence(reference, concept, value, comparator, low, high, unit, written, days)


def _patient(protocol: ClinicalProtocol, record: PatientRecord, session: Session) -> PatientState:
    died = session.value("Deceased_Date", protocol.facts)
    return PatientState(
        reference=_reference(record),
        deceased=session.value("Deceased", protocol.facts) is True,
        deceased_date=None if died is None else str(died),
        notes=(*record.notes, *(session.value("Patient_Notes", protocol.facts) or ())),
    )


def _reference(record: PatientRecord) -> str:
    return f"{PATIENT}/{record.patient['id']}"
