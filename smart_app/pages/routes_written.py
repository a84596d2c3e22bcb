"""The written plan: what the record holds of a plan, shown as a plan."""

from flask import redirect, render_template, request
from werkzeug.wrappers import Response

from ivfhir.fhir.references import Key, reference_of
from ivfhir.fhir.types import CARE_PLAN
from ivfhir.writing.earlier import read_plan_parts
from smart_app.pages import context
from smart_app.pages.blueprint import blueprint
from smart_app.pages.written import written_plan
from smart_app.services import services
from smart_app.smart.launch import Launch
from smart_app.smart.session import needs_launch
from smart_app.visit.reading import follows
from smart_app.visit.reading_one import read_allowed


@blueprint.get("/l/<launch>/written/<plan_id>")
@needs_launch
def written(launch: Launch, plan_id: str) -> str | Response:
    """Show a CarePlan of one of our protocols as the EHR holds it now."""
    if request.args.get("read") == "again":
        context.visit_of(launch).forget_reading()
        return redirect(context.here_again(launch))
    plan = read_allowed(launch, Key(CARE_PLAN, plan_id))
    record_href = context.record_href(launch, reference_of(plan))
    protocol = next((each for each in services().protocols.values() if follows(plan, each)), None)
    if protocol is None:
        return redirect(record_href)
    card = context.card_of(protocol)
    parts = read_plan_parts(launch.repository, plan, may=launch.scopes.may)
    return render_template(
        "written.html",
        page=written_plan(
            plan,
            parts,
            card,
            today=launch.local(launch.now()).date(),
            link=lambda reference: context.record_href(launch, reference),
        ),
        card=card,
        record_href=record_href,
        frame=context.frame_of_reading(
            launch, context.reading_of(launch), here="Written plan", protocol=protocol
        ),
    )
