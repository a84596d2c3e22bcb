"""An accepted plan goes to the EHR's server; what becomes of it is kept as the draft's receipt."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ivfhir.errors import (
    BadAnswerError,
    DraftGoneError,
    ForbiddenError,
    InvalidWriteError,
    IvfhirError,
    NotFoundError,
    RejectedError,
    ServerError,
    ThrottledError,
    TokenRenewedError,
    UnauthorisedError,
    UnreachableError,
    VersionConflictError,
)
from ivfhir.fhir.outcome import issues_of, words_of
from ivfhir.outbox.failing import After, after_failure
from ivfhir.outbox.line import PARKED, SIGN_IN, WAITING
from ivfhir.wording import words
from ivfhir.wording.sentences import capitalise
from ivfhir.write_back import WriteReceipt, find_written, write_back
from smart_app import audit
from smart_app.store import Draft, Receipt
from smart_app.store.outbox import Waiting
from smart_app.visit.settling import again, joined, own_reference, settle
from smart_app.visit.visit import Visit
from smart_app.visit.way import SINGLES, server_for

_TITLES: tuple[tuple[type[ServerError], str], ...] = (
    (TokenRenewedError, "the EHR is busy"),
    (UnauthorisedError, "the EHR asks for a new sign-in"),
    (ForbiddenError, "the EHR does not allow it"),
    (RejectedError, "the EHR refuses the content"),
    (VersionConflictError, "the record changed meanwhile"),
    (ThrottledError, "the EHR is busy"),
    (UnreachableError, "the EHR did not answer"),
    (BadAnswerError, "the EHR's answer could not be understood"),
    (ServerError, "the EHR failed"),
)
"""Words of each failure; the first match counts."""

_CLEANED_UP = (ForbiddenError, NotFoundError, RejectedError)


def send_plan(visit: Visit, draft: Draft, kept: Mapping[str, Any], *, asked: bool) -> None:
    """Send a plan that the caller holds the claim on, and keep what became of it.

    Afterwards the claim is given back, whatever the server said.

    Args:
        visit: the visit.
        draft: the claimed draft.
        kept: its receipt so far, with the transaction as `bundle`.
        asked: whether somebody waits for it.

    Raises:
        UnauthorisedError: the token expired on the way; whether the plan is there is found out at
            the next look.
    """
    launch = visit.launch
    try:
        server = server_for(launch, kept)
        receipt = write_back(server, kept["bundle"], pause=launch.app.pause)
    except ServerError as error:
        # One by one, only a refusal is cleaned up, as far as the EHR lets it be.
        singly = kept.get("way") == SINGLES
        in_part = (singly and not isinstance(error, _CLEANED_UP)) or bool(error.left)
        keep_failure(
            visit, draft, error, asked=asked, looked=error.looked, in_part=in_part, singly=singly
        )
        return
    except InvalidWriteError as error:
        keep_invalid(visit, draft, error, singly=kept.get("way") == SINGLES)
        return
    _keep(visit, draft, kept, receipt)


def keep_failure(
    visit: Visit,
    draft: Draft,
    error: ServerError,
    *,
    asked: bool,
    looked: bool = True,
    in_part: bool = False,
    singly: bool = False,
) -> None:
    """Keep why a claimed plan did not arrive and when it is tried again; give the claim back.

    Args:
        visit: the visit.
        draft: the claimed draft.
        error: why.
        asked: whether somebody waits for it.
        looked: whether this try could look what an earlier one has done.
        in_part: whether this try may have left a part of it there.
        singly: whether it goes one entry after the other.

    Raises:
        UnauthorisedError: it was one.
    """
    launch, store = visit.launch, visit.launch.app.store
    settings, now = launch.app.settings, int(launch.now().timestamp())
    waiting = store.waiting_of(draft.id)
    after = After(SIGN_IN, now, 0)
    if waiting is not None:
        after = after_failure(
            error,
            waiting.entry,
            now=now,
            keep_s=settings.outbox_hours * 3600,
            random=launch.app.random,
        )
    said = _problem(error, after)
    before = _known_after_look(waiting, singly=singly) if looked else _known_before(waiting)
    known = "unclear" if error.may_be_done else "in part" if in_part else before
    said["known"] = known
    kept = store.put_off(draft.id, after, said, held_until=draft.held_until)
    launch.app.log.warning(
        "write_back", written=False, error=type(error).__name__, server_status=error.status
    )
    # Who looked meanwhile may have found it written.
    if kept and (asked or after.state == PARKED):
        audit.record("write", launch, done=False, protocol=draft.protocol, draft=draft.id)
    if isinstance(error, UnauthorisedError):
        raise error


def _known_before(waiting: Waiting | None) -> str:
    """Return what was known of a plan before a try that could not look; the try is counted."""
    if waiting is None:
        return ""
    if not waiting.said:  # The try before, if there was one, was cut off.
        return "unclear" if waiting.entry.attempts > 1 else ""
    return waiting.known


def _known_after_look(waiting: Waiting | None, *, singly: bool) -> str:
    """Return what is known of a plan that was looked for and is not there to its end.

    Its parts are found by the plan that refers to them, and one by one the plan comes late: what an
    earlier try left is not seen by that look.
    """
    return "in part" if singly and _known_before(waiting) else ""


def keep_signed_out(visit: Visit, draft: Draft) -> None:
    """Keep that a claimed plan was not sent, since its clinician signed out meanwhile.

    It waits for a sign-in, whatever token this request still holds.
    """
    launch, store = visit.launch, visit.launch.app.store
    waiting = store.waiting_of(draft.id)
    said = {
        "title": "it waits for your sign-in",
        "message": "You signed out before it was sent.",
        "details": "",
        "again": "yes",
        "known": _known_before(waiting),
    }
    failures = 0 if waiting is None else waiting.entry.failures
    after = After(SIGN_IN, int(launch.now().timestamp()), failures)
    store.put_off(draft.id, after, said, held_until=draft.held_until)
    launch.app.log.info("write_back", written=False, error="SignedOut")


def keep_invalid(
    visit: Visit, draft: Draft, error: InvalidWriteError, *, singly: bool = False
) -> None:
    """Keep that a claimed plan was not sent, since the app made something that is no valid FHIR.

    It is parked: whoever runs the app sees it there, and the clinician's draft is kept for a review
    with a release that is mended.
    """
    launch = visit.launch
    said = {
        "title": "the app's own check stopped it",
        "message": error.plain,
        "details": "\n".join(_diagnostics(error)),
        "again": "no",
        "by": "ivfhir",
        "outcome": error.outcome,
        "known": _known_after_look(launch.app.store.waiting_of(draft.id), singly=singly),
    }
    after = After(PARKED, int(launch.now().timestamp()), 0)
    launch.app.store.put_off(draft.id, after, said, held_until=draft.held_until)
    launch.app.log.error("write_back", written=False, error=type(error).__name__, code=error.code)
    audit.record("write", launch, done=False, protocol=draft.protocol, draft=draft.id)


def take_back(visit: Visit, kept: Mapping[str, Any]) -> tuple[int, list[str]]:
    """Mark what was written of a plan, where it goes one by one and a try broke, as an error.

    Returns:
        How many entries were marked; references of those that stay.

    Raises:
        ServerError: they could not be looked for.
    """
    if kept.get("way") != SINGLES:
        return 0, []
    return server_for(visit.launch, kept).take_back(kept["bundle"])


def may_be_begun(kept: Receipt | None, waiting: Waiting | None) -> bool:
    """Tell whether an earlier acceptance of a draft, one by one, may have left entries of it.

    Args:
        kept: the receipt that it has.
        waiting: how it stands in the outbox.
    """
    return kept is not None and kept.body.get("way") == SINGLES and bool(known_of(kept, waiting))


def take_back_begun(visit: Visit, draft: Draft) -> None:
    """Mark what an earlier acceptance of a draft left, before it is accepted anew.

    Else its entries would be taken for those of the new plan, and some would stay beside it.

    Raises:
        ServerError: it could not be looked for, or some of it stays: the plan must not be accepted.
    """
    store = visit.launch.app.store
    kept = store.load_receipt(draft.launch_id, draft.id)
    if kept is None or not may_be_begun(kept, store.waiting_of(draft.id)):
        return
    marked, left = take_back(visit, kept.body)
    visit.forget_reading()
    if left:
        also = f"{_marked_words(marked)} " if marked else ""
        raise ServerError(
            "An earlier try to write this plan left entries in the EHR that could not be marked as "
            f"entered in error: {words.join(left)}. {also}The plan is not accepted now. Try again; "
            "if that does not help, mark those entries in the EHR, or discard this draft and make "
            "a new plan."
        )


def _marked_words(marked: int) -> str:
    return (
        f"{capitalise(words.count(marked, 'entry', 'entries'))} of it that had been written "
        f"{'is' if marked == 1 else 'are'} marked as entered in error."
    )


def keep_changed(visit: Visit, draft: Draft, marked: int, left: Sequence[str]) -> None:
    """Keep that a claimed plan is not sent, since the record changed after it was accepted.

    Args:
        visit: the visit.
        draft: the claimed draft.
        marked: how many entries of it were written before and are marked as entered in error now.
        left: references of those that were written before and stay.
    """
    launch = visit.launch
    message = "Nothing was sent."
    if marked or left:
        message = _marked_words(marked)
    if left:
        message += f" Look in the EHR at what could not be marked: {words.join(list(left))}."
    said = {
        "title": "the record changed since it was accepted",
        "message": message,
        "details": "",
        "again": "no",
        "known": "in part" if left else "",
    }
    after = After(PARKED, int(launch.now().timestamp()), 0)
    launch.app.store.put_off(draft.id, after, said, held_until=draft.held_until)
    launch.app.log.info("write_back", written=False, error="RecordChanged")


def find_sent(visit: Visit, draft: Draft, kept: Mapping[str, Any]) -> bool:
    """Return whether the plan is on the server; its receipt is kept when it is.

    Raises:
        ServerError: it cannot be told.
    """
    found = find_written(server_for(visit.launch, kept), kept["bundle"])
    if found is not None:
        _keep(visit, draft, kept, found)
    return found is not None


def known_of(kept: Receipt | None, waiting: Waiting | None) -> str:
    """Return what is known of a draft that nobody sends now: '' when nothing of it is in the EHR.

    Args:
        kept: the receipt that it has; None when it was never accepted.
        waiting: how it stands in the outbox; None where an earlier release accepted it.
    """
    if kept is None:
        return ""
    return "unclear" if waiting is None else waiting.known


def is_accepted(kept: Receipt | None, waiting: Waiting | None) -> bool:
    """Tell whether a draft that somebody holds is kept as accepted, so that it is sent anyhow.

    Else it is being accepted: for the first time, or again after it came back for review.

    Args:
        kept: the receipt that it has.
        waiting: how it stands in the outbox.
    """
    return kept is not None and (waiting is None or waiting.entry.state in (WAITING, SIGN_IN))


def receipt_body(receipt: WriteReceipt, *, written_at: datetime) -> dict[str, Any]:
    """Return what the store keeps of a plan that is on the server."""
    return {
        "written": True,
        "writtenAt": written_at.isoformat(),
        "alreadyThere": receipt.already_there,
        "withdrawn": list(receipt.withdrawn),
        "leftOver": list(receipt.left_over),
        "copiesUnknown": receipt.copies_unknown,
        "warnings": list(receipt.warnings),
        "ended": [
            {"reference": each.reference, "wanted": each.wanted, "status": each.status}
            for each in receipt.ended
        ],
        "entries": [
            {
                "type": entry.resource_type,
                "part": entry.value.partition(".")[2],
                "reference": entry.reference,
                "version": entry.version,
                "differences": None if entry.differences is None else list(entry.differences),
            }
            for entry in receipt.entries
        ],
    }


def _keep(visit: Visit, draft: Draft, kept: Mapping[str, Any], receipt: WriteReceipt) -> None:
    """Keep that a plan is written, once in the audit trail, and its receipt; close the draft.

    Whoever looks while another sends may find it, too. Other sessions' plans are looked for first,
    and the receipt comes last: who is killed in between finds the plan sent, and looks again.
    """
    launch, store = visit.launch, visit.launch.app.store
    written_at, waiting = launch.local(launch.now()), store.waiting_of(draft.id)
    body = {**kept, "problem": None, **receipt_body(receipt, written_at=written_at)}
    if waiting is not None and waiting.edited(draft):
        body["edited"] = True
    settled = settle(launch, draft, body)
    visit.forget_reading()
    audit.record(
        "write",
        launch,
        once=("write", draft.id),
        protocol=draft.protocol,
        draft=draft.id,
        plan=own_reference(body["entries"]),
    )
    after = again(launch, None if waiting is None else waiting.entry, settled.error)
    if not store.save_written(draft.id, settled.body, after=after, join=joined):
        return
    if receipt.warnings:
        launch.app.log.warning("write_back", code="invalid", count=len(receipt.warnings))
    launch.app.log.info(
        "write_back",
        written=True,
        entries=len(receipt.entries),
        already_there=receipt.already_there,
    )


def settle_again(visit: Visit, waiting: Waiting, draft: Draft) -> bool:
    """Try again what a written plan changes beside itself; the caller holds the claim on it.

    Returns:
        Whether nothing of it is left to be tried.
    """
    launch, store = visit.launch, visit.launch.app.store
    receipt = store.load_receipt(draft.launch_id, draft.id)
    if receipt is None:
        raise DraftGoneError("The receipt of this plan is not there any more.")
    settled = settle(launch, draft, receipt.body)
    after = again(launch, waiting.entry, settled.error)
    store.save_written(draft.id, settled.body, after=after, join=joined)
    visit.forget_reading()
    return after is None


def _problem(error: ServerError, after: After) -> dict[str, Any]:
    """Return what is kept of a failure: in words, and the server's outcome whole."""
    title = next(title for kind, title in _TITLES if isinstance(error, kind))
    return {
        "title": title,
        "message": error.message,
        "details": "\n".join(_diagnostics(error)),
        "again": "no" if after.state == PARKED else "yes",
        "outcome": error.outcome,
    }


def _diagnostics(error: IvfhirError) -> list[str]:
    """Return what an error's OperationOutcome says."""
    return [text[:500] for text in map(words_of, issues_of(error.outcome)) if text]
