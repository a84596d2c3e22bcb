"""A decision as text for a terminal, in the order and the words of the clinician's pages.

First the answer and what is in the way, then what is missing, cautions, and what is met; every
number with unit, date and age; ids last.
"""

import textwrap
from collections.abc import Iterator, Sequence

from ivfhir.decision import Answer, Criterion, Decision, Evidence, ProtocolDecision
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.justification import justification
from ivfhir.knowledge.load import ClinicalProtocol

WIDTH = 100
STATUS_WORDS = {
    "eligible": "Eligible",
    "indeterminate": "Cannot tell",
    "ineligible": "Not eligible",
    "not-applicable": "Does not apply",
}
KIND_WORDS = {
    "inclusion": "requirement",
    "contraindication-absolute": "contraindication",
    "caution": "caution",
}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_SHOWN_FIRST = ("nature", "standard-treatment", "evidence")


def decision_text(decision: Decision, protocols: Sequence[ClinicalProtocol]) -> str:
    """Return the decision as lines of at most 100 characters where words allow it.

    Args:
        decision: what evaluate returns.
        protocols: those of the decision, for their titles and their fixed texts.
    """
    lines = [f"{decision.patient.reference}, as of {written_date(decision.as_of)}"]
    if decision.patient.deceased:
        when = decision.patient.deceased_date
        on = f" on {written_date(when)}" if when else ""
        lines.append(f"Recorded as died{on}. No plan can be made.")
    lines += [line for note in decision.patient.notes for line in _wrapped(f"Note: {note}", "")]
    by_id = {protocol.id: protocol for protocol in protocols}
    for each in decision.protocols:
        lines += ["", *_protocol(each, by_id[each.id].title, by_id[each.id].plan_definition)]
    return "\n".join(lines)


def written_date(text: str) -> str:
    """Return a FHIR date or dateTime as `28 Feb 2025`, `Feb 2025`, `2025`, with its time if any."""
    moment = DateTime.parse(text)
    if moment is None:
        return text
    year, *rest = moment.parts[:3]
    day = " ".join([str(n) for n in rest[1:]] + [_MONTHS[m - 1] for m in rest[:1]] + [f"{year:04}"])
    clock = text.partition("T")[2]
    return f"{day} {clock}" if clock else day


def _protocol(decision: ProtocolDecision, title: str, plan_definition: Resource) -> Iterator[str]:
    yield f"{STATUS_WORDS.get(decision.status, decision.status)}: {title}"
    for label in _SHOWN_FIRST:
        yield from _wrapped(justification(plan_definition, label), "  ")
    for heading, criteria in _sections(decision):
        if criteria:
            yield f"  {heading}: {len(criteria)}"
            for criterion in criteria:
                yield from _criterion(criterion)
    yield f"  ({decision.id} {decision.version})"


def _sections(decision: ProtocolDecision) -> Iterator[tuple[str, list[Criterion]]]:
    """Yield each section's heading and criteria: blocks, unread, open, cautions, met."""

    def chosen(answer: Answer, *, cautions: bool, unread: bool = False) -> list[Criterion]:
        return [
            each
            for each in decision.criteria
            if each.answer is answer
            and (each.kind == "caution") is cautions
            and bool(each.unread) is unread
        ]

    yield "Blocks", chosen(Answer.NOT_MET, cautions=False)
    unread = chosen(Answer.UNKNOWN, cautions=False, unread=True)
    yield "Could not be read, nothing judged from it", unread
    yield "Cannot be judged", chosen(Answer.UNKNOWN, cautions=False)
    yield "Cautions", chosen(Answer.NOT_MET, cautions=True)
    yield "Cautions not assessed", chosen(Answer.UNKNOWN, cautions=True)
    unassessed = chosen(Answer.UNKNOWN, cautions=True, unread=True)
    yield "Cautions not assessed, since they could not be read", unassessed
    yield "Met", chosen(Answer.MET, cautions=False)
    yield "Cautions not present", chosen(Answer.MET, cautions=True)


def _criterion(criterion: Criterion) -> Iterator[str]:
    kind = KIND_WORDS.get(criterion.kind, criterion.kind)
    yield from _wrapped(f"- {criterion.title} ({kind}, {criterion.id})", "    ", deeper="  ")
    if criterion.answer is not Answer.MET:
        yield from _wrapped(f"Rule: {criterion.rule} [{criterion.source}]", "      ")
    if criterion.unread:
        yield from _wrapped(f"Not read: {', '.join(criterion.unread)}", "      ")
    if criterion.missing:
        yield from _wrapped(f"To obtain: {', '.join(criterion.missing)}", "      ")
    for evidence in criterion.evidence:
        yield from _wrapped(_evidence(evidence), "      ", deeper="  ")
    for note in criterion.notes:
        yield from _wrapped(f"Note: {note}", "      ", deeper="  ")


def _evidence(evidence: Evidence) -> str:
    words = [evidence.concept or "", *_value(evidence)]
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
