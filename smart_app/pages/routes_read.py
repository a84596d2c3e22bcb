"""Pages that only read: the protocols, the reasons, a resource of the record."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivfhir.fhir.references import Key
from ivfhir.knowledge.load import ClinicalProtocol
from smart_app.pages import context, dates
from smart_app.pages.blueprint import blueprint
from smart_app.pages.match import match_page
from smart_app.pages.plan import plan_title
from smart_app.pages.reading import Reading
from smart_app.pages.reading_one import read_allowed
from smart_app.pages.record import record_page
from smart_app.pages.sources import KEY
from smart_app.pages.why import why_page
from smart_app.services import services
from smart_app.session import Launch, needs_launch, other_launches
from smart_app.store import Draft

_STATES = {
    "draft": "not accepted",
    "sending": "being written",
    "accepted": "accepted, not written",
    "written": "written",
}


@blueprint.get("/l/<launch>/match")
@needs_launch
def match(launch: Launch) -> str | Response:
    """Show which protocols concern the patient."""
    if request.args.get("read") == "again":
        return _again(launch)
    reading = context.reading_of(launch)
    answers = [context.answer_of(launch, reading, each) for each in services().protocols.values()]
    return render_template(
        "match.html",
        page=match_page(reading.decision, answers, problem_list_empty=_problem_list_empty(reading)),
        frame=context.frame_of_reading(launch, reading, here="Protocols"),
        hindered=reading.hindrances,
        unread_types=context.unread_types(reading),
        earlier=context.earlier_of(launch, reading),
        drafts=_drafts(launch),
        notes=_notes(reading),
    )


@blueprint.get("/l/<launch>/why/<protocol>")
@needs_launch
def why(launch: Launch, protocol: str) -> str | Response:
    """Show on what grounds a protocol may be used, or not."""
    if request.args.get("read") == "again":
        return _again(launch)
    chosen = context.protocol_of(protocol)
    reading = context.reading_of(launch)
    answered = context.answer_of(launch, reading, chosen)
    return render_template(
        "why.html",
        page=why_page(reading.decision, answered),
        frame=context.frame_of_reading(launch, reading, here="Why", protocol=chosen),
        hindered=reading.hindrances,
        unread_types=context.unread_types(reading),
        earlier=context.earlier_of(launch, reading, chosen),
        source_key=KEY,
    )


@blueprint.get("/l/<launch>/record/<resource_type>/<resource_id>")
@needs_launch
def record(launch: Launch, resource_type: str, resource_id: str) -> str:
    """Show a resource as the EHR holds it now."""
    reading = context.reading_of(launch)
    resource = read_allowed(launch, Key(resource_type, resource_id))
    return render_template(
        "record.html",
        page=record_page(resource, lambda reference: context.record_href(launch, reference)),
        frame=context.frame_of_reading(launch, reading, here=""),
    )


def _again(launch: Launch) -> Response:
    """Forget what was read, and show the same page anew."""
    context.readings().drop(launch)
    return redirect(context.here_again(launch))


def _problem_list_empty(reading: Reading) -> bool:
    held = any(resource["resourceType"] == "Condition" for resource in reading.record.resources)
    return not held and "Condition" not in reading.record.unread


def _notes(reading: Reading) -> list[str]:
    return list(
        dict.fromkeys([*reading.record.notes, *reading.decision["patient"].get("notes", ())])
    )


def _drafts(launch: Launch) -> list[dict[str, str]]:
    """Return the drafts of this launch, and of this browser's others for the same patient and user.

    Each is a line with a link to where it goes on: in its own launch.
    """
    lines = []
    for draft in _own_drafts(launch):
        protocol = services().protocols.get(draft.protocol)
        if protocol is not None:
            lines.append(
                {
                    "title": _draft_title(protocol, draft.body),
                    "when": f"made {dates.day(draft.body['readAt'])}",
                    "state": _STATES.get(draft.state, draft.state),
                    "href": url_for(
                        "pages.review" if draft.state == "draft" else "pages.receipt",
                        launch=draft.launch_id,
                        draft_id=draft.id,
                    ),
                }
            )
    return lines


def _own_drafts(launch: Launch) -> list[Draft]:
    launches = [launch.id, *other_launches(launch.id)]
    return [draft for each in launches for draft in services().store.drafts(each)]


def _draft_title(protocol: ClinicalProtocol, body: Mapping[str, Any]) -> str:
    settings = context.settings_of(protocol, body["values"])
    return plan_title(body["carePlan"], context.card_of(protocol), settings)
