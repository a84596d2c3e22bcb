"""Pages that only read: the protocols, the reasons, a resource of the record."""

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from ivfhir.fhir.references import Key
from smart_app.pages import context
from smart_app.pages.blueprint import blueprint
from smart_app.pages.match import match_page
from smart_app.pages.record import record_page
from smart_app.pages.routes_drafts import left_behind
from smart_app.pages.sources import KEY
from smart_app.pages.ways import way_note
from smart_app.pages.why import why_page
from smart_app.services import services
from smart_app.smart.launch import Launch
from smart_app.smart.session import needs_launch
from smart_app.visit.reading import Reading
from smart_app.visit.reading_one import read_allowed


@blueprint.get("/l/<launch>/match")
@needs_launch
def match(launch: Launch) -> str | Response:
    """Show which protocols concern the patient."""
    if request.args.get("read") == "again":
        return _again(launch)
    reading = context.reading_of(launch)
    answers = [
        context.answer_of(launch, reading, each)
        for each in services().protocols.values()
        if reading.of_protocol(each.id) is not None
    ]
    titles = {each.id: each.title for each in services().every_protocol.values()}
    drafts, unsent = left_behind(launch)
    return render_template(
        "match.html",
        page=match_page(
            reading.decision,
            answers,
            problem_list_empty=_problem_list_empty(reading),
            titles=titles,
        ),
        frame=context.frame_of_reading(launch, reading, here="Protocols"),
        hindered=reading.hindrances,
        way_note=way_note(reading.way),
        unread_types=context.unread_types(reading),
        unread_help=context.unread_help(reading),
        earlier=context.earlier_of(launch, reading),
        named_documents=context.documents_in(launch, reading),
        drafts=drafts,
        unsent=unsent,
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
        way_note=way_note(reading.ways[chosen.id]),
        unread_types=context.unread_types(reading),
        unread_help=context.unread_help(reading),
        earlier=context.earlier_of(launch, reading, chosen),
        named_documents=context.documents_in(launch, reading, chosen),
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
    context.visit_of(launch).forget_reading()
    return redirect(context.here_again(launch))


def _problem_list_empty(reading: Reading) -> bool:
    held = any(resource["resourceType"] == "Condition" for resource in reading.record.resources)
    return not held and "Condition" not in reading.record.unread


def _notes(reading: Reading) -> list[str]:
    return list(
        dict.fromkeys([*reading.record.notes, *reading.decision["patient"].get("notes", ())])
    )
