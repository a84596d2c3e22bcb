"""From the confirmation to the record: claim, read again, compare, accept, write, keep the receipt.

One caller at a time holds the claim on a draft. What it was made from is read anew, and what was
accepted is kept before it is sent, so that a plan whose answer was lost can be sent again as it is.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ivfhir.errors import (
    DraftGoneError,
    ForbiddenError,
    NoPlanError,
    ParameterError,
    ServerError,
    SessionEndedError,
    UnauthorisedError,
)
from ivfhir.evaluate import evaluate_protocol
from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.parameters import typed_parameters
from ivfhir.review import accept
from ivfhir.wording import words
from ivfhir.writing.bundle import to_care_plan_alone, to_transaction, value_of
from ivfhir.writing.document import plan_of
from ivfhir.writing.outgoing import check_outgoing
from smart_app import audit
from smart_app.smart.launch import Launch
from smart_app.store import Draft
from smart_app.store.outbox import HOLD_S
from smart_app.visit.documents import (
    document_bundle,
    earlier_documents,
    ended_of,
    settled_documents,
)
from smart_app.visit.draft import Basis, DraftContent, PlanRequest, request_of
from smart_app.visit.drafting import (
    RegimenRefusedError,
    draft_plan,
    earlier_plans,
    evidence_versions,
)
from smart_app.visit.evaluated import record_evaluation
from smart_app.visit.overriding import override_of
from smart_app.visit.reading import Reading
from smart_app.visit.regimens import doses_of, split_values
from smart_app.visit.sending import (
    find_sent,
    is_accepted,
    keep_changed,
    keep_failure,
    keep_signed_out,
    known_of,
    may_be_begun,
    send_plan,
    take_back,
    take_back_begun,
)
from smart_app.visit.visit import Visit
from smart_app.visit.way import ALONE, DOCUMENT, ENTRIES, FILES, SINGLES, WITH_CARE_PLAN, WORDS, Way

_WAIT_S, _WAITS = 0.25, 40


@dataclass(frozen=True)
class Change:
    """One difference: what, as it stands in the draft, and as it is now."""

    what: str
    before: str
    now: str


Compare = Callable[[Basis, Basis, Reading], list[Change]]
"""Tells what a reader would see differently: what was held, what holds, and what was read."""


@dataclass(frozen=True)
class Changed:
    """The record is not what the draft was made from.

    Attributes:
        changes: what is different.
        possible: whether the plan can still be made.
        refused: why the regimen gives no dose any more, where that alone hinders it; else ''.
    """

    changes: tuple[Change, ...]
    possible: bool
    refused: str = ""


def accept_and_write(
    visit: Visit,
    protocol: ClinicalProtocol,
    draft: Draft,
    *,
    replace: bool,
    compare: Compare,
    way: str = "",
) -> Changed | None:
    """Write a confirmed draft once; what happened stands in its receipt afterwards.

    Args:
        visit: the visit, of a practitioner.
        protocol: the draft's protocol.
        draft: as it was shown.
        replace: end the active plans that were shown, in the same transaction; or their documents,
            where this one goes in as a document.
        compare: tells what a reader would see differently.
        way: the kind of `Way` that was shown; '' when none was.

    Returns:
        What changed since the draft was made, when nothing was sent for that reason; else None.

    Raises:
        InvalidWriteError: files would be given, and the plan in them is not valid FHIR R4.
        ServerError: the record could not be read, or what an earlier try left could not be marked.
    """
    launch, store = visit.launch, visit.launch.app.store
    until = store.claim_draft(draft, hold_s=HOLD_S)
    if not until:
        _wait(launch, draft)
        return None
    draft = dataclasses.replace(draft, held_until=until)
    held_as = "draft"
    try:
        reading = visit.read_anew()
        if _is_there(visit, protocol, draft, reading):
            held_as = ""
            return None
        changes = _changes(launch, protocol, draft, reading, replace=replace, compare=compare)
        now = reading.ways[protocol.id].kind
        if way and way != now:
            changes.append(Change("How the plan goes to the EHR", WORDS[way], WORDS[now]))
        if not changes:
            kept = _accepted(launch, draft, reading, protocol, replace=replace)
            if now == FILES:
                check_outgoing(kept["bundle"])
            take_back_begun(visit, draft)
            may_go = store.accept_draft(
                draft, kept, server=launch.fhir_base, patient_id=launch.patient_id
            )
            held_as = "accepted"
            _record_signature(launch, draft, kept)
            if now == FILES:  # There is nothing to send: the receipt gives the files.
                store.save_receipt(draft, {**kept, "closed": True})
                held_as = ""
            elif may_go:
                held_as = ""
                with _given_back(visit, draft):
                    send_plan(visit, draft, kept, asked=True)
    finally:
        if held_as:
            store.release_draft(draft, state=held_as)
    if held_as == "accepted":
        _wait_in_line(launch, draft)
        return send_again(visit, protocol, draft, compare=compare)
    return _renew(launch, protocol, draft, reading, changes) if changes else None


def send_again(
    visit: Visit, protocol: ClinicalProtocol, draft: Draft, *, compare: Compare, asked: bool = True
) -> Changed | None:
    """Send an accepted plan that is not on the server again, as it was accepted; never twice.

    A draft whose claim ended before anything was accepted becomes an ordinary draft again. What was
    accepted and would look different to a reader on the record as it is now is not sent.

    Args:
        visit: the visit.
        protocol: the draft's protocol.
        draft: the draft.
        compare: tells what a reader would see differently.
        asked: whether somebody asks for it; else it is sent when it is due.

    Returns:
        What changed since, when it must be reviewed again; else None.

    Raises:
        UnauthorisedError: the token expired.
        SessionEndedError: who asks for it signed out meanwhile; nothing was sent.
    """
    launch, store = visit.launch, visit.launch.app.store
    until = store.claim_entry(draft.id, hold_s=HOLD_S, at_once=asked)
    if not until and asked:
        store.adopt_unsent()
        until = store.claim_entry(draft.id, hold_s=HOLD_S, at_once=asked)
    if not until:
        return None
    draft = dataclasses.replace(draft, held_until=until)
    with _given_back(visit, draft):
        closed = store.closed(launch.id) if asked else None
        if closed is not None and closed.signed_out:
            keep_signed_out(visit, draft)
            raise SessionEndedError(
                "This window was signed out, so nothing was sent now. The plan that you accepted "
                "is kept and waits for your sign-in: it is sent when you next open the app for "
                "this patient from the EHR.",
                mender="You",
            )
        receipt = store.load_receipt(launch.id, draft.id)
        if receipt is None:
            raise DraftGoneError("What was accepted is not there any more. Review it again.")
        _record_signature(launch, draft, receipt.body)
        if receipt.body.get("way") == FILES:  # Who accepted it was killed before it was closed.
            store.save_receipt(draft, {**receipt.body, "closed": True})
            return None
        looked = False
        try:
            found = find_sent(visit, draft, receipt.body)
            looked = True
            reading = None if found else visit.read_anew()
            changes = (
                []
                if reading is None
                else _changed_since(
                    launch, protocol, draft, receipt.body, reading, compare=compare, asked=asked
                )
            )
            begun = take_back(visit, receipt.body) if changes else (0, [])
        except ServerError as error:
            singly = receipt.body.get("way") == SINGLES
            keep_failure(visit, draft, error, asked=asked, looked=looked, singly=singly)
            return None
        if reading is None:
            return None
        if not changes:
            send_plan(visit, draft, receipt.body, asked=asked)
            return None
        keep_changed(visit, draft, *begun)
    return _renew(launch, protocol, draft, reading, changes)


@contextmanager
def _given_back(visit: Visit, draft: Draft) -> Iterator[None]:
    """Give the claim on an accepted plan back when the block fails before it did so itself."""
    try:
        yield
    except UnauthorisedError:
        raise  # That was kept, and the claim given back, where it happened.
    except BaseException:
        visit.launch.app.store.release_draft(draft, state="accepted")
        raise


def _changed_since(
    launch: Launch,
    protocol: ClinicalProtocol,
    draft: Draft,
    kept: Mapping[str, Any],
    reading: Reading,
    *,
    compare: Compare,
    asked: bool,
) -> list[Change]:
    """Return what is different from what was accepted.

    Raises:
        ServerError: nobody asks, and it cannot be told now since a part could not be read.
    """
    replace = bool(kept.get("replaced"))
    changes = _changes(launch, protocol, draft, reading, replace=replace, compare=compare)
    if changes and not asked and not reading.is_whole:
        raise ServerError("A part of the record could not be read, so nothing was sent.")
    return changes


def look(visit: Visit, draft: Draft) -> None:
    """Look whether a plan whose sending did not end is on the server; keep its receipt if so.

    One that is being accepted anew is let be: what it was accepted as before does not count then.
    """
    store = visit.launch.app.store
    waiting = store.waiting_of(draft.id)  # First: the receipt is of that acceptance then.
    receipt = store.load_receipt(draft.launch_id, draft.id)
    if receipt is None or receipt.body.get("written") or receipt.body.get("way") == FILES:
        return
    if not is_accepted(receipt, waiting):
        return
    try:
        find_sent(visit, draft, receipt.body)
    except UnauthorisedError:
        raise
    except ServerError:
        # It cannot be told now: the page offers to look again.
        return


def find_doubtful(visit: Visit, draft: Draft) -> bool:
    """Look whether a plan that came back for review is in the EHR after all.

    It was accepted before, and nobody could tell then. If it is there it is written, as it was
    accepted first; what cannot be told now stays in doubt.

    Raises:
        UnauthorisedError: the token expired.
    """
    store = visit.launch.app.store
    if draft.state != "draft":
        return False
    receipt = store.load_receipt(draft.launch_id, draft.id)
    if receipt is None or not known_of(receipt, store.waiting_of(draft.id)):
        return False
    try:
        return find_sent(visit, draft, receipt.body)
    except UnauthorisedError:
        raise
    except ServerError:
        return False


def _is_there(visit: Visit, protocol: ClinicalProtocol, draft: Draft, reading: Reading) -> bool:
    """Tell whether the record holds this very plan from an earlier acceptance; then it is written.

    Raises:
        ServerError: it cannot be told whether all of it is there.
    """
    store = visit.launch.app.store
    receipt = store.load_receipt(draft.launch_id, draft.id)
    plans = map(value_of, reading.plans_of(protocol))
    own = draft.id in [*plans, *map(plan_of, reading.documents_of(protocol))]
    if receipt is None or not (own or may_be_begun(receipt, store.waiting_of(draft.id))):
        return False
    return find_sent(visit, draft, receipt.body)


def _accepted(
    launch: Launch, draft: Draft, reading: Reading, protocol: ClinicalProtocol, *, replace: bool
) -> dict[str, Any]:
    """Return what is kept of an accepted plan before it is sent: the transaction, who, and when."""
    signer = launch.practitioner
    if signer is None:
        raise ForbiddenError("The EHR did not say which practitioner you are; nothing is accepted.")
    accepted_at = launch.local(launch.now()).isoformat(timespec="seconds")
    content = DraftContent.of_body(draft.body)
    override = override_of(content.request)
    way = reading.ways[protocol.id]
    marked = _was_begun(launch, draft)
    with_plans = replace and way.kind in WITH_CARE_PLAN
    replaced = (
        [plan for plan in earlier_plans(reading, protocol) if plan["plan"] != draft.id]
        if with_plans
        else []
    )
    documents = (
        settled_documents(launch, draft, reading, protocol, replace=replace)
        if way.kind == DOCUMENT
        else None
    )
    accepted = accept(
        content.care_plan,
        content.decision,
        practitioner={"reference": signer.reference, "display": signer.name},
        accepted_at=accepted_at,
        override_reason=override.reason if override else None,
        override_kind=words.decapitalise(override.kind) if override else "",
        replaces=[plan["reference"] for plan in replaced],
        confirmed=content.confirmed,
    )
    return {
        "written": False,
        "signer": signer.name,
        "acceptedAt": accepted_at,
        "bundle": _bundle_of(
            launch,
            draft,
            accepted,
            reading,
            way=way,
            revoke=_to_end(reading, protocol, draft) if with_plans else (),
            replaces=ended_of(documents),
            marked=marked,
        ),
        "way": way.kind,
        "begun": marked,
        "replaced": replaced,
        "documents": documents,
        "shown": [str(plan["reference"]) for plan in content.earlier],
    }


def _bundle_of(
    launch: Launch,
    draft: Draft,
    accepted: Resource,
    reading: Reading,
    *,
    way: Way,
    revoke: Sequence[Resource],
    replaces: Sequence[Mapping[str, str]],
    marked: bool,
) -> Resource:
    """Return what is sent of an accepted plan, by the way that it goes.

    Args:
        launch: the launch.
        draft: its draft.
        accepted: the plan.
        reading: the record.
        way: how it goes.
        revoke: resources that end with it, where it goes in one transaction.
        replaces: the documents whose place it takes, where it is one.
        marked: entries of an earlier try may be there, marked as entered in error. They carry its
            identifiers, so a server that creates on condition would take them for the plan's.
    """
    support = reading.support[draft.protocol].conditional
    conditional = (() if marked and way.kind == ENTRIES else support).__contains__
    if way.kind == ALONE:
        return to_care_plan_alone(accepted, plan_id=draft.id, conditional=conditional)
    if way.kind in WITH_CARE_PLAN:
        return to_transaction(accepted, plan_id=draft.id, revoke=revoke, conditional=conditional)
    return document_bundle(launch, draft, accepted, reading, replaces=replaces, has_pdf=way.has_pdf)


def _was_begun(launch: Launch, draft: Draft) -> bool:
    """Tell whether an earlier acceptance of a draft may have left entries, marked or not."""
    kept = launch.app.store.load_receipt(launch.id, draft.id)
    return kept is not None and (kept.body.get("way") == SINGLES or bool(kept.body.get("begun")))


def _record_signature(launch: Launch, draft: Draft, kept: Mapping[str, Any]) -> None:
    """Keep in the audit trail who signed, and what was overridden on what grounds: once each.

    Who is killed before leaves it to whoever sends the plan.
    """
    once = (draft.id, str(kept["acceptedAt"]))
    audit.record("sign", launch, once=("sign", *once), protocol=draft.protocol, draft=draft.id)
    override = override_of(request_of(draft.body))
    if override is not None:
        audit.record(
            "override",
            launch,
            once=("override", *once),
            protocol=draft.protocol,
            draft=draft.id,
            kind=override.kind,
        )


def _to_end(reading: Reading, protocol: ClinicalProtocol, draft: Draft) -> list[Resource]:
    """Return the protocol's other active plans and what ends with them, as they were read."""
    plans = [plan for plan in reading.plans_of(protocol) if value_of(plan) != draft.id]
    parts = [part for plan in plans for part in reading.plan_parts[reference_of(plan)]]
    return [*plans, *(part.resource for part in parts if part.resource and not part.stays)]


