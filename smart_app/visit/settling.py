"""What a written plan changes beside itself: plans that other sessions accepted, older documents.

It is done right after the plan is written and kept in its receipt. What could not be found out or
done then is tried again by itself; the plan is in the EHR whatever becomes of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ivfhir.errors import ServerError
from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE
from ivfhir.outbox.failing import After, after_failure
from ivfhir.outbox.line import PARKED, SIGN_IN, WAITING, Entry
from ivfhir.writing.document_rivals import settle_document_rivals
from ivfhir.writing.earlier_documents import UNCLEAR, UNREAD
from ivfhir.writing.rivals import settle_rivals
from smart_app.smart.launch import Launch
from smart_app.store import Draft
from smart_app.visit.documents import GAVE_WAY, end_with, may_end_documents
from smart_app.visit.way import server_for

NO_ACCESS_S = 900
"""Seconds until it is looked again whether there is an access to try it with."""


@dataclass(frozen=True)
class Settled:
    """What became of it.

    Attributes:
        body: the receipt's body with it.
        error: why something of it is worth another try; None when nothing is.
    """

    body: dict[str, Any]
    error: ServerError | None


def settle(launch: Launch, draft: Draft, body: Mapping[str, Any]) -> Settled:
    """Leave one of the plans that were accepted at once, and end the documents that are replaced.

    A document that gives way itself takes the place of none.

    Args:
        launch: the launch.
        draft: the written plan's draft.
        body: its receipt's body; what an earlier try settled is let be.
    """
    rivals, error = _with_rivals(launch, draft, body)
    own = own_reference(body["entries"])
    gave_way = rivals is not None and own in rivals.get("revoked", ())
    ended = _joined_ended(body["ended"], end_with(launch, body, gave_way=gave_way))
    if error is None and any(each.get("why") in (UNREAD, UNCLEAR) for each in ended):
        error = ServerError("A document that was to end could not be read or changed.")
    return Settled({**body, "rivals": rivals, "ended": ended}, error)


def joined(first: Mapping[str, Any], later: Mapping[str, Any]) -> dict[str, Any]:
    """Return a receipt's body with what a later look found out beside it.

    Sender and viewer may both find a plan written. Of what the one could not find out, the other's
    answer counts; what was seen to be done stays so.
    """
    return {
        **first,
        "rivals": _joined_rivals(first.get("rivals"), later.get("rivals")),
        "ended": _joined_ended(first["ended"], later["ended"]),
    }


def again(launch: Launch, entry: Entry | None, error: ServerError | None) -> After | None:
    """Return when what is not settled is tried again; None for never.

    Args:
        launch: the launch.
        entry: the plan in the outbox, the try counted.
        error: why it was not settled; None when it was.
    """
    if error is None or entry is None:
        return None
    now, keep_s = int(launch.now().timestamp()), launch.app.settings.outbox_hours * 3600
    after = after_failure(error, entry, now=now, keep_s=keep_s, random=launch.app.random)
    if after.state == SIGN_IN:  # The next launch settles it at once; until then it is looked.
        due_at = now + NO_ACCESS_S
        after = After(
            WAITING if due_at <= entry.counts_from + keep_s else PARKED, due_at, after.failures
        )
    return after if after.state == WAITING else None


def own_reference(entries: Sequence[Mapping[str, Any]]) -> str:
    """Return the reference of the plan, or of its document, among the entries that were written."""
    plans = (CARE_PLAN, DOCUMENT_REFERENCE)
    return next(str(entry["reference"]) for entry in entries if entry["type"] in plans)


def _with_rivals(
    launch: Launch, draft: Draft, body: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, ServerError | None]:
    """Return what the receipt keeps of the other sessions' plans, and why to look again."""
    own = own_reference(body["entries"])
    is_plan = own.startswith(f"{CARE_PLAN}/")
    before = body.get("rivals")
    if not is_plan and (body.get("documents") or {}).get("unread"):
        return before, None  # Then it was promised that others stay current beside it.
    try:
        server = server_for(launch, body)
        if is_plan:
            known = _known_plans(draft, body)
            may = launch.scopes.may
            found = settle_rivals(server, own, known=known, may=may)
            may_end = may(CARE_PLAN, "u")
        else:
            may_end = may_end_documents(launch)
            known = _known_documents(draft, body)
            found = settle_document_rivals(server, own, known=known, may_update=may_end)
    except ServerError as error:
        launch.app.log.warning("rivals", error=type(error).__name__, server_status=error.status)
        return {"unknown": True} if before is None else before, error
    if found is None:
        return _joined_rivals(before, None), None
    launch.app.log.info("rivals", count=len(found.revoked))
    left = found.left and may_end
    why = ServerError("A plan of another session could not be ended.") if left else None
    return _joined_rivals(before, asdict(found)), why


def _known_plans(draft: Draft, body: Mapping[str, Any]) -> list[str]:
    """Return the active plans that were shown at the review.

    The draft may have been made anew since it was accepted, and shows others then.
    """
    shown = body.get("shown")
    if shown is not None:
        return [str(each) for each in shown]
    return [str(plan["reference"]) for plan in draft.body["earlier"]]


def _known_documents(draft: Draft, body: Mapping[str, Any]) -> list[str]:
    """Return the documents that were shown at the review, or before it was sent."""
    documents = body.get("documents") or {}
    shown = [*documents.get("kept", ()), *documents.get("ended", ())]
    if body.get("shown") is None:
        shown += draft.body.get("documents") or ()
    return [str(each["reference"]) for each in shown]


def _joined_rivals(
    first: Mapping[str, Any] | None, later: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return what counts of two looks for other sessions' plans; None: there was none."""
    unknown = later is not None and bool(later.get("unknown"))
    if first is None:
        return None if later is None or unknown else dict(later)
    if first.get("unknown"):
        return None if later is None else dict(later)
    if unknown or not first["left"]:
        return dict(first)
    if later is not None:
        return dict(later)
    # Somebody ended what could not be: how the plan stands now is read with the page.
    return None if first["own"] in first["left"] else {**first, "left": ()}


def _joined_ended(
    first: Sequence[Mapping[str, str]], later: Sequence[Mapping[str, str]]
) -> list[dict[str, str]]:
    """Return what counts of two looks at what was to end: what was seen to have ended stays so."""
    found = {each["reference"]: dict(each) for each in first}
    for each in later:
        before = found.get(each["reference"])
        open_still = before is not None and before["status"] != before["wanted"]
        # What was tried before may be done, also where the document gave way since.
        if before is None or (open_still and each.get("why") != GAVE_WAY):
            found[each["reference"]] = dict(each)
    return list(found.values())
