"""A plan on a server that takes documents and no CarePlan: looked for, and what is to be sent.

A document is not changed: what the input changed becomes a new one that `replaces` the old.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ivfhir.errors import InputError
from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import DOCUMENT_REFERENCE, Resource
from ivfhir.pdf import why_no_pdf
from ivfhir.shape import check_shape
from ivfhir.sync.decision import (
    CONFLICT,
    CREATED,
    PARKED,
    REFUSED,
    SUPERSEDED,
    UNCHANGED,
    UPDATED,
    Decision,
    Place,
    known_as,
)
from ivfhir.sync.door import Door
from ivfhir.sync.ladder import Rung, lost_on
from ivfhir.sync.ledger import DONE
from ivfhir.sync.mapping import map_references
from ivfhir.sync.parcel import transaction, whole_plan
from ivfhir.sync.plans import SyncPlan, Token, plan_id_of, protocols_of, tokens_of
from ivfhir.sync.supersede import OPEN, judge_rivals
from ivfhir.sync.three_way import Standing, three_ways, weigh
from ivfhir.writing.bundle import revocation, value_of
from ivfhir.writing.document import (
    DOCUMENT_SYSTEM,
    document_entry,
    has_content_of,
    plan_in,
    plan_of,
    protocols_in,
    status_in,
    value_again,
)
from ivfhir.writing.earlier_documents import (
    FINAL,
    current_documents,
    is_current,
    is_preliminary,
)
from ivfhir.writing.ending import END_STATUS
from ivfhir.writing.read_back import age_of, bare, is_withdrawn, read_references

_WRONG = "entered-in-error"


def absent(plan: SyncPlan, at: Place, withdrawn: Sequence[Resource], kind: str) -> Decision | None:
    """Return why a plan that is not there as that kind is not created; None when it may be."""
    if plan.care_plan.get("status") == _WRONG:
        words = (
            "" if withdrawn else "It is marked as entered in error, and the server never had it."
        )
        return Decision(UNCHANGED if withdrawn else REFUSED, reason=words)
    known, parts = known_as(kind, plan.plan_id, at)
    if withdrawn or parts or (known is not None and known.state == DONE):
        places = (each.reference for each in parts.values())
        last = [each for each in places if each.startswith(f"{kind}/")]
        return Decision(
            CONFLICT,
            tuple(map(reference_of, withdrawn)) or tuple(last),
            reason="It was there and was deleted or marked as entered in error since; it is not "
            "sent again. If the server was emptied, begin with a new ledger.",
        )
    return None


def doubled(copies: Sequence[Resource]) -> tuple[Mapping[str, Any], ...]:
    """Return what is told of copies of a plan, which are settled before all else."""
    words = "It is a copy, and is to be marked as entered in error."
    return tuple({"reference": reference_of(each), "text": words} for each in copies)


def decide_document(
    plan: SyncPlan,
    at: Place,
    door: Door,
    patient: str,
    *,
    coming: Sequence[Resource],
    gone: set[str],
) -> Decision:
    """Return what is to be done with a plan on a server that takes documents alone.

    Args:
        plan: the plan.
        at: the server.
        door: how it is asked.
        patient: the patient there.
        coming: as for `decide`.
        gone: as for `decide`.

    Raises:
        ServerError: the server could not be asked.
    """
    own = _own_documents(door, plan)
    plan = replace(plan, plan_id=own.plan_id)  # Its identifiers may have come in another order.
    found = own.documents
    standing = [each for each in found if not is_withdrawn(each)]
    strange = [each for each in standing if _subject(each) != patient]
    if strange:
        why = "The server has this plan's document at another patient; mend that first."
        return Decision(CONFLICT, tuple(map(reference_of, strange)), reason=why)
    if own.doubt:
        return Decision(CONFLICT, tuple(map(reference_of, standing)), reason=own.doubt)
    decision = _decide_for(plan, at, door, patient, found=found, coming=coming, gone=gone)
    return replace(decision, plan_id=plan.plan_id)


def _decide_for(
    plan: SyncPlan,
    at: Place,
    door: Door,
    patient: str,
    *,
    found: Sequence[Resource],
    coming: Sequence[Resource],
    gone: set[str],
) -> Decision:
    """Return what is to be done with a plan that has these documents at the patient."""
    standing = [each for each in found if not is_withdrawn(each)]
    if plan.care_plan.get("status") == _WRONG and standing:
        return _withdraw(at, door, patient, standing)
    mapped = map_references(door, plan, patient, address=at.address)
    whole = whole_plan(mapped)
    try:
        check_shape(whole)
    except InputError as error:
        return Decision(REFUSED, reason=error.message)
    conditional = at.means.conditional
    entry = document_entry(whole, plan_id=plan.plan_id, conditional=conditional)
    value = str(value_of(entry["resource"]))
    there = _there(plan, at, standing, value=value)
    if there.value != value:
        entry = document_entry(
            whole, plan_id=plan.plan_id, conditional=conditional, value=there.value
        )
    base = Decision(UNCHANGED, parcel=transaction([entry]), patient=patient, door=door, whole=whole)
    if there.same:
        return _standing(plan, at, base, there)
    losses: list[Mapping[str, Any]] = [
        {"text": each} for each in lost_on(Rung.DOCUMENT, plan.types)
    ]
    losses += [{"reference": key, "text": why} for key, why in mapped.losses.items()]
    base = replace(base, differences=tuple(losses))
    if standing:
        return _changed(plan, at, base, there, gone)
    withdrawn = [each for each in found if is_withdrawn(each)]
    gone_before = absent(plan, at, withdrawn, DOCUMENT_REFERENCE)
    return gone_before or _new(plan, at, base, coming, gone)


class _Own(NamedTuple):
    """The documents that a plan has on a server, withdrawn ones among them.

    Attributes:
        plan_id: the plan identifier that they have there.
        documents: these; where there is a doubt, those that it is about.
        doubt: why it cannot be told which are the plan's, a sentence; '' when it can.
    """

    plan_id: str
    documents: list[Resource]
    doubt: str


def _own_documents(door: Door, plan: SyncPlan) -> _Own:
    """Return the documents of a plan, whichever of its identifiers was the first when it was sent.

    As of CarePlans: those of an identifier that another plan shares are the plan's only where
    nothing else tells the two apart.
    """
    found = {}
    for value in dict.fromkeys([plan.plan_id, *map(plan_id_of, plan.tokens)]):
        every = door.search(DOCUMENT_REFERENCE, {"identifier": f"{DOCUMENT_SYSTEM}|{value}"})
        documents = [each for each in every if plan_of(each) == value]
        if documents:
            found[value] = documents
    if not found.keys() - {plan.plan_id}:
        return _Own(plan.plan_id, found.get(plan.plan_id, []), "")
    named = {value: _tokens_in(documents) for value, documents in found.items()}
    own = set(plan.tokens)
    sure = [value for value, tokens in named.items() if tokens == own]
    likely = [
        value
        for value, tokens in named.items()
        if value == plan.plan_id or (tokens and tokens < own)
    ]
    ours = sure or likely
    standing = [
        value for value in (ours or found) if not all(is_withdrawn(each) for each in found[value])
    ]
    if len(standing) > 1 or (standing and not ours):
        documents = [each for value in standing for each in found[value]]
        twice = f"The server has documents of {len(standing)} plans of its identifiers; mend that "
        return _Own(plan.plan_id, documents, f"{twice}first." if ours else _SHARED)
    value = next(iter([*standing, *ours]), plan.plan_id)
    return _Own(value, found[value] if ours else [], "")


def _tokens_in(documents: Sequence[Resource]) -> set[Token]:
    """Return the identifiers of a plan in its documents, as those say that were not replaced."""
    standing = [each for each in documents if not is_withdrawn(each)]
    return {
        token for each in _not_replaced(standing or documents) for token in tokens_of(plan_in(each))
    }


_SHARED = (
    "The server has the document of a plan of this one's identifiers that may be another; name the "
    "plan's own identifier first in both, or leave out the shared one."
)


class _There(NamedTuple):
    """The documents of one plan that stand on a server, the oldest first.

    Attributes:
        every: all of them.
        last: those that no other of them replaces; those that are current, where some are.
        same: those of them that are of the input's content; where the ledger says that the input
            is as it was sent, those that were sent. None where a new one is to be sent.
        value: the identifier value of the first of these, else that a new one gets.
    """

    every: list[Resource]
    last: list[Resource]
    same: list[Resource]
    value: str


def _there(plan: SyncPlan, at: Place, standing: list[Resource], *, value: str) -> _There:
    """Return what the server has of a plan whose document would have that value."""
    every = sorted(standing, key=age_of)
    last = _not_replaced(every)
    last = [each for each in last if is_current(each)] or last
    alike = [each for each in every if has_content_of(each, value)]
    same = [each for each in alike if each in last] or _sent_last(plan, at, alike)
    if same:
        value = str(value_of(same[0]))
    elif alike:  # It was so once, and is so again.
        value = value_again(value, map(reference_of, last))
    return _There(every, last, same, value)


def _sent_last(plan: SyncPlan, at: Place, alike: list[Resource]) -> list[Resource]:
    """Return the documents that the ledger knows as sent last, of an input that did not change."""
    known, parts = known_as(DOCUMENT_REFERENCE, plan.plan_id, at)
    if known is None or known.state != DONE or known.digest != plan.digest:
        return []
    return [each for each in alike if value_of(each) in parts]


def _not_replaced(documents: Sequence[Resource]) -> list[Resource]:
    """Return the documents of a plan that no other of them replaces."""
    replaced = {old for each in documents for old in _replaced_by(each)}
    return [each for each in documents if reference_of(each) not in replaced] or [*documents]


def _replaced_by(document: Resource) -> list[str]:
    """Return the references of the documents that one says it replaces."""
    related = (each for each in document.get("relatesTo", ()) if each.get("code") == "replaces")
    return [bare(str(each.get("target", {}).get("reference", ""))) for each in related]


def _withdraw(at: Place, door: Door, patient: str, standing: list[Resource]) -> Decision:
    """Return the decision to mark a plan's documents as the input is marked."""
    references = tuple(map(reference_of, standing))
    if not at.means.may_update(DOCUMENT_REFERENCE):
        why = "The server lets nobody change what it has of this plan."
        return Decision(REFUSED, references, reason=why)
    marked = [{**revocation(each), "resource": {**each, "status": _WRONG}} for each in standing]
    return Decision(
        UPDATED,
        references,
        bundle=transaction(marked),
        parcel=transaction(()),
        patient=patient,
        door=door,
    )


