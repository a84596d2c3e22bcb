"""A decision as text for a terminal, in the order and the words of the clinician's pages.

First the answer and what is in the way, then what could not be read, what is missing, what the
record leaves open, cautions, and what is met; every number with unit, date and age; ids last.
"""

import textwrap
from collections.abc import Iterator, Sequence

from ivfhir.decision import (
    Answer,
    Criterion,
    Decision,
    Evidence,
    Mode,
    ProtocolDecision,
    ProtocolFailure,
)
from ivfhir.expressions.values import DateTime
from ivfhir.knowledge.criteria import CAUTION, CONTRAINDICATION, INCLUSION
from ivfhir.knowledge.justification import justification
from ivfhir.knowledge.load import BrokenProtocol, ClinicalProtocol
from ivfhir.wording.concepts import IN_RECORD, concept
from ivfhir.wording.dates import MONTHS
from ivfhir.wording.needs import needs
from ivfhir.wording.record_parts import record_part
from ivfhir.wording.routes import ROUTES
from ivfhir.wording.sentences import decapitalise, join
from ivfhir.wording.statuses import STATUS

WIDTH = 100
NOT_APPLICABLE = "not-applicable"
KIND_WORDS = {
    INCLUSION: "requirement",
    CONTRAINDICATION: "contraindication",
    CAUTION: "caution",
}
_SHOWN_FIRST = ("nature", "standard-treatment", "evidence")


def decision_text(
    decision: Decision, protocols: Sequence[ClinicalProtocol | BrokenProtocol]
) -> str:
    """Return the decision as lines of at most 100 characters where words allow it.

    Args:
        decision: what evaluate returns.
        protocols: those of the decision, in its order, for their titles and their fixed texts.
    """
    lines = [f"{decision.patient.reference}, as of {written_date(decision.as_of)}"]
    if decision.patient.deceased:
        when = decision.patient.deceased_date
        on = f" on {written_date(when)}" if when else ""
        lines.append(f"Recorded as died{on}. No plan can be made.")
    if decision.overlay is not None:
        lines += _wrapped(decision.overlay.applied, "")
    lines += [line for note in decision.patient.notes for line in _wrapped(f"Note: {note}", "")]
    for each, protocol in zip(decision.protocols, protocols, strict=True):
        if isinstance(each, ProtocolDecision) and isinstance(protocol, ClinicalProtocol):
            lines += ["", *_protocol(each, protocol, alive=not decision.patient.deceased)]
        elif isinstance(each, ProtocolFailure):
            lines += ["", *_wrapped(f"No answer: {protocol.title}", "")]
            lines += _wrapped(each.error.message, "  ")
            lines.append(f"  ({' '.join(filter(None, (each.id, each.version)))})")
    if decision.route in ROUTES and not decision.patient.deceased:
        lines += ["", *_wrapped("Route: " + " ".join(_route(decision.route)), "")]
    if decision.route_error is not None:
        lines += ["", "No answer: route", *_wrapped(decision.route_error.message, "  ")]
    return "\n".join(lines)


def _route(code: str) -> tuple[str, str]:
    heading, text = ROUTES[code]
    return f"{decapitalise(heading)}.", text


def written_date(text: str) -> str:
    """Return a FHIR date or dateTime as `28 Feb 2025`, `Feb 2025`, `2025`, with its time if any."""
    moment = DateTime.parse(text)
    if moment is None:
        return text
    year, *rest = moment.parts[:3]
    day = " ".join([str(n) for n in rest[1:]] + [MONTHS[m - 1] for m in rest[:1]] + [f"{year:04}"])
    clock = text.partition("T")[2]
    return f"{day} {clock}" if clock else day


def _protocol(
    decision: ProtocolDecision, protocol: ClinicalProtocol, *, alive: bool
) -> Iterator[str]:
    yield f"{STATUS.get(decision.status, decision.status)}: {protocol.title}"
    for mode in decision.modes:
        yield from _wrapped(_mode(mode, decision, protocol), "  ", deeper="  ")
    for label in _SHOWN_FIRST:
        yield from _wrapped(justification(protocol.plan_definition, label), "  ")
    applies = decision.status != NOT_APPLICABLE
    for heading, criteria in _sections(decision) if applies else _informing(decision):
        if criteria:
            yield f"  {heading}: {len(criteria)}"
            for criterion in criteria:
                yield from _criterion(criterion, obtain=applies and alive)
    yield f"  ({decision.id} {decision.version})"


