"""What the views share: the reading of the launch, cards, links, the frame of the page."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flask import abort, current_app, request, url_for

from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, Resource
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.wording import dates, words
from smart_app.pages.answers import Answered, read_answer
from smart_app.pages.culprits import find_culprits
from smart_app.pages.facts import Fact, FactWriter
from smart_app.pages.frame import (
    Frame,
    as_of_words,
    patient_banner,
    read_words,
    strength_of,
)
from smart_app.pages.parameters import Field, read_choices, read_fields
from smart_app.pages.protocol_card import ProtocolCard, read_card
from smart_app.pages.replacing import document_title
from smart_app.services import services
from smart_app.smart.launch import Launch
from smart_app.store import Draft
from smart_app.visit.documents import earlier_documents
from smart_app.visit.draft import DraftContent
from smart_app.visit.drafting import earlier_plan
from smart_app.visit.reading import PLANS_REFUSED, Reading, Readings
from smart_app.visit.visit import Visit

MODE = "mode"
"""The choice whose options are a protocol's modes."""

STEPS = ("Protocols", "Why", "Plan", "Review", "Receipt", "Written plan")
"""The steps, as the line under the banner names them."""

_READINGS = "ivfhir.readings"


def visit_of(launch: Launch) -> Visit:
    """Return the visit of a launch."""
    readings: Readings = current_app.extensions.setdefault(_READINGS, Readings())
    return Visit(launch, readings)


def reading_of(launch: Launch) -> Reading:
    """Return the launch's reading, read now when none is kept."""
    return visit_of(launch).reading()


def protocol_of(protocol_id: str) -> ClinicalProtocol:
    """Return the protocol of that id, or answer that there is no such page."""
    protocol = services().protocols.get(protocol_id)
    if protocol is None:
        abort(404)
    return protocol


def card_of(protocol: ClinicalProtocol) -> ProtocolCard:
    """Return what a protocol says of itself."""
    modes = (each.options for each in protocol.choices if each.name == MODE)
    return read_card(protocol.plan_definition, protocol.id, next(modes, {}))


def answer_of(launch: Launch, reading: Reading, protocol: ClinicalProtocol) -> Answered:
    """Return what a protocol answers in a reading, with the facts that block."""
    entry = reading.of_protocol(protocol.id)
    if entry is None:
        abort(404)
    writer = writer_for(launch, reading.resources, reading.record.refused)
    culprits = find_culprits(protocol, reading, entry, writer)
    return read_answer(entry, card_of(protocol), writer, culprits)


def writer_for(
    launch: Launch, resources: Mapping[str, Resource], refused: Collection[str] = ()
) -> FactWriter:
    """Return what turns evidence into facts with links to our pages."""
    return FactWriter(resources, lambda reference: record_href(launch, reference), refused)


def record_href(launch: Launch, reference: str) -> str:
    """Return the address of our page of a `Type/id`."""
    resource_type, _, resource_id = reference.rpartition("/")
    return url_for(
        "pages.record",
        launch=launch.id,
        resource_type=resource_type.rpartition("/")[2],
        resource_id=resource_id,
    )


def written_href(launch: Launch, reference: str) -> str:
    """Return the address of the page that shows a `CarePlan/id` as a plan."""
    return url_for("pages.written", launch=launch.id, plan_id=reference.rpartition("/")[2])


def fields_of(
    protocol: ClinicalProtocol,
    values: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    statuses: Mapping[tuple[str, str], str] | None = None,
) -> tuple[Field, ...]:
    """Return the fields of a protocol's choices and parameters.

    Args:
        protocol: whose.
        values: what was given, by name.
        errors: what is wrong, by name.
        statuses: name and value of each option -> its status for this patient.
    """
    return (
        *read_choices(protocol.choices, values, errors or {}, statuses or {}),
        *read_fields(protocol.parameters, values, errors or {}),
    )