def _standing(plan: SyncPlan, at: Place, base: Decision, there: _There) -> Decision:
    """Return what is to be done where the server has the document already."""
    theirs = there.same[0]
    copies = [each for each in there.every if value_of(each) == there.value and each is not theirs]
    base = replace(base, references=tuple(map(reference_of, [theirs, *copies])))
    if copies:
        return replace(base, differences=doubled(copies), bundle=transaction(()))
    base = replace(base, places={str(value_of(theirs)): reference_of(theirs)})
    if theirs.get("status") == END_STATUS[DOCUMENT_REFERENCE]:
        words = {"reference": reference_of(theirs), "text": "Another document took its place."}
        return replace(base, differences=(words,))
    edited = _conflict(plan, at, base, theirs)
    if edited is not None:
        return edited
    held = read_references(_door(base), _replaced_by(theirs), strict=True)
    older = [each for each in (*held, *there.same[1:]) if is_current(each)]
    if not older or not at.means.may_update(DOCUMENT_REFERENCE):
        return base
    ended = transaction([revocation(each) for each in older])  # A killed run left them.
    references = (*base.references, *map(reference_of, older))
    result = UPDATED if all(plan_of(each) == plan.plan_id for each in older) else SUPERSEDED
    return replace(base, result=result, references=references, bundle=ended)