def _changes(
    launch: Launch,
    protocol: ClinicalProtocol,
    draft: Draft,
    reading: Reading,
    *,
    replace: bool,
    compare: Compare,
) -> list[Change]:
    """Return what is different between a draft and the record as it was read just now.

    What an earlier plan refers to counts only when that plan is replaced.
    """
    content = DraftContent.of_body(draft.body)
    asked = content.request
    own, prescription = split_values(protocol, asked.values)
    record_evaluation(launch, reading.record, [protocol], as_of=reading.as_of, request=asked)
    evaluation = evaluate_protocol(
        protocol,
        reading.record,
        as_of=reading.as_of,
        parameters=typed_parameters(protocol, own),
    )
    entry = evaluation.decision.to_json()
    held = content.basis()
    now = Basis(
        decision=entry,
        as_of=reading.decision["asOf"],
        subject=reading.decision["patient"],
        versions=evidence_versions(entry, reading.resources),
        earlier=tuple(earlier_plans(reading, protocol)),
        documents=earlier_documents(reading, protocol),
        plans_unread=reading.plans_unread,
    )
    held, now = (_of_others(each, draft.id) for each in (held, now))
    if prescription is not None:
        held = dataclasses.replace(held, doses=doses_of(content.care_plan))
        doses, refused = _regimen_now(launch, protocol, asked, reading)
        now = dataclasses.replace(now, doses=doses, refused=refused)
    if not replace:
        held, now = _without_parts(held), _without_parts(now)
    return compare(held, now, reading)