def _mode(mode: Mode, decision: ProtocolDecision, protocol: ClinicalProtocol) -> str:
    """Return a mode's status, and what stands in its way."""
    names = (each.options.get(mode.id) for each in protocol.choices)
    name = next((each for each in names if each), mode.id)
    of_mode = {each.id: each.title for each in decision.criteria if each.mode in (None, mode.id)}
    why = [
        f"{words} {join([decapitalise(of_mode[each]) for each in ids])}"
        for words, ids in (("fails:", mode.failed), ("cannot be judged:", mode.unknown))
        if ids and mode.status != NOT_APPLICABLE
    ]
    return f"{name}: {'; '.join([decapitalise(STATUS[mode.status]), *why])}"


def _sections(decision: ProtocolDecision) -> Iterator[tuple[str, list[Criterion]]]:
    """Yield each section's heading and criteria: blocks, not read, missing, open, cautions, met."""

    def chosen(answer: Answer, *, cautions: bool) -> list[Criterion]:
        return [
            each
            for each in decision.criteria
            if each.answer is answer
            and (each.kind == CAUTION) is cautions
            and each.mode not in decision.behind
        ]

    unknown = chosen(Answer.UNKNOWN, cautions=False)
    yield "Blocks", chosen(Answer.NOT_MET, cautions=False)
    yield "Could not be read", [each for each in unknown if each.unread]
    yield "Missing", [each for each in unknown if each.missing]
    yield (
        "Left open by the record",
        [each for each in unknown if not (each.unread or each.missing)],
    )
    yield "Cautions", chosen(Answer.NOT_MET, cautions=True)
    yield "Cautions not assessed", chosen(Answer.UNKNOWN, cautions=True)
    yield "Met", chosen(Answer.MET, cautions=False)
    yield "Cautions not raised", chosen(Answer.MET, cautions=True)


def _informing(decision: ProtocolDecision) -> Iterator[tuple[str, list[Criterion]]]:
    """Yield the anchor, and the rest for information: nothing blocks a protocol without it."""
    failed = [each for each in decision.criteria if each.id in decision.failed]
    anchor = (failed or list(decision.criteria))[0]
    others = [each for each in decision.criteria if each is not anchor]
    yield "Why it does not apply", [anchor]
    yield (
        "Answered otherwise, for information",
        [each for each in others if each.answer is not Answer.MET],
    )
    yield "Met", [each for each in others if each.answer is Answer.MET]


def _criterion(criterion: Criterion, *, obtain: bool) -> Iterator[str]:
    kind = KIND_WORDS.get(criterion.kind, criterion.kind)
    yield from _wrapped(f"- {criterion.title} ({kind}, {criterion.id})", "    ", deeper="  ")
    if criterion.answer is not Answer.MET:
        yield from _wrapped(f"Rule: {criterion.rule} [{criterion.source}]", "      ")
    if criterion.unread:
        parts = join([record_part(each) for each in criterion.unread])
        yield from _wrapped(f"Could not be read, nothing judged from it: {parts}", "      ")
    if criterion.missing and obtain:
        yield from _wrapped(f"To obtain: {'; '.join(_to_obtain(criterion))}", "      ", deeper="  ")
    for evidence in criterion.evidence:
        yield from _wrapped(_evidence(evidence), "      ", deeper="  ")
    for note in criterion.notes:
        yield from _wrapped(f"Note: {note}", "      ", deeper="  ")


def _to_obtain(criterion: Criterion) -> list[str]:
    """Return each need by its name, with how to obtain it."""
    return [
        f"{need.name} ({need.how})" if need.how else need.name for need in needs(criterion.missing)
    ]


def _evidence(evidence: Evidence) -> str:
    key = evidence.concept
    words = [IN_RECORD.get(key) or concept(key) if key else "", *_value(evidence)]
    if evidence.date is not None:
        words.append(f"on {written_date(evidence.date)}")
    if evidence.age_days is not None:
        words.append(
            f"({evidence.age_days} {'day' if abs(evidence.age_days) == 1 else 'days'} old)"
        )
    if evidence.reference is not None:
        words.append(evidence.reference)
    return " ".join(word for word in words if word)


def _value(evidence: Evidence) -> Iterator[str]:
    if isinstance(evidence.value, bool):
        yield "yes" if evidence.value else "no"
    elif evidence.value is not None:
        yield f"{evidence.comparator or ''}{evidence.value}"
    elif evidence.low is not None or evidence.high is not None:
        low = "?" if evidence.low is None else str(evidence.low)
        high = "?" if evidence.high is None else str(evidence.high)
        yield low if low == high else f"{low} to {high}"
    if evidence.unit is not None:
        yield evidence.unit


def _wrapped(text: str, indent: str, *, deeper: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + deeper,
        break_long_words=False,
        break_on_hyphens=False,
    )
