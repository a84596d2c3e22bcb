"""What the stage evaluate says: answers with their evidence, and the JSON promised for them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from ivfhir.errors import IvfhirError
from ivfhir.fhir.outcome import operation_outcome
from ivfhir.fhir.types import Json, Resource
from ivfhir.knowledge.criteria import INCLUSION
from ivfhir.knowledge.overlay import Overlay


class Truth(Enum):
    """A criterion's own value."""

    TRUE = True
    FALSE = False
    UNKNOWN = None


class Answer(Enum):
    """Whether a criterion stands in favour of treatment."""

    MET = "met"
    NOT_MET = "not-met"
    UNKNOWN = "unknown"


def answer_of(kind: str, truth: Truth) -> Answer:
    """Return what a truth means for treatment: an inclusion wants TRUE, every other kind FALSE.

    Args:
        kind: one of `ivfhir.knowledge.criteria.KINDS`.
        truth: the criterion's own value.
    """
    if truth is Truth.UNKNOWN:
        return Answer.UNKNOWN
    wanted = Truth.TRUE if kind == INCLUSION else Truth.FALSE
    return Answer.MET if truth is wanted else Answer.NOT_MET


class Evidence(NamedTuple):
    """A value that an answer rests on.

    Attributes:
        reference: the resource, `Observation/o1`.
        concept: key of the data dictionary, `platelets`.
        value: number, boolean or code, as in the resource; None for a range.
        comparator: `<`, `<=`, `>=` or `>`, None for an exact value.
        low: lowest possible value of a range, in `unit`.
        high: highest possible value of a range, in `unit`.
        unit: UCUM code.
        date: the effective time, as written.
        age_days: whole days before the evaluation.
    """

    reference: str | None
    concept: str | None
    value: Decimal | int | bool | str | None
    comparator: str | None
    low: Decimal | None
    high: Decimal | None
    unit: str | None
    date: str | None
    age_days: int | None

    def to_json(self) -> Resource:
        """Return the members that have something to say."""
        members: Resource = {
            "reference": self.reference,
            "concept": self.concept,
            "value": self.value,
            "comparator": self.comparator,
            "low": self.low,
            "high": self.high,
            "unit": self.unit,
            "date": self.date,
            "ageDays": self.age_days,
        }
        return {name: value for name, value in members.items() if value is not None}


