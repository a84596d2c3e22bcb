"""Our evaluator, as a caller of the library uses it."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.evaluate.engine import Answers, Measured
from benchmarks.evaluate.patients import AS_OF
from ivfhir.decision import Decision, ProtocolDecision
from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.json import loads
from ivfhir.knowledge.load import BrokenProtocol, ClinicalProtocol, load_asked, load_protocols
from ivfhir.knowledge.registry import Registry
from ivfhir.knowledge.route import BrokenRoute, RouteRule, load_route
from ivfhir.read import PatientRecord


@dataclass(frozen=True)
class Knowledge:
    """What is decided about each patient, of one program."""

    protocols: Sequence[ClinicalProtocol]
    route: RouteRule | None = None

    @property
    def asked(self) -> list[ClinicalProtocol | RouteRule]:
        """The protocols, then the rule of the route where there is one."""
        return [*self.protocols, *([] if self.route is None else [self.route])]

    @property
    def names(self) -> list[str]:
        """What each of them is called."""
        return [each.library.name for each in self.asked]


def some_protocols(*references: str) -> Knowledge:
    """Return protocols without the route."""
    return Knowledge(_whole(load_asked(references)))


def every_protocol() -> Knowledge:
    """Return all protocols that are here, and the rule of the route.

    Raises:
        KnowledgeError: one of them is broken.
    """
    registry = Registry()
    protocols = _whole(load_protocols(registry).values())
    route = load_route(registry)
    if isinstance(route, BrokenRoute):
        raise route.error
    return Knowledge(protocols, route)


def _whole(found: Iterable[ClinicalProtocol | BrokenProtocol]) -> list[ClinicalProtocol]:
    """Return the protocols.

    Raises:
        KnowledgeError: one of them is broken.
    """
    protocols = []
    for each in found:
        if isinstance(each, BrokenProtocol):
            raise each.error
        protocols.append(each)
    return protocols


class OurEvaluator:
    """From JSON text to the decision, in this process."""

    def __init__(self, patients: Sequence[bytes], knowledge: Knowledge) -> None:
        """Keep what is decided about whom."""
        self._patients = patients
        self._knowledge = knowledge
        self._as_of = DateTime.parse(AS_OF)

    def answers(self) -> Answers:
        """Return for each patient one text for each protocol."""
        return [_shown(self._decide(patient)) for patient in self._patients]

    def run_for(self, seconds: float) -> Measured:
        """Decide patients for so long."""
        start = now = time.perf_counter()
        done = 0
        while now < start + seconds:
            self._decide(self._patients[done % len(self._patients)])
            done += 1
            now = time.perf_counter()
        return Measured(done, now - start)

    def _decide(self, patient: bytes) -> Decision:
        assert self._as_of is not None
        bundle = loads(patient.decode(), place="the patient")
        assert isinstance(bundle, dict)
        first, *others = (entry["resource"] for entry in bundle["entry"])
        record = PatientRecord(first, tuple(others), {})
        known = self._knowledge
        return evaluate(record, known.protocols, as_of=self._as_of, route=known.route)


def _shown(decision: Decision) -> tuple[str, ...]:
    """Return the answers; of a protocol that failed why, which no engine says."""
    texts = [
        _protocol(each) if isinstance(each, ProtocolDecision) else str(each.error)
        for each in decision.protocols
    ]
    return (*texts, *([] if decision.route is None else [decision.route]))


def _protocol(decision: ProtocolDecision) -> str:
    lists = (decision.failed, decision.unknown, decision.cautions)
    modes = [
        _list([_list(each.failed), each.id, each.status, _list(each.unknown)])
        for each in decision.modes
    ]
    return "|".join([decision.status, *map(_list, lists), *([_list(modes)] if modes else [])])


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(texts)}]"
