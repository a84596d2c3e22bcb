"""The receipt: where the plan went, or why it did not, and what comes next."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ivfhir.fhir.types import CARE_PLAN, Resource
from ivfhir.outbox.line import SIGN_IN, Entry
from ivfhir.wording import dates, words
from ivfhir.wording.sentences import capitalise
from smart_app.pages.receipt_parts import NextStep, Place, next_steps, places
from smart_app.pages.replacing import Replacement, after_documents, after_replacing
from smart_app.pages.standing import Standing
from smart_app.problems import OWN, THEIRS
from smart_app.visit.overriding import Override


@dataclass(frozen=True)
class ReceiptPage:
    """View model of the page, for a plan that was written and for one that was not.

    `gap` is what the override goes against; `replacement` is what became of an earlier plan;
    `plan_href` is where the written plan is shown; `files` are words and address of downloads;
    `is_signed_apart` tells whether there is a signature beside the plan.
    """

    style: str
    shape: str
    title: str
    text: tuple[str, ...]
    links: tuple[tuple[str, str], ...] = ()
    send_again: str = ""
    details: str = ""
    details_title: str = THEIRS
    next_steps: tuple[NextStep, ...] = ()
    places: tuple[Place, ...] = ()
    how: str = ""
    override: Override | None = None
    gap: str = ""
    replacement: Replacement | None = None
    plan_href: str = ""
    files: tuple[tuple[str, str], ...] = ()
    is_signed_apart: bool = True


def written_page(
    body: Mapping[str, Any],
    care_plan: Resource,
    *,
    signer: str,
    accepted_at: str,
    server: str,
    today: date,
    link: Callable[[str], str],
    standing: Standing,
    override: Override | None = None,
    how: str,
    gap: str = "",
    plan_href: str = "",
    draft_id: str = "",
    again: str = "",
) -> ReceiptPage:
    """Return the page of a plan that was written.

    Args:
        body: the receipt's body.
        care_plan: the plan as it was reviewed.
        signer: who accepted it.
        accepted_at: when.
        server: the EHR's name.
        today: the day the page is looked at.
        link: gives the address of our page of a `Type/id`.
        standing: how the plan stands in the EHR now.
        override: why it was made against the protocol's answer.
        how: how it was written.
        gap: what that answer was.
        plan_href: address of the page that shows the written plan.
        draft_id: its draft, whose id is the plan's identifier.
        again: when what could not be settled beside it is tried again, a sentence; '' for never.
    """
    entries = body["entries"]
    replaced = body.get("replaced") or ()
    replacement = after_replacing(replaced, body.get("ended", ())) if replaced else None
    documents = body.get("documents")
    if documents:
        replacement = after_documents(documents, body["ended"], draft_id=draft_id)
    same = sum(entry["differences"] == [] for entry in entries)
    stored = sum(bool(entry["reference"]) for entry in entries)
    verdict = (
        "read back and the same"
        if same == len(entries)
        else f"{same} of them read back and the same"
    )
    when = dates.moment(datetime.fromisoformat(accepted_at))
    text = [f"Accepted by {signer} on {when}. {standing.sentence(server)}"]
    if body.get("way") == "document":
        text.append(
            "It is a document to read, with the plan's data attached: there is no care plan in the "
            "record, and no work list shows its steps."
        )
    if body.get("way") == "alone":
        text.append(
            "It is one care plan, its orders and goals inside: no work list shows them, and no "
            "signature entry was written."
        )
    if body["leftOver"]:
        text.append(
            "The EHR also stored copies that could not be withdrawn, or with which somebody has "
            "worked since: "
            + words.join(body["leftOver"])
            + ". Ask your EHR administrator to look at them."
        )
    if body.get("copiesUnknown"):
        text.append(
            "Whether the EHR stored it more than once could not be looked up. Search the record "
            "for copies of it."
        )
    if body["withdrawn"]:
        text.append(
            f"{words.count(len(body['withdrawn']), 'copy', 'copies')} that the EHR had stored "
            "were marked as entered in error."
        )
    if body.get("edited"):
        text.append(
            "It is the plan as you accepted it first. What was changed in the draft since is not "
            "in it: to plan so, make a new plan and replace this one."
        )
        care_plan = {"resourceType": CARE_PLAN}  # Its words are of the draft as it is now.
    rivals = rival_words(body.get("rivals"), is_document=body.get("way") == "document")
    text += [*rivals, *([again] if again else [])]
    copies = bool(body["leftOver"] or body.get("copiesUnknown"))
    unread = bool(documents and documents["unread"])
    sound = same == len(entries) and standing.active and not copies and not unread
    style, shape = ("eligible", "done") if sound else ("ask", "ask")
    over = standing.gone or (standing.status and not standing.active)
    if override or rivals or over or body["leftOver"] or (replacement and replacement.doubtful):
        style, shape = "warn", "warn"
    return ReceiptPage(
        style=style,
        shape=shape,
        title=_written_title(body, standing, f"{stored} of {len(entries)} entries, {verdict}")
        + ("; made by override" if override else ""),
        text=tuple(text),
        next_steps=next_steps(care_plan, today) if standing.active else (),
        places=places(entries, care_plan, link),
        how=how,
        override=override,
        gap=gap,
        replacement=replacement,
        plan_href=plan_href,
        is_signed_apart=body.get("way") != "alone",
        details="\n".join(body.get("warnings", ())),
        details_title=OWN,
    )


def _written_title(body: Mapping[str, Any], standing: Standing, what: str) -> str:
    """Return the heading: a plan that gave way to another one is not called written."""
    rivals = body.get("rivals") or {}
    if rivals.get("own") in rivals.get("revoked", ()):
        return f"Withdrawn again: another plan was accepted at the same time ({what})"
    return standing.heading(what)


def again_words(entry: Entry, *, local: Callable[[int], datetime], now: int = 0) -> str:
    """Return when what could not be settled beside a written plan is tried again.

    Args:
        entry: the plan in the outbox.
        local: gives a moment, from seconds since 1970, in the site's time zone.
        now: seconds since 1970.
    """
    return (
        "What could not be looked up or ended is tried again by itself, next "
        f"{_when_due(entry, local, now)}; once the app has no access to the EHR any more, when you "
        "next open it for this patient."
    )


def rival_words(rivals: Mapping[str, Any] | None, *, is_document: bool = False) -> list[str]:
    """Return sentences on plans of the same protocol that were accepted at the same time.

    Args:
        rivals: what a receipt keeps of them; None when there were none.
        is_document: whether they are documents.
    """
    if not rivals:
        return []
    if rivals.get("unknown"):
        seen = "current documents of plans" if is_document else "active plans"
        return [
            "Whether another session accepted a plan of this protocol at the same time could not "
            f"be looked up. Open the list of protocols to see the {seen}."
        ]
    if is_document:
        return _document_rival_words(rivals)
    by = f", accepted by {rivals['author']}" if rivals["author"] else ""
    own, stays = rivals["own"], rivals["stays"]
    if stays == own:
        first = "Another session accepted a plan of this protocol for this patient at the same time"
        sentences = [f"{first}. Yours was stored first and stayed."]
    elif own in rivals["revoked"]:
        sentences = [
            f"Another session's plan of this protocol ({stays}{by}) was stored first and stayed. "
            "Yours was revoked with its draft orders; both can be read in the EHR."
        ]
    else:
        sentences = [
            f"Another session's plan of this protocol ({stays}{by}) was stored first. Yours could "
            "not be revoked: look in the EHR, and revoke one of them while both are active."
        ]
    others = [each for each in rivals["revoked"] if each != own]
    if others:
        sentences.append(
            f"Revoked with {'its' if len(others) == 1 else 'their'} draft orders: "
            f"{words.join(others)}."
        )
    left = [each for each in rivals["left"] if each != own]
    if left:
        sentences.append(
            f"Not seen to be revoked: {words.join(left)}. Look in the EHR, and revoke there what "
            "is still active."
        )
    return sentences


def _document_rival_words(rivals: Mapping[str, Any]) -> list[str]:
    by = f", by {rivals['author']}" if rivals["author"] else ""
    own, stays = rivals["own"], rivals["stays"]
    theirs = f"Another session's document of a plan of this protocol ({stays}{by})"
    if stays == own:
        sentences = [
            "Another session accepted a plan of this protocol for this patient at the same time. "
            "Your document was stored first and stayed current."
        ]
    elif own in rivals["revoked"]:
        sentences = [
            f"{theirs} was stored first and stayed current. Yours was marked as superseded; both "
            "can be read in the EHR."
        ]
    else:
        sentences = [
            f"{theirs} was stored first. Yours could not be marked as superseded: look in the EHR, "
            "and mark one of them while both are current."
        ]
    others = [each for each in rivals["revoked"] if each != own]
    if others:
        sentences.append(f"Marked as superseded: {words.join(others)}.")
    left = [each for each in rivals["left"] if each != own]
    if left:
        sentences.append(
            f"Not seen to be superseded: {words.join(left)}. Look in the EHR, and mark there what "
            "is still current."
        )
    return sentences


_UNCLEAR: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "unclear": (
        "Not known to be written",
        (
            "The plan may be in the EHR all the same: that could not be found out yet. It is "
            "looked for before anything is sent.",
        ),
    ),
    "in part": (
        "Not written to its end",
        ("A part of the plan may be in the EHR: what is there is not written a second time.",),
    ),
}
"""What is known of a plan that did not arrive -> how the heading begins, and what is said of it."""


def unwritten_page(
    problem: Mapping[str, str],
    *,
    review_href: str,
    match_href: str,
    waits: Sequence[str] = (),
    by_itself: bool = True,
) -> ReceiptPage:
    """Return the page of a plan that was accepted and is not on the server.

    Args:
        problem: `title`, `message`, `details`, `again` ('yes' when sending again can help) and
            `known`: 'unclear' when nobody could look whether it is there, 'in part' when a part of
            it is.
        review_href: address of the review.
        match_href: address of the list of protocols.
        waits: when it is sent again, or what for it waits, a sentence each.
        by_itself: nobody has to do anything for that.
    """
    again = problem.get("again") == "yes"
    how = "sent again by itself" if by_itself else "sent again"
    kept = (
        f"Your accepted plan is kept and {how}, never twice."
        if again
        else "Your draft is kept. Review it again before it is sent."
    )
    begin, doubt = _UNCLEAR.get(problem.get("known", ""), ("Not written", ()))
    return ReceiptPage(
        style="stop",
        shape="stop",
        title=f"{begin}: {problem['title']}",
        text=(problem["message"], *doubt, kept, *waits),
        links=(("Back to the protocols", match_href),)
        if again
        else (("Review again", review_href), ("Back to the protocols", match_href)),
        send_again="Send again" if again else "",
        details=problem.get("details", ""),
        details_title=OWN if problem.get("by") == "ivfhir" else THEIRS,
    )


def files_page(
    body: Mapping[str, Any],
    *,
    server: str,
    files: Sequence[tuple[str, str]],
    override: Override | None = None,
    gap: str = "",
) -> ReceiptPage:
    """Return the page of a plan that was accepted and that the EHR does not take.

    Args:
        body: the receipt's body.
        server: the EHR's name.
        files: words and address of each file.
        override: why it was made against the protocol's answer.
        gap: what that answer was.
    """
    when = dates.moment(datetime.fromisoformat(body["acceptedAt"]))
    return ReceiptPage(
        style="warn",
        shape="warn",
        title="Accepted, and not written: download the plan",
        text=(
            f"Accepted by {body['signer']} on {when}. {capitalise(server)} takes no plan from this "
            "app, so nothing was written there, and nothing will be.",
            "Save the plan and bring it into the record. The files are kept here as long as this "
            "draft is.",
        ),
        files=tuple(files),
        override=override,
        gap=gap,
    )


def waiting_words(
    entry: Entry, *, first: bool, local: Callable[[int], datetime], now: int = 0
) -> list[str]:
    """Return what an accepted plan waits for, when it was tried and when it is tried next.

    Args:
        entry: how it stands in the outbox.
        first: whether no other plan for the patient goes before it.
        local: gives a moment, from seconds since 1970, in the site's time zone.
        now: seconds since 1970.
    """
    tried = [] if entry.tried_at is None else [f"Last tried at {_clock(local(entry.tried_at))}"]
    if entry.state == SIGN_IN:
        sign_in = "It is sent when you next open the app for this patient from the EHR."
        return [*(f"{each}." for each in tried), sign_in]
    if not first:
        return ["Another accepted plan for this patient goes first; this one is sent after it."]
    due = _when_due(entry, local, now)
    return [f"{tried[0]}, next {due}." if tried else f"Next try {due}."]


def _when_due(entry: Entry, local: Callable[[int], datetime], now: int) -> str:
    """Return `at …`; a moment that is past already is not called the next."""
    if entry.due_at <= now:
        return "as soon as possible"
    return f"at {_clock(local(entry.due_at))}"


def _clock(moment: datetime) -> str:
    """Return date and time of day with its seconds: the next try may be a few of them away."""
    return f"{dates.moment(moment)}:{moment:%S}"


def sending_page(*, match_href: str, accepted: bool) -> ReceiptPage:
    """Return the page of a plan that is being accepted or sent at this moment.

    Args:
        match_href: address of the list of protocols.
        accepted: whether it is kept as accepted already, so that it is sent whatever happens.
    """
    title, text = (
        (
            "Being written: look again in a moment",
            "The plan is on its way to the EHR, from this window or another one. "
            "If the app was interrupted, it is sent again by itself after two minutes; "
            "it is never written twice.",
        )
        if accepted
        else (
            "Being accepted: look again in a moment",
            "The record is read once more before the plan is sent, from this window or another "
            "one. If the app was interrupted, nothing was sent, and the draft is there again after "
            "two minutes.",
        )
    )
    return ReceiptPage(
        style="ask",
        shape="ask",
        title=title,
        text=(text,),
        links=(("Back to the protocols", match_href),),
        send_again="Look again",
    )