class Criterion(NamedTuple):
    """One criterion with its answer and its grounds (rule E-15).

    `unread` are the resource types that it needs and that could not be read to their end: then
    nothing was judged, and nothing is known to be missing. `mode` is the mode of the protocol in
    which it is asked so; None where it holds for all of them.
    """

    id: str
    kind: str
    title: str
    rule: str
    source: str
    truth: Truth
    evidence: tuple[Evidence, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    unread: tuple[str, ...] = ()
    mode: str | None = None

    @property
    def answer(self) -> Answer:
        """Whether it stands in favour of treatment."""
        return answer_of(self.kind, self.truth)

    def to_json(self) -> Resource:
        """Return the promised JSON."""
        unread: Resource = {"unread": list(self.unread)} if self.unread else {}
        mode: Resource = {} if self.mode is None else {"mode": self.mode}
        return {
            "id": self.id,
            **mode,
            "kind": self.kind,
            "title": self.title,
            "rule": self.rule,
            "source": self.source,
            "truth": self.truth.value,
            "answer": self.answer.value,
            "evidence": [each.to_json() for each in self.evidence],
            "missing": list(self.missing),
            **unread,
            "notes": list(self.notes),
        }


class Mode(NamedTuple):
    """One way of carrying out a protocol, with its own status and lists (rule E-02)."""

    id: str
    status: str
    failed: tuple[str, ...]
    unknown: tuple[str, ...]

    def to_json(self) -> Resource:
        """Return the promised JSON."""
        return {
            "id": self.id,
            "status": self.status,
            "failed": list(self.failed),
            "unknown": list(self.unknown),
        }


@dataclass(frozen=True)
class ProtocolDecision:
    """A protocol's status and lists (rule E-02), and its criteria in the specification's order.

    Where it has modes, the status is the best of them, `failed` and `unknown` what they all share.
    """

    id: str
    version: str
    status: str
    failed: tuple[str, ...]
    unknown: tuple[str, ...]
    cautions: tuple[str, ...]
    not_assessable: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    modes: tuple[Mode, ...] = ()

    @property
    def behind(self) -> frozenset[str]:
        """The modes that are worse than the best one: what fails there blocks only there."""
        return frozenset(each.id for each in self.modes if each.status != self.status)

    def in_mode(self, name: str | None) -> "ProtocolDecision":
        """Return the decision as it stands in one mode; itself where there is none of that name."""
        mode = next((each for each in self.modes if each.id == name), None)
        if mode is None:
            return self
        return replace(
            self,
            status=mode.status,
            failed=mode.failed,
            unknown=mode.unknown,
            criteria=tuple(each for each in self.criteria if each.mode in (None, name)),
            modes=(mode,),
        )

    def to_json(self) -> Resource:
        """Return the promised JSON."""
        modes: Resource = {"modes": [each.to_json() for each in self.modes]} if self.modes else {}
        return {
            "id": self.id,
            "version": self.version,
            "status": self.status,
            **modes,
            "failed": list(self.failed),
            "unknown": list(self.unknown),
            "cautions": list(self.cautions),
            "notAssessable": list(self.not_assessable),
            "criteria": [each.to_json() for each in self.criteria],
        }


@dataclass(frozen=True)
class ProtocolFailure:
    """A protocol that gives no answer: it could not be loaded, or failed on the patient's data.

    `version` is None where not even that could be read.
    """

    id: str
    version: str | None
    error: IvfhirError

    def to_json(self) -> Resource:
        """Return the promised JSON."""
        version: Resource = {} if self.version is None else {"version": self.version}
        return {"id": self.id, **version, "outcome": operation_outcome(self.error)}


@dataclass(frozen=True)
class PatientState:
    """What is to be known about the patient before anything else.

    Attributes:
        reference: `Patient/p`.
        deceased: no plan can be made; None when no protocol could tell.
        deceased_date: as written; None when it is not recorded.
        notes: sentences about the record as a whole.
    """

    reference: str
    deceased: bool | None
    deceased_date: str | None
    notes: tuple[str, ...]

    def to_json(self) -> Resource:
        """Return the promised JSON."""
        members: Resource = {"reference": self.reference}
        if self.deceased is not None:
            members["deceased"] = self.deceased
        if self.deceased_date is not None:
            members["deceasedDate"] = self.deceased_date
        if self.notes:
            members["notes"] = list(self.notes)
        return members


@dataclass(frozen=True)
class Decision:
    """Every protocol's decision about one patient.

    Attributes:
        as_of: the instant of the evaluation, with milliseconds and offset.
        patient: the patient's state.
        protocols: in the order asked for, what failed in its place.
        route: into a vein or into the target's artery, a code of B.7; None where no rule of the
            route is here, or where it fails.
        route_error: why the rule of the route gives none; None where it does, or is not here.
        overlay: the site's that applied; None for none.
    """

    as_of: str
    patient: PatientState
    protocols: Sequence[ProtocolDecision | ProtocolFailure]
    route: str | None = None
    route_error: IvfhirError | None = None
    overlay: Overlay | None = None

    @property
    def answered(self) -> list[ProtocolDecision]:
        """The protocols that gave an answer."""
        return [each for each in self.protocols if isinstance(each, ProtocolDecision)]

    @property
    def failures(self) -> list[ProtocolFailure]:
        """The protocols that gave none."""
        return [each for each in self.protocols if isinstance(each, ProtocolFailure)]

    def to_json(self) -> Json:
        """Return the promised JSON."""
        error = self.route_error
        return {
            "asOf": self.as_of,
            "patient": self.patient.to_json(),
            "protocols": [each.to_json() for each in self.protocols],
            **({} if self.route is None else {"route": self.route}),
            **({} if error is None else {"routeOutcome": operation_outcome(error)}),
            **({} if self.overlay is None else {"overlay": self.overlay.to_json()}),
        }