def _changed(plan: SyncPlan, at: Place, base: Decision, there: _There, gone: set[str]) -> Decision:
    """Return what is to be done where the server has the document of another state of the plan."""
    older = [each for each in there.every if is_current(each)]
    if not any(is_current(each) for each in there.last):
        where = reference_of(there.last[-1])
        why = f"{where} was superseded on the server; a change of the plan is not sent."
        return replace(base, result=REFUSED, references=(where,), reason=why, differences=())
    for each in older:
        edited = _conflict(plan, at, base, each)
        if edited is not None:
            return edited
    ours = _ours(base)
    if ours.get("docStatus") in FINAL and any(is_preliminary(each) for each in older):
        why = (
            f"{reference_of(older[0])} is a preliminary document on the server, and the input is "
            "an accepted plan; sync activates nothing. Accept it in the EHR."
        )
        references = tuple(map(reference_of, older))
        return replace(base, result=REFUSED, references=references, reason=why, differences=())
    why = _why_not_open(plan, there) or _why_not_beside(plan, base, there, gone)
    if why:
        references = tuple(map(reference_of, older))
        return replace(base, result=REFUSED, references=references, reason=why, differences=())
    return _replacing(plan, at, base, older, UPDATED)


def _why_not_open(plan: SyncPlan, there: _There) -> str:
    """Return why a change is not sent that opens the plan again, a sentence; '' for none."""
    now = plan.care_plan.get("status")
    for each in there.last:
        was = status_in(each)
        if (is_over(each) and now in OPEN) or (was, now) == ("on-hold", "active"):
            return (
                f"The plan of {reference_of(each)} is {was} on the server, and the input says "
                f"{now}; sync activates nothing. Accept it in the EHR."
            )
    return ""


def _why_not_beside(plan: SyncPlan, base: Decision, there: _There, gone: set[str]) -> str:
    """Return why a change is not sent that adds a protocol which another plan follows; '' for none.

    Raises:
        ServerError: the other plans' documents could not be looked for.
    """
    known = {protocol for each in there.last for protocol in protocols_in(each)}
    added = protocols_of(plan.care_plan) - known
    if not added or plan.care_plan.get("status") not in OPEN:
        return ""
    beside = _open_documents(base, added, gone)
    rivals = [reference_of(each) for each in beside if plan_of(each) != plan.plan_id]
    if not rivals:
        return ""
    return (
        f"{rivals[0]} is the document of an open plan of a protocol that the changed input names; "
        "end it in the EHR, or give the changed plan an identifier of its own."
    )