def earlier_plans(launch: Launch, plans: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return active plans as the pages list them, each with the page that shows it as a plan."""
    return [
        {
            **plan,
            "href": written_href(launch, plan["reference"]),
            "when": " to ".join(
                part for part in (dates.day(plan["start"]), dates.day(plan["end"])) if part
            ),
        }
        for plan in plans
    ]


def earlier_of(
    launch: Launch, reading: Reading, protocol: ClinicalProtocol | None = None
) -> list[dict[str, str]]:
    """Return the active plans of one protocol, or of all."""
    plans = reading.plans if protocol is None else reading.plans_of(protocol)
    return earlier_plans(launch, [earlier_plan(plan) for plan in plans])


@dataclass(frozen=True)
class NamedDocuments:
    """What a page says of the current documents of plans.

    `title` stands above them; each line has title, reference and address of one.
    """

    title: str
    lines: tuple[Mapping[str, str], ...]


def named_documents(
    launch: Launch,
    documents: Iterable[Mapping[str, str]],
    *,
    of: str = "this protocol",
    others: bool = False,
) -> NamedDocuments | None:
    """Return documents of plans as the pages list them; None for none.

    Args:
        launch: the launch.
        documents: as `visit.documents.earlier_documents` gives them.
        of: the protocols whose plans they are of, in words.
        others: whether they are of other plans than the one that the page is about.
    """
    lines = tuple(
        {
            "title": document_title(each),
            "reference": each["reference"],
            "href": record_href(launch, each["reference"]),
        }
        for each in documents
    )
    if not lines:
        return None
    if len(lines) == 1:
        said = f"A document of {'another' if others else 'a'} plan of {of} is"
    else:
        said = f"{len(lines)} documents of {'other ' if others else ''}plans of {of} are"
    return NamedDocuments(f"{said} already in the record", lines)


def documents_in(
    launch: Launch, reading: Reading, protocol: ClinicalProtocol | None = None, *, but: str = ""
) -> NamedDocuments | None:
    """Return the documents of one protocol's plans, or of all, as the record holds them.

    Args:
        launch: the launch.
        reading: the record.
        protocol: the protocol.
        but: id of the draft that a page is about: a document of an earlier try is of its plan.
    """
    every = [protocol] if protocol is not None else list(launch.app.protocols.values())
    found = [each for one in every for each in earlier_documents(reading, one) or ()]
    others = {each["reference"]: each for each in found if not but or each["plan"] != but}
    of = "these protocols" if protocol is None else "this protocol"
    return named_documents(launch, others.values(), of=of)


def unread_types(reading: Reading) -> list[tuple[str, str]]:
    """Return what could not be read, in words, and why, for technical staff."""
    unread = []
    for kind, reason in reading.record.unread.items():
        refused = kind in reading.record.refused
        part = [words.record_part(kind)]
        says = words.not_read([] if refused else part, part if refused else [])
        why = words.in_words(words.unread_reason(reason))
        unread.append((f"{words.capitalise(says)}. Nothing was judged from it.", why))
    if reading.plans_unread == PLANS_REFUSED:
        unread.append((PLANS_REFUSED, ""))
    elif reading.plans_unread:
        says = "Whether an active plan is already in the record is not known."
        unread.append((says, words.in_words(reading.plans_unread)))
    if reading.documents_unread:
        says = "Whether a document of a plan is already in the record is not known."
        unread.append((says, words.in_words(reading.documents_unread)))
    return unread


def unread_help(reading: Reading) -> str:
    """Return what to do about what could not be read; '' when all was read."""
    refused = reading.record.refused
    kinds = dict.fromkeys(reading.record.unread)
    if reading.plans_unread:
        kinds[CARE_PLAN] = None
    if reading.documents_unread:
        kinds[DOCUMENT_REFERENCE] = None
    if reading.plans_unread == PLANS_REFUSED:
        refused |= {CARE_PLAN}
    if kinds and not reading.record.unread and not refused & kinds.keys():
        return "Read the record again before a plan is made."
    return words.what_helps(
        [words.record_part(kind) for kind in kinds if kind not in refused],
        [words.record_part(kind) for kind in kinds if kind in refused],
    )


def evidence_facts(entries: Iterable[Mapping[str, Any]], writer: FactWriter) -> list[Fact]:
    """Return every fact of the protocols' criteria."""
    return [
        fact
        for entry in entries
        for criterion in entry.get("criteria", ())
        for fact in writer.facts(criterion)
    ]


def frame_of_reading(
    launch: Launch, reading: Reading, *, here: str, protocol: ClinicalProtocol | None = None
) -> Frame:
    """Return the frame of a page that shows the launch's reading.

    Args:
        launch: the launch.
        reading: what the page shows.
        here: the step the page is.
        protocol: the one protocol it is about, None for all.
    """
    facts = evidence_facts(reading.decision["protocols"], writer_for(launch, reading.resources))
    every = [protocol] if protocol else services().protocols.values()
    about = [each for each in every if reading.of_protocol(each.id) is not None]
    plans = reading.plans_of(protocol) if protocol else reading.plans
    return Frame(
        patient=patient_banner(reading.record.patient, reading.decision, facts),
        read=read_words(
            launch.local(reading.read_at),
            len(reading.record.resources) + 1,
            launch.local(launch.now()),
        ),
        as_of=as_of_words(reading.decision["asOf"]),
        protocols=", ".join(f"{entry.id} {entry.version}" for entry in about),
        strength=strength_of(card_of(about[0]) if len(about) == 1 else None),
        steps=steps(
            launch,
            here,
            protocol=protocol,
            plan_reference=reference_of(plans[0]) if len(plans) == 1 else "",
        ),
        read_again=here_again(launch, read="again"),
    )


def here_again(launch: Launch, **more: str) -> str:
    """Return the address of the page that is shown, of its query only the draft, and `more`."""
    kept = {name: request.args[name] for name in ("draft",) if name in request.args}
    arguments: dict[str, Any] = {**(request.view_args or {}), **kept, **more, "launch": launch.id}
    return url_for(str(request.endpoint), **arguments)


def frame_of_draft(launch: Launch, draft: Draft, protocol: ClinicalProtocol, *, here: str) -> Frame:
    """Return the frame of a page that shows what a draft was made from."""
    content = DraftContent.of_body(draft.body)
    decision = {"asOf": content.as_of, "patient": content.subject}
    banner = replace(patient_banner(content.patient, decision), more=content.more)
    return Frame(
        patient=banner,
        read=read_words(launch.local(content.read_at), content.entries, launch.local(launch.now())),
        as_of=as_of_words(content.as_of),
        protocols=f"{protocol.id} {content.decision['version']}",
        strength=strength_of(card_of(protocol)),
        steps=steps(launch, here, protocol=protocol, draft=draft),
        read_again=None,
    )


def steps(
    launch: Launch,
    here: str,
    *,
    protocol: ClinicalProtocol | None = None,
    draft: Draft | None = None,
    plan_reference: str = "",
) -> tuple[tuple[str, str | None, bool], ...]:
    """Return label, address and whether it is this page, of every step.

    Args:
        launch: the launch.
        here: the step the page is.
        protocol: the protocol it is about.
        draft: the draft it is about.
        plan_reference: the plan of it that is in the record, '' for none or for several.
    """
    addresses: dict[str, str] = {"Protocols": url_for("pages.match", launch=launch.id)}
    if protocol is not None:
        addresses["Why"] = url_for("pages.why", launch=launch.id, protocol=protocol.id)
    if draft is not None and protocol is not None and draft.state == "draft":
        addresses["Plan"] = url_for(
            "pages.plan", launch=launch.id, protocol=protocol.id, draft=draft.id
        )
        addresses["Review"] = url_for("pages.review", launch=launch.id, draft_id=draft.id)
    elif draft is not None:
        addresses["Receipt"] = url_for("pages.receipt", launch=launch.id, draft_id=draft.id)
        plan_reference = written_reference(launch, draft)
    if plan_reference:
        addresses["Written plan"] = written_href(launch, plan_reference)
    return tuple((label, addresses.get(label), label == here) for label in STEPS)


def written_reference(launch: Launch, draft: Draft) -> str:
    """Return the reference of the CarePlan that a draft was written as, '' when it was not."""
    if draft.state != "written":
        return ""
    receipt = services().store.load_receipt(launch.id, draft.id)
    entries = receipt.body.get("entries", ()) if receipt else ()
    return next((str(each["reference"]) for each in entries if each["type"] == CARE_PLAN), "")


def today_of(as_of: str) -> date:
    """Return the calendar day of an instant for which answers hold."""
    day = dates.parse_day(as_of)
    if day is None:
        raise ValueError("asOf has no day")
    return day
