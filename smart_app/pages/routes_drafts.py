"""What a clinician left: the drafts of the patient, and discarding one."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivfhir.errors import VersionConflictError
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.wording import dates
from smart_app import audit
from smart_app.pages import context
from smart_app.pages.blueprint import blueprint
from smart_app.pages.plan import plan_title
from smart_app.pages.plan_items import plan_items
from smart_app.services import services
from smart_app.smart.launch import Launch
from smart_app.smart.session import needs_launch, other_launches
from smart_app.store import Draft, Receipt
from smart_app.store.outbox import Waiting
from smart_app.visit.accepting import find_doubtful
from smart_app.visit.draft import DraftContent
from smart_app.visit.sending import is_accepted, known_of

_UNCONFIRMED = "Confirm that the plan may stay in the EHR; the draft is not discarded without it."
_DOUBTS = {
    "unclear": ", not known to be written",
    "in part": ", of which a part may be in the EHR",
}
"""What is known of a draft that was accepted before -> what its line says of it."""

_UNSENT = {
    "": "not written yet",
    "unclear": "not known to be written",
    "in part": "not written to its end",
}
"""What is known of an accepted plan that nobody sends at this moment -> what its line says."""


@blueprint.get("/l/<launch>/discard/<draft_id>")
@needs_launch
def discard(launch: Launch, draft_id: str) -> str | Response:
    """Ask whether a draft is to be discarded."""
    draft = services().store.load_draft(launch.id, draft_id)
    if draft.state != "draft" or find_doubtful(context.visit_of(launch), draft):
        return redirect(url_for("pages.receipt", launch=launch.id, draft_id=draft.id))
    return _discard_page(launch, draft)


@blueprint.post("/l/<launch>/discard/<draft_id>")
@needs_launch
def discard_draft(launch: Launch, draft_id: str) -> Response | tuple[str, int]:
    """Discard a draft for all windows; never one that was accepted or is being written.

    One that may be in the EHR all the same needs a confirmation that says so, and leaves in the
    trail by which identifier it can be found there.
    """
    store = services().store
    draft = store.load_draft(launch.id, draft_id)
    if draft.state != "draft" or find_doubtful(context.visit_of(launch), draft):
        return redirect(url_for("pages.receipt", launch=launch.id, draft_id=draft.id), 303)
    changed = VersionConflictError(
        "This draft was changed or accepted in another window, so it was not discarded. "
        "Look at it again."
    )
    if request.form.get("version") != str(draft.version):
        raise changed
    known = _known(draft)
    if known and request.form.get("confirm") != "yes":
        return _discard_page(launch, draft, unconfirmed=True), 422
    if known:  # The trail has it first: afterwards nothing else knows the plan.
        _record_discarded(launch, draft, known)
    if not store.discard_draft(draft):
        if known:
            _record_discarded(launch, draft, known, done=False)
        raise changed
    if not known:
        audit.record("discard", launch, protocol=draft.protocol, draft=draft.id)
    return redirect(url_for("pages.match", launch=launch.id), 303)


def left_behind(launch: Launch) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return the drafts, and what was accepted and is not known to be in the EHR; a line each.

    They are those of this launch, and of this browser's others for the same patient and user. Each
    links to where it goes on: in its own launch.
    """
    drafts: list[dict[str, str]] = []
    unsent: list[dict[str, str]] = []
    for launch_id in (launch.id, *other_launches(launch.id)):
        for draft in services().store.drafts(launch_id):
            protocol = services().protocols.get(draft.protocol)
            if protocol is None or draft.state == "written":
                continue
            is_draft = draft.state == "draft"
            content = DraftContent.of_body(draft.body)
            page = "pages.review" if is_draft else "pages.receipt"
            receipt, waiting = _kept(draft)
            known = known_of(receipt, waiting)
            doubt = _DOUBTS.get(known, "") if is_draft else ""
            if draft.state == "sending" and not is_accepted(receipt, waiting):
                is_draft, doubt = True, ", being accepted"
            line = {
                "title": _title(protocol, content),
                "when": f"{_when(content)}{doubt}",
                "state": "being written" if _is_held(draft, waiting) else _UNSENT[known],
                "href": url_for(page, launch=launch_id, draft_id=draft.id),
                "discard_href": url_for("pages.discard", launch=launch_id, draft_id=draft.id),
            }
            (drafts if is_draft else unsent).append(line)
    return drafts, unsent


def _known(draft: Draft) -> str:
    """Return what is known of a draft that was accepted before; '' when nothing is in the EHR."""
    return known_of(*_kept(draft))


def _kept(draft: Draft) -> tuple[Receipt | None, Waiting | None]:
    """Return a draft's receipt, and how it stands in the outbox."""
    store = services().store
    return store.load_receipt(draft.launch_id, draft.id), store.waiting_of(draft.id)


def _is_held(draft: Draft, waiting: Waiting | None) -> bool:
    """Tell whether somebody sends an accepted plan at this moment; not one whose claim is over."""
    now = int(services().clock().timestamp())
    return draft.state == "sending" and (waiting is None or waiting.entry.held_until > now)


def _record_discarded(launch: Launch, draft: Draft, known: str, *, done: bool = True) -> None:
    """Keep that a draft was discarded that may be in the EHR: its id is the plan's identifier."""
    kept = services().store.load_receipt(launch.id, draft.id)
    audit.record(
        "discard",
        launch,
        done=done,
        protocol=draft.protocol,
        draft=draft.id,
        written=known.replace(" ", "-"),
        accepted="" if kept is None else str(kept.body.get("acceptedAt", "")),
    )


def _discard_page(launch: Launch, draft: Draft, *, unconfirmed: bool = False) -> str:
    protocol = context.protocol_of(draft.protocol)
    content = DraftContent.of_body(draft.body)
    return render_template(
        "discard.html",
        draft=draft,
        title=_title(protocol, content),
        when=_when(content),
        known=_known(draft),
        server=launch.ehr_name,
        problems=[(_UNCONFIRMED, "confirm")] if unconfirmed else [],
        frame=context.frame_of_draft(launch, draft, protocol, here=""),
    )


def _title(protocol: ClinicalProtocol, draft: DraftContent) -> str:
    return plan_title(plan_items(draft.care_plan), context.card_of(protocol))


def _when(draft: DraftContent) -> str:
    return f"made {dates.day(draft.read_at.date())}"