def _open_documents(base: Decision, protocols: Collection[str], gone: set[str]) -> list[Resource]:
    """Return the current documents of the patient's plans of some protocols that are not over."""
    door = _door(base)
    listed = current_documents(door, base.patient, protocols)
    there = [each for each in listed if reference_of(each) not in gone]
    over = _over(door, there)
    return [each for each in there if reference_of(each) not in over]


def _new(
    plan: SyncPlan, at: Place, base: Decision, coming: Sequence[Resource], gone: set[str]
) -> Decision:
    """Return what is to be done with a plan that the server has no document of."""
    there = _open_documents(base, protocols_of(plan.care_plan), gone)
    rivals = judge_rivals(plan.care_plan, [*map(_as_plan, there), *coming])
    if rivals.refusal:
        return Decision(REFUSED, reason=rivals.refusal, patient=base.patient)
    names = [reference_of(each) for each in rivals.older]
    older = read_references(
        _door(base),
        [reference_of(each) for each in there if reference_of(each) in names],
        strict=True,
    )
    return _replacing(plan, at, base, older, SUPERSEDED if rivals.older else CREATED)


def _over(door: Door, listed: Sequence[Resource]) -> frozenset[str]:
    """Return the references of documents whose plan is no longer carried out."""
    final = [reference_of(each) for each in listed if each.get("docStatus") in FINAL]
    found = read_references(door, final, strict=True)
    return frozenset(reference_of(each) for each in found if is_over(each))


def _replacing(
    plan: SyncPlan, at: Place, base: Decision, older: Sequence[Resource], result: str
) -> Decision:
    """Return the decision to create a document that takes the place of others."""
    missing = why_no_pdf()
    if missing:
        return Decision(PARKED, reason=missing, patient=base.patient)
    references = [reference_of(each) for each in older]
    entry = document_entry(
        base.whole or {},
        plan_id=plan.plan_id,
        conditional=at.means.conditional,
        replaces=references,
        value=str(value_of(_ours(base))),
    )
    may = at.means.may_update(DOCUMENT_REFERENCE)
    parcel = transaction([entry, *(revocation(each) for each in older if may)])
    stays = [] if may else [{"reference": each, "text": _STAYS} for each in references]
    return replace(
        base,
        result=result,
        references=tuple(references),
        differences=(*base.differences, *stays),
        bundle=parcel,
        parcel=parcel,
    )


_STAYS = "It is replaced, and still says current: the server lets nobody change it."


def _conflict(plan: SyncPlan, at: Place, base: Decision, theirs: Resource) -> Decision | None:
    """Return the conflict where somebody changed a document on the server; else None."""
    sent = at.ledger.parts(at.name, plan.plan_id).get(str(value_of(theirs)))
    ours = _ours(base)
    ours = {**ours, **{name: theirs[name] for name in ("relatesTo",) if name in theirs}}
    same = value_of(theirs) == value_of(ours)
    if weigh(ours if same else None, sent, theirs) not in (Standing.THEIRS, Standing.BOTH):
        return None
    views = [_without_data(each) for each in (ours, theirs)]
    return replace(
        base,
        result=CONFLICT,
        references=(reference_of(theirs),),
        differences=tuple(three_ways(views[0] if same else None, None, views[1]) if same else ()),
        reason="The server's document was changed since it was sent; nothing is overwritten.",
        bundle=None,
    )


def _without_data(document: Resource) -> Resource:
    """Return a document whose attachments are told by size and hash alone."""
    contents = document.get("content", ())
    bare_contents = [
        {**each, "attachment": {k: v for k, v in each.get("attachment", {}).items() if k != "data"}}
        for each in contents
    ]
    return {**document, "content": bare_contents}


def is_over(document: Resource) -> bool:
    """Tell whether the plan of a document, read as a whole, is over, as far as its data tell."""
    return status_in(document) not in ("", *OPEN)


def _as_plan(document: Resource) -> Resource:
    """Return what `judge_rivals` asks of a plan, from its document."""
    final = document.get("docStatus") in FINAL
    return {
        "resourceType": DOCUMENT_REFERENCE,
        "id": document["id"],
        "status": "active" if final else "draft",
        "intent": "plan" if final else "proposal",
        "created": document.get("date"),
    }


def _ours(base: Decision) -> Resource:
    """Return the document that would be created."""
    document: Resource = base.parcel["entry"][0]["resource"] if base.parcel else {}
    return document


def _subject(document: Resource) -> str:
    return bare(str(document.get("subject", {}).get("reference", "")))


def _door(decision: Decision) -> Door:
    assert decision.door is not None  # noqa: S101 - `decide_document` gives one
    return decision.door
