"""Review and receipt: the confirmation, and what became of it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivfhir.errors import VersionConflictError
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.outbox.line import DROPPED, SIGN_IN, UNSETTLED, WAITING
from ivfhir.writing.bundle import created_entries
from ivfhir.writing.content import PDF
from ivfhir.writing.document import DATA, contents_of
from smart_app.limits import limit_address, limit_ehr
from smart_app.pages import context
from smart_app.pages.blueprint import blueprint
from smart_app.pages.changes import find_changes
from smart_app.pages.receipt import (
    ReceiptPage,
    again_words,
    files_page,
    sending_page,
    unwritten_page,
    waiting_words,
    written_page,
)
from smart_app.pages.regimens import regimen_table, without_names
from smart_app.pages.review import gap_words, review_page
from smart_app.pages.standing import Standing, standing_of
from smart_app.pages.ways import document_standing, how_written, way_note
from smart_app.services import services
from smart_app.smart.launch import Launch
from smart_app.smart.session import needs_launch
from smart_app.store import Draft, Receipt
from smart_app.store.outbox import Waiting
from smart_app.visit.accepting import (
    Changed,
    Compare,
    accept_and_write,
    find_doubtful,
    look,
    send_again,
)
from smart_app.visit.choices import Choices, may_replace
from smart_app.visit.documents import may_end_documents
from smart_app.visit.draft import DraftContent
from smart_app.visit.overriding import override_of
from smart_app.visit.sending import is_accepted, known_of, may_be_begun
from smart_app.visit.way import ALONE, DOCUMENT, ENTRIES

_FILES = (
    ("Download the PDF to read", "plan.pdf", PDF),
    ("Download the data (FHIR Bundle)", "plan.json", DATA),
)
_BEGUN = (
    "If an earlier try to write it left only a part of it in the EHR, that is marked as entered in "
    "error first."
)
_STANDING = {"unclear": "not known to be written", "in part": "not written to its end yet"}
"""What is known of a plan that an earlier try began -> what its review begins with."""


@blueprint.get("/l/<launch>/review/<draft_id>")
@needs_launch
def review(launch: Launch, draft_id: str) -> str | Response:
    """Show exactly what would be written."""
    draft = services().store.load_draft(launch.id, draft_id)
    if draft.state != "draft" or find_doubtful(context.visit_of(launch), draft):
        return redirect(url_for("pages.receipt", launch=launch.id, draft_id=draft.id))
    return _review(launch, draft, Choices.kept(launch, draft))


@blueprint.post("/l/<launch>/review/<draft_id>")
@needs_launch
def accept_plan(launch: Launch, draft_id: str) -> str | Response | tuple[str, int]:
    """Write a draft that the clinician confirmed; without the confirmation nothing is written."""
    draft = services().store.load_draft(launch.id, draft_id)
    receipt_page = url_for("pages.receipt", launch=launch.id, draft_id=draft.id)
    if draft.state in ("written", "accepted") or _is_left(launch, draft):
        return redirect(receipt_page, 303)
    content = DraftContent.of_body(draft.body)
    earlier = bool(content.earlier_but(draft.id) or content.documents_but(draft.id))
    way = context.reading_of(launch).ways[draft.protocol].kind
    given = Choices.of_form(request.form, may_replace=_may_replace(launch, draft))
    if not given.confirmed or (earlier and not given.earlier):
        return _review(launch, draft, given), 422
    limit_address(services(), "accept")
    limit_ehr(services(), "accept", launch.fhir_base)
    if draft.state == "draft" and request.form.get("version") != str(draft.version):
        raise VersionConflictError(
            "This draft was changed in another window since you opened the review. "
            "Open the review again."
        )
    if context.reading_of(launch).hindrances:
        return _review(launch, draft), 409
    if not launch.may_sign():
        return _sign_in_first(launch, draft, given)
    protocol = context.protocol_of(draft.protocol)
    changed = accept_and_write(
        context.visit_of(launch),
        protocol,
        draft,
        replace=earlier and given.earlier == "replace",
        compare=_compare(launch),
        way=request.form.get("way", way),
    )
    if changed is not None:
        return _changed(launch, draft, protocol, changed), 409
    return redirect(receipt_page, 303)


@blueprint.get("/l/<launch>/receipt/<draft_id>")
@needs_launch
def receipt(launch: Launch, draft_id: str) -> str | Response:
    """Show where the plan went, or why it did not."""
    store = services().store
    draft = store.load_draft(launch.id, draft_id)
    if draft.state == "sending":
        look(context.visit_of(launch), draft)
        draft = store.load_draft(launch.id, draft_id)
    kept = store.load_receipt(launch.id, draft_id)
    if kept is None and draft.state != "sending":
        return redirect(url_for("pages.review", launch=launch.id, draft_id=draft.id))
    protocol = context.protocol_of(draft.protocol)
    return render_template(
        "receipt.html",
        page=_receipt_page(launch, draft, kept),
        draft=draft,
        frame=context.frame_of_draft(launch, draft, protocol, here="Receipt"),
    )


@blueprint.post("/l/<launch>/receipt/<draft_id>")
@needs_launch
def send(launch: Launch, draft_id: str) -> str | Response | tuple[str, int]:
    """Send an accepted plan again that did not reach the EHR, or look whether it did."""
    draft = services().store.load_draft(launch.id, draft_id)
    protocol = context.protocol_of(draft.protocol)
    changed = (
        send_again(context.visit_of(launch), protocol, draft, compare=_compare(launch))
        if draft.state in ("accepted", "sending")
        else None
    )
    if changed is not None:
        return _changed(launch, draft, protocol, changed), 409
    return redirect(url_for("pages.receipt", launch=launch.id, draft_id=draft.id), 303)


def _is_left(launch: Launch, draft: Draft) -> bool:
    """Tell whether a draft is kept as accepted, and who accepted it was killed or cut off."""
    waiting = services().store.waiting_of(draft.id)
    if waiting is None or waiting.entry.state not in (WAITING, SIGN_IN):
        return False
    return waiting.entry.held_until <= _now(launch)


def _compare(launch: Launch) -> Compare:
    """Return what tells the differences between two bodies of a draft, in words."""
    return lambda held, now, reading: find_changes(
        held, now, context.writer_for(launch, reading.resources, reading.record.refused)
    )


def _sign_in_first(launch: Launch, draft: Draft, given: Choices) -> tuple[str, int]:
    """Keep what was ticked, and let the EHR ask who is there: nothing is written before."""
    given.keep(launch, draft)
    protocol = context.protocol_of(draft.protocol)
    return render_template(
        "sign_again.html",
        sign_href=url_for("launch.sign", launch_id=launch.id, draft_id=draft.id),
        minutes=services().settings.signing_minutes,
        frame=context.frame_of_draft(launch, draft, protocol, here="Review"),
    ), HTTPStatus.UNAUTHORIZED


def _review(launch: Launch, draft: Draft, given: Choices | None = None) -> str:
    """Return the page of a review; `given`: what was sent before, with something missing."""
    protocol = context.protocol_of(draft.protocol)
    card, content = context.card_of(protocol), DraftContent.of_body(draft.body)
    content = replace(content, earlier=content.earlier_but(draft.id))
    reading = context.reading_of(launch)
    way = reading.ways[protocol.id]
    resources: dict[str, Resource] = {}
    documents = content.documents_but(draft.id)
    confirm_error = (
        "Confirm that you have checked the plan; nothing is written without it."
        if given and not given.confirmed
        else ""
    )
    earlier_error = (
        "Choose what becomes of the active plan that is already there."
        if given and content.earlier and not documents and not given.earlier
        else "Choose what becomes of the document that is already there."
        if given and documents and not given.earlier
        else ""
    )
    problems = [(confirm_error, "confirm"), (earlier_error, "earlier-choice")]
    page = review_page(
        content,
        card,
        context.writer_for(launch, resources, content.refused),
        why_href=url_for("pages.why", launch=launch.id, protocol=protocol.id),
        today=context.today_of(content.as_of),
        is_signed_apart=way.kind != ALONE,
    )
    store = services().store
    kept = (store.load_receipt(launch.id, draft.id), store.waiting_of(draft.id))
    begun = may_be_begun(*kept)
    if begun:
        title = f"{page.title.partition(':')[0]}: {_STANDING[known_of(*kept)]}"
        page = replace(page, title=title, text=f"{page.text} {_BEGUN}")
    return render_template(
        "review.html",
        page=page,
        regimens=regimen_table(
            content.offers,
            content.request.values,
            lambda reference: context.record_href(launch, reference),
        ),
        card=card,
        draft=draft,
        frame=context.frame_of_draft(launch, draft, protocol, here="Review"),
        change_href=url_for("pages.plan", launch=launch.id, protocol=protocol.id, draft=draft.id),
        hindered=reading.hindrances,
        way=way.kind,
        way_note=way_note(way),
        doubts=reading.support[protocol.id].doubts,
        plans_unread=content.plans_unread,
        earlier=context.earlier_plans(launch, content.earlier),
        documents=documents,
        named_documents=context.named_documents(launch, documents, others=True),
        own_document=len(content.documents or ()) > len(documents),
        begun=begun,
        may_end_documents=way.kind == DOCUMENT and may_end_documents(launch),
        documents_unread=content.documents is None,
        may_replace=_may_replace(launch, draft),
        given=given,
        problems=[problem for problem in problems if problem[0]],
        confirm_error=confirm_error,
        earlier_error=earlier_error,
    )


def _may_replace(launch: Launch, draft: Draft) -> bool:
    """Tell whether an earlier plan can be ended with this one: in one transaction, or not here.

    Where this one goes in as a document, that is an earlier document.
    """
    way = context.reading_of(launch).ways[draft.protocol]
    if way.kind == DOCUMENT:
        others = DraftContent.of_body(draft.body).documents_but(draft.id)
        return bool(others) and may_end_documents(launch)
    return way.kind == ENTRIES and may_replace(launch)


def _changed(launch: Launch, draft: Draft, protocol: ClinicalProtocol, changed: Changed) -> str:
    draft = services().store.load_draft(launch.id, draft.id)
    reading = context.reading_of(launch)
    whole = not (reading.record.unread or reading.plans_unread or reading.documents_unread)
    happened = "The record changed" if whole else "The record changed or could not be read whole"
    if changed.possible:
        title = f"{happened} since you made this draft"
        text = "The draft was made anew from it. See what is different, then review it again."
        following = (url_for("pages.review", launch=launch.id, draft_id=draft.id), "Review again")
    elif changed.refused:
        title = f"{happened}: the regimen gives no dose any more"
        text = f"{without_names(changed.refused)} The draft is kept; choose its regimen again."
        following = (
            url_for("pages.plan", launch=launch.id, protocol=protocol.id, draft=draft.id),
            "Change the plan",
        )
    else:
        title = f"{happened}: this plan is no longer possible"
        text = "The protocol's answer is another one now. The draft cannot be accepted."
        following = (url_for("pages.why", launch=launch.id, protocol=protocol.id), "See why")
    return render_template(
        "changed.html",
        title=title,
        text=text,
        changes=changed.changes,
        next_href=following[0],
        next_words=following[1],
        frame=context.frame_of_draft(launch, draft, protocol, here="Review"),
    )


def _receipt_page(launch: Launch, draft: Draft, kept: Receipt | None) -> ReceiptPage:
    match_href = url_for("pages.match", launch=launch.id)
    content = DraftContent.of_body(draft.body)
    override = override_of(content.request)
    gap = ""
    if override:
        gap = gap_words(content.decision, context.writer_for(launch, {}, content.refused))
    if kept is not None and kept.body.get("closed"):
        bundle = kept.body["bundle"]
        attached = contents_of(created_entries(bundle)[0]["resource"])
        return files_page(
            kept.body,
            server=launch.ehr_name,
            files=[
                (
                    words,
                    url_for("pages.plan_file", launch=launch.id, draft_id=draft.id, name=name),
                )
                for words, name, kind in _FILES
                if kind in attached
            ],
            override=override,
            gap=gap,
        )
    if kept is not None and kept.body.get("written"):
        reference = context.written_reference(launch, draft)
        standing = document_standing(launch, kept.body)
        if standing is None:
            standing = standing_of(launch, reference) if reference else Standing()
        return written_page(
            kept.body,
            content.care_plan,
            signer=kept.body["signer"],
            accepted_at=kept.body["acceptedAt"],
            server=launch.ehr_name,
            today=launch.local(launch.now()).date(),
            link=lambda reference: context.record_href(launch, reference),
            standing=standing,
            override=override,
            how=how_written(kept.body, launch.ehr_name),
            gap=gap,
            plan_href=context.written_href(launch, reference) if reference else "",
            draft_id=draft.id,
            again=_again(launch, draft),
        )
    waiting = services().store.waiting_of(draft.id)
    if draft.state == "sending" or kept is None:
        return sending_page(match_href=match_href, accepted=is_accepted(kept, waiting))
    review_href = url_for("pages.review", launch=launch.id, draft_id=draft.id)
    problem = _problem_of(kept, waiting)
    waits: list[str] = []
    if draft.state == "accepted":  # Also where it was parked before and is let go again.
        problem = {**problem, "again": "yes"}
    if waiting is not None and draft.state == "accepted":
        waits = waiting_words(
            waiting.entry,
            first=not services().store.ahead_of(draft.id),
            local=_local(launch),
            now=_now(launch),
        )
    return unwritten_page(
        problem,
        review_href=review_href,
        match_href=match_href,
        waits=waits,
        by_itself=waiting is None or waiting.entry.state != SIGN_IN,
    )


def _again(launch: Launch, draft: Draft) -> str:
    """Return when what is not settled beside a written plan is tried again; '' for never."""
    waiting = services().store.waiting_of(draft.id)
    if waiting is None or waiting.entry.state != UNSETTLED:
        return ""
    return again_words(waiting.entry, local=_local(launch), now=_now(launch))


def _now(launch: Launch) -> int:
    return int(launch.now().timestamp())


def _local(launch: Launch) -> Callable[[int], datetime]:
    """Return what gives a moment, from seconds since 1970, in the site's time zone."""
    return lambda at: launch.local(datetime.fromtimestamp(at, UTC))


def _problem_of(kept: Receipt, waiting: Waiting | None) -> Mapping[str, str]:
    """Return why a plan is not written: what the outbox keeps, or a receipt of before it was."""
    if waiting is not None and waiting.entry.state == DROPPED:
        taken = "Whoever runs this app took the plan out"
        return {
            "title": "it was taken out of the outbox",
            "message": f"{taken}; it is not sent any more."
            if waiting.known
            else f"{taken} before it reached the EHR.",
            "again": "no",
            "known": waiting.known,
        }
    found = kept.body.get("problem") if waiting is None else waiting.said
    if waiting is not None and not waiting.said.get("title") and waiting.entry.attempts:
        return {
            "title": "its sending was cut off",
            "message": "The app was interrupted while it sent the plan.",
            "again": "yes",
            "known": "unclear",
        }
    if found and found.get("title"):
        return found
    known = "" if waiting is None else waiting.known
    return {
        "title": "it waits to be sent",
        "message": "Nothing was sent since you accepted it again."
        if known
        else "The EHR holds no plan with this draft's identifier yet.",
        "again": "yes",
        "known": known,
    }