def _of_others(basis: Basis, draft_id: str) -> Basis:
    """Return a basis without the plan and the documents that an earlier try of this draft left."""
    earlier = tuple(each for each in basis.earlier if each.get("plan") != draft_id)
    basis = dataclasses.replace(basis, earlier=earlier)
    if basis.documents is None:
        return basis
    others = tuple(each for each in basis.documents if each["plan"] != draft_id)
    return dataclasses.replace(basis, documents=others)


def _without_parts(basis: Basis) -> Basis:
    return dataclasses.replace(
        basis, earlier=tuple({**plan, "parts": []} for plan in basis.earlier)
    )


def _regimen_now(
    launch: Launch, protocol: ClinicalProtocol, asked: PlanRequest, reading: Reading
) -> tuple[Mapping[str, str], str]:
    """Return the doses of the draft's regimen on the record as it is now, by drug.

    Where it cannot be given any more, the second says why: a regimen without doses, such as a
    referral, may be excluded too.
    """
    try:
        content = draft_plan(launch, protocol, reading, asked, more=())
    except (NoPlanError, ParameterError) as error:
        return {}, error.message
    return doses_of(content.care_plan), ""


def _renew(
    launch: Launch,
    protocol: ClinicalProtocol,
    draft: Draft,
    reading: Reading,
    changes: list[Change],
) -> Changed:
    """Make the draft anew from the record as it is now, where it still allows a plan."""
    held = DraftContent.of_body(draft.body)
    try:
        content = draft_plan(launch, protocol, reading, held.request, more=held.more)
    except RegimenRefusedError as error:
        return Changed(tuple(changes), possible=False, refused=error.message)
    except (NoPlanError, ParameterError):
        return Changed(tuple(changes), possible=False)
    store = launch.app.store
    store.update_draft(store.load_draft(launch.id, draft.id), body=content.to_body())
    return Changed(tuple(changes), possible=True)


def _wait_in_line(launch: Launch, draft: Draft) -> None:
    """Give the plans for the same patient that go first a little time, while they are moving."""
    store = launch.app.store
    for _ in range(_WAITS):
        now = launch.now().timestamp()
        ahead = store.ahead_of(draft.id)
        if not any(each.held_until > now or each.due_at <= now for each in ahead):
            return
        time.sleep(_WAIT_S)


def _wait(launch: Launch, draft: Draft) -> None:
    """Give the holder of the claim a little time, so that a double click ends on the receipt."""
    store = launch.app.store
    for _ in range(_WAITS):
        if store.load_draft(launch.id, draft.id).state != "sending":
            return
        time.sleep(_WAIT_S)
